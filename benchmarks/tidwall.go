package main

import (
	"time"

	"github.com/tidwall/btree"
)

// tidwall is tidwall/btree with its own lock, a sync.RWMutex. The value is read in the
// callback, under the lock. Each change takes the lock separately.
type tidwall[K any] struct {
	kind *kind[K]
	t    *btree.BTreeG[item[K]]
}

func newTidwall[K any](k *kind[K]) store[K] {
	return &tidwall[K]{kind: k, t: btree.NewBTreeG(k.lessItem)}
}

func (s *tidwall[K]) name() string { return "tidwall" }

func (s *tidwall[K]) read(key K) (v int) {
	s.t.Descend(item[K]{lo: key}, func(x item[K]) bool {
		if s.kind.before(key, x.s.hi) {
			v = *x.s.v
		}
		return false
	})
	return v
}

func (s *tidwall[K]) apply(cs []change[K], d time.Duration) {
	for i := range cs {
		c := &cs[i]
		var ok bool
		if c.what == remove {
			_, ok = s.t.Delete(item[K]{lo: c.lo})
		} else {
			_, ok = s.t.Set(item[K]{c.lo, &segment[K]{c.hi, c.v}})
		}
		must(ok == (c.what != insert))
	}
	if d > 0 { // the write lock is held over a callback that might change the items
		s.t.ScanMut(func(item[K]) bool {
			linger(d)
			return false
		})
	}
}

func (s *tidwall[K]) load(rs []ranged[K]) {
	for i := range rs {
		s.t.Load(item[K]{rs[i].lo, &segment[K]{rs[i].hi, rs[i].v}})
	}
}

func (s *tidwall[K]) walk() (sum int) {
	s.t.Scan(func(x item[K]) bool {
		sum += *x.s.v
		return true
	})
	return sum
}

// hold needs a goroutine, because the lock is held only while a callback runs.
func (s *tidwall[K]) hold(K) func() {
	held, end := make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.t.Scan(func(item[K]) bool {
			close(held)
			<-end
			return false
		})
	}()
	<-held
	return func() {
		close(end)
		<-done
	}
}
