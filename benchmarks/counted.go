package main

import (
	"sync"
	"time"

	"github.com/google/btree"
)

// countedLock is a sync.RWMutex over a google/btree of segments with a count each. A reader
// holds the lock only for the search, and counts itself in the segment before it unlocks.
type countedLock[K any] struct {
	kind *kind[K]
	mu   sync.RWMutex
	t    *btree.BTreeG[countedItem[K]]
	free []*counted[K] // removed when no reader was counted; kept for the next insert
}

func newCounted[K any](k *kind[K]) store[K] {
	return &countedLock[K]{kind: k, t: btree.NewG(32, k.lessCounted)}
}

func (s *countedLock[K]) name() string { return "counted" }

// acquire returns the segment that covers key with one added to its count, or nil.
func (s *countedLock[K]) acquire(key K) *counted[K] {
	var found countedItem[K]
	s.mu.RLock()
	s.t.DescendLessOrEqual(countedItem[K]{lo: key}, func(x countedItem[K]) bool {
		found = x
		return false
	})
	if found.s == nil || !s.kind.before(key, found.s.hi) {
		s.mu.RUnlock()
		return nil
	}
	found.s.refs.Add(1) // it is in the tree, and the read lock keeps writers out
	s.mu.RUnlock()
	return found.s
}

func (s *countedLock[K]) read(key K) int {
	c := s.acquire(key)
	if c == nil {
		return 0
	}
	v := *c.v
	c.release()
	return v
}

func (s *countedLock[K]) apply(cs []change[K], d time.Duration) {
	s.mu.Lock()
	for i := range cs {
		c := &cs[i]
		var old countedItem[K]
		var ok bool
		if c.what == remove {
			old, ok = s.t.Delete(countedItem[K]{lo: c.lo})
		} else {
			old, ok = s.t.ReplaceOrInsert(countedItem[K]{c.lo, s.segment(c.hi, c.v)})
		}
		must(ok == (c.what != insert))
		if ok {
			s.retire(old.s)
		}
	}
	linger(d)
	s.mu.Unlock()
}

// retire frees the resource of c, or leaves that to the last reader of c.
func (s *countedLock[K]) retire(c *counted[K]) {
	if c.refs.Load() == 0 { // it stays 0: the lock is held, and c is not in the tree
		s.free = append(s.free, c)
		return
	}
	if c.refs.Add(dead) == dead {
		c.freed = true
	}
}

// segment returns a segment that a removal has left, or a new one.
func (s *countedLock[K]) segment(hi K, v *int) *counted[K] {
	if n := len(s.free); n > 0 {
		c := s.free[n-1]
		s.free = s.free[:n-1]
		c.segment = segment[K]{hi, v}
		return c
	}
	return &counted[K]{segment: segment[K]{hi, v}}
}

func (s *countedLock[K]) load(rs []ranged[K]) {
	for i := range rs {
		s.t.ReplaceOrInsert(countedItem[K]{rs[i].lo, &counted[K]{segment: segment[K]{rs[i].hi, rs[i].v}}})
	}
}

func (s *countedLock[K]) walk() (sum int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.t.Ascend(func(x countedItem[K]) bool {
		sum += *x.s.v
		return true
	})
	return sum
}

func (s *countedLock[K]) hold(key K) func() {
	c := s.acquire(key)
	must(c != nil)
	return c.release
}
