package main

import (
	"sync"
	"time"
)

// mutex is a sync.Mutex over a google/btree: the simplest store for writes.
type mutex[K any] struct {
	mu sync.Mutex
	tree[K]
}

func newMutex[K any](k *kind[K]) store[K] { return &mutex[K]{tree: newTree(k)} }

func (s *mutex[K]) name() string { return "mutex" }

func (s *mutex[K]) read(key K) int {
	s.mu.Lock()
	v := s.find(key)
	s.mu.Unlock()
	return v
}

func (s *mutex[K]) apply(cs []change[K], d time.Duration) {
	s.mu.Lock()
	s.change(cs)
	linger(d)
	s.mu.Unlock()
}

func (s *mutex[K]) walk() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tree.walk()
}

func (s *mutex[K]) hold(K) func() {
	s.mu.Lock()
	return s.mu.Unlock
}
