package main

import (
	"time"

	"github.com/puzpuzpuz/xsync/v4"
)

// rbmutex is xsync's reader-biased mutex over a google/btree. The read lock is held during
// the access.
type rbmutex[K any] struct {
	mu *xsync.RBMutex
	tree[K]
}

func newRBMutex[K any](k *kind[K]) store[K] {
	return &rbmutex[K]{mu: xsync.NewRBMutex(), tree: newTree(k)}
}

func (s *rbmutex[K]) name() string { return "rbmutex" }

func (s *rbmutex[K]) read(key K) int {
	t := s.mu.RLock()
	v := s.find(key)
	s.mu.RUnlock(t)
	return v
}

func (s *rbmutex[K]) apply(cs []change[K], d time.Duration) {
	s.mu.Lock()
	s.change(cs)
	linger(d)
	s.mu.Unlock()
}

func (s *rbmutex[K]) walk() int {
	t := s.mu.RLock()
	defer s.mu.RUnlock(t)
	return s.tree.walk()
}

func (s *rbmutex[K]) hold(K) func() {
	t := s.mu.RLock()
	return func() { s.mu.RUnlock(t) }
}
