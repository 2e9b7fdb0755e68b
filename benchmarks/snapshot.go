package main

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/btree"
)

// snapshot is an atomic pointer to a google/btree that is no longer changed, with a
// count on each segment: the best that a careful team writes by hand. A writer clones
// the tree, which copies lazily, changes the clone and publishes it.
type snapshot[K any] struct {
	kind *kind[K]
	t    atomic.Pointer[btree.BTreeG[countedItem[K]]]
	mu   sync.Mutex    // held by writers
	old  []*counted[K] // of the current writer, to be retired when the clone is published
}

type countedItem[K any] struct {
	lo K
	s  *counted[K]
}

type counted[K any] struct {
	segment[K]
	refs  atomic.Int64
	freed bool // written by the goroutine that brings refs to dead
}

// dead is added to the count of a segment that has left the tree. A goroutine that then
// brings the count to exactly dead is the last and may free the resource of the value.
const dead = 1 << 40

func newSnapshot[K any](k *kind[K]) store[K] {
	s := &snapshot[K]{kind: k}
	s.t.Store(btree.NewG(32, k.lessCounted))
	return s
}

func (s *snapshot[K]) name() string { return "snapshot" }

// acquire returns the segment that covers key with one added to its count, or nil.
func (s *snapshot[K]) acquire(key K) *counted[K] {
	for {
		var found countedItem[K]
		s.t.Load().DescendLessOrEqual(countedItem[K]{lo: key}, func(x countedItem[K]) bool {
			found = x
			return false
		})
		if found.s == nil || !s.kind.before(key, found.s.hi) {
			return nil
		}
		if found.s.refs.Add(1) < dead {
			return found.s
		}
		found.s.refs.Add(-1) // retired meanwhile, by a writer that has published another tree
	}
}

func (c *counted[K]) release() {
	if c.refs.Add(-1) == dead {
		c.freed = true
	}
}

func (s *snapshot[K]) read(key K) int {
	c := s.acquire(key)
	if c == nil {
		return 0
	}
	v := *c.v
	c.release()
	return v
}

func (s *snapshot[K]) apply(cs []change[K], d time.Duration) {
	s.mu.Lock()
	t := s.t.Load().Clone()
	for i := range cs {
		c := &cs[i]
		var old countedItem[K]
		var ok bool
		if c.what == remove {
			old, ok = t.Delete(countedItem[K]{lo: c.lo})
		} else {
			old, ok = t.ReplaceOrInsert(countedItem[K]{c.lo, &counted[K]{segment: segment[K]{c.hi, c.v}}})
		}
		must(ok == (c.what != insert))
		if ok {
			s.old = append(s.old, old.s)
		}
	}
	linger(d)
	s.t.Store(t)
	for _, c := range s.old {
		if c.refs.Add(dead) == dead {
			c.freed = true
		}
	}
	clear(s.old)
	s.old = s.old[:0]
	s.mu.Unlock()
}

func (s *snapshot[K]) load(rs []ranged[K]) {
	t := btree.NewG(32, s.kind.lessCounted)
	for i := range rs {
		t.ReplaceOrInsert(countedItem[K]{rs[i].lo, &counted[K]{segment: segment[K]{rs[i].hi, rs[i].v}}})
	}
	s.t.Store(t)
}

func (s *snapshot[K]) walk() (sum int) {
	s.t.Load().Ascend(func(x countedItem[K]) bool {
		sum += *x.s.v
		return true
	})
	return sum
}

func (s *snapshot[K]) hold(key K) func() {
	c := s.acquire(key)
	must(c != nil)
	return c.release
}
