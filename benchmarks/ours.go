package main

import (
	"context"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// ours is a rangelock.Map.
type ours[K any] struct {
	m *rangelock.Map[K, *int]
}

func newOurs[K any](k *kind[K], o *rangelock.Options[K, *int]) *ours[K] {
	return &ours[K]{k.open(o)}
}

func (s *ours[K]) name() string { return "ours" }

func (s *ours[K]) read(key K) int {
	g, ok := s.m.Acquire(key)
	if !ok {
		return 0
	}
	v := *g.Value()
	g.Release()
	return v
}

// get reads a value without a guard, because the collector owns it.
func (s *ours[K]) get(key K) int {
	v, ok := s.m.Get(key)
	if !ok {
		return 0
	}
	return *v
}

func (s *ours[K]) apply(cs []change[K], d time.Duration) {
	if len(cs) == 1 && d == 0 {
		c := &cs[0]
		r := rangelock.Span(c.lo, c.hi)
		var n int
		var err error
		switch c.what {
		case insert:
			err = s.m.Insert(context.Background(), r, c.v)
		case remove:
			n, err = s.m.Remove(context.Background(), r)
			must(n == 1)
		case swap:
			err = s.m.Swap(context.Background(), r, c.v)
		}
		must(err == nil)
		return
	}
	w := s.m.Lock()
	for i := range cs {
		c := &cs[i]
		r := rangelock.Span(c.lo, c.hi)
		var n int
		var err error
		switch c.what {
		case insert:
			err = w.Insert(r, c.v)
		case remove:
			n, err = w.Remove(r)
			must(n == 1)
		case swap:
			err = w.Swap(r, c.v)
		}
		must(err == nil)
	}
	linger(d)
	w.Unlock()
}

func (s *ours[K]) load(rs []ranged[K]) {
	w := s.m.Lock()
	defer w.Unlock()
	n, err := w.Load(func(yield func(rangelock.Range[K], *int) bool) {
		for i := range rs {
			if !yield(rangelock.Span(rs[i].lo, rs[i].hi), rs[i].v) {
				return
			}
		}
	})
	must(n == len(rs) && err == nil)
}

func (s *ours[K]) walk() (sum int) {
	for _, v := range s.m.All() {
		sum += *v
	}
	return sum
}

func (s *ours[K]) hold(key K) func() {
	g, ok := s.m.Acquire(key)
	must(ok)
	return func() { g.Release() }
}
