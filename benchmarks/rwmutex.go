package main

import (
	"sync"
	"time"
)

// rwmutex is a sync.RWMutex over a google/btree. The read lock is held during the access,
// as in bbolt and others.
type rwmutex[K any] struct {
	mu sync.RWMutex
	tree[K]
}

func newRWMutex[K any](k *kind[K]) store[K] { return &rwmutex[K]{tree: newTree(k)} }

func (s *rwmutex[K]) name() string { return "rwmutex" }

func (s *rwmutex[K]) read(key K) int {
	s.mu.RLock()
	v := s.find(key)
	s.mu.RUnlock()
	return v
}

func (s *rwmutex[K]) apply(cs []change[K], d time.Duration) {
	s.mu.Lock()
	s.change(cs)
	linger(d)
	s.mu.Unlock()
}

func (s *rwmutex[K]) walk() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.tree.walk()
}

func (s *rwmutex[K]) hold(K) func() {
	s.mu.RLock()
	return s.mu.RUnlock
}
