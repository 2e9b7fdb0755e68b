// Package leak has guards that are not released on some path.
package leak

import (
	"context"
	"errors"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

type store struct{ m *rangelock.Map[int, []byte] }

var errShort = errors.New("short")

func never(s *store, key int) int {
	g, ok := s.m.Acquire(key) // want `guard of Acquire is not released on the path that leaves at line 21`
	if !ok {
		return 0
	}
	return len(g.Value())
}

func onEarlyReturn(s *store, key int) ([]byte, error) {
	g, ok := s.m.Acquire(key) // want `guard of Acquire is not released on the path that leaves at line 31`
	if !ok {
		return nil, nil
	}
	b := g.Value()
	if len(b) < 10 {
		return nil, errShort
	}
	b = append([]byte(nil), b...)
	g.Release()
	return b, nil
}

func onError(ctx context.Context, s *store, key int, f func([]byte) error) error {
	g, err := s.m.AcquireContext(ctx, key) // want `guard of AcquireContext is not released on the path that leaves at line 44`
	if err != nil {
		return err
	}
	if err := f(g.Value()); err != nil {
		return err
	}
	g.Release()
	return nil
}

func wrongWay(s *store, key int) {
	g, ok := s.m.Acquire(key) // want `guard of Acquire is not released on the path that leaves at line 54`
	if ok {
		println(len(g.Value()))
		return
	}
	g.Release()
}

func wrongError(s *store, key int) {
	g, err := s.m.TryAcquire(key) // want `guard of TryAcquire is not released`
	if err == nil {
		return
	}
	g.Release()
}

func implicitEnd(s *store, key int) {
	if g, ok := s.m.AcquireExclusive(key); ok { // want `guard of AcquireExclusive is not released on the path that leaves at line 71`
		g.Value()[0]++
	}
}

func dropped(s *store, key int) {
	s.m.Acquire(key) // want `guard of Acquire is dropped and never released`
}

func exists(s *store, key int) bool {
	_, ok := s.m.Acquire(key) // want `guard of Acquire is dropped`
	return ok
}

func onlyTested(s *store, key int) (n int) {
	if _, err := s.m.TryAcquire(key); err == nil { // want `guard of TryAcquire is dropped`
		n++
	}
	return n
}

func inLoop(s *store, keys []int) {
	for _, key := range keys {
		g, ok := s.m.Acquire(key) // want `guard of Acquire is not released` `Acquire may wait`
		if !ok {
			continue
		}
		if len(g.Value()) == 0 {
			continue
		}
		g.Release()
	}
}

func forEver(s *store) {
	for key := 0; ; key++ {
		g, ok := s.m.Acquire(key) // want `guard of Acquire is not released before the next one takes its place` `Acquire may wait`
		if ok {
			println(len(g.Value()))
		}
	}
}

func overwritten(s *store) {
	g, _ := s.m.Acquire(1) // want `guard of Acquire is not released on the path`
	g, _ = s.m.Acquire(2)  // want `Acquire may wait`
	g.Release()
}

func oneOfTwo(s *store, a, b int) bool {
	g, ok := s.m.Acquire(a) // want `guard of Acquire is not released`
	if !ok {
		return false
	}
	h, err := s.m.TryAcquire(b)
	if err != nil {
		return false
	}
	defer h.Release()
	defer g.Release()
	return len(g.Value()) == len(h.Value())
}

func deferredTooLate(s *store, key int, f func([]byte) error) error {
	g, ok := s.m.AcquireNext(key) // want `guard of AcquireNext is not released`
	if !ok {
		return nil
	}
	if err := f(g.Value()); err != nil {
		return err
	}
	defer g.Release()
	return f(g.Value())
}

func switched(ctx context.Context, s *store, key int) error {
	g, err := s.m.AcquireNextContext(ctx, key) // want `guard of AcquireNextContext is not released on the path that leaves at line 151`
	switch {
	case errors.Is(err, rangelock.ErrNotFound):
		return nil
	case err != nil:
		return err
	case len(g.Value()) == 0:
		return errShort
	}
	g.Release()
	return nil
}

func loaded(ctx context.Context, s *store, load func(context.Context, int) (rangelock.Range[int], []byte, error)) error {
	g, err := s.m.AcquireOrLoad(ctx, 1, load) // want `guard of AcquireOrLoad is not released`
	if err != nil {
		return err
	}
	_ = g.Range()
	return nil
}

func cloned(g rangelock.Guard[int, []byte]) int {
	c := g.Clone() // want `guard of Clone is not released`
	return len(c.Value())
}

func taken(s *store) {
	for g := range s.m.Guards(rangelock.Span(0, 10)) {
		if len(g.Value()) > 0 {
			kept := g.Take() // want `guard of Take is not released`
			println(len(kept.Value()))
		}
	}
}

func ofReader(s *store) {
	r := s.m.RLock()
	defer r.Unlock()
	g, ok := r.Acquire(1) // want `guard of Acquire is not released`
	if ok {
		println(len(g.Value()))
	}
}

func ofDefault(addr uintptr) any {
	g, ok := rangelock.Acquire(addr) // want `guard of Acquire is not released`
	if !ok {
		return nil
	}
	return g.Value()
}

func ofAllocator(a *rangealloc.Allocator[int, string]) string {
	g, ok := a.Map().Acquire(1) // want `guard of Acquire is not released`
	if !ok {
		return ""
	}
	return g.Value()
}

func inGoroutine(s *store) {
	go func() {
		g, ok := s.m.Acquire(1) // want `guard of Acquire is not released`
		if ok {
			println(len(g.Value()))
		}
	}()
}

func generic[K int | string, V any](m *rangelock.Map[K, V], key K) (v V) {
	g, ok := m.Acquire(key) // want `guard of Acquire is not released`
	if ok {
		v = g.Value()
	}
	return v
}

// A closure that only reads does not release.
func onlyRead(s *store, each func(func() int)) {
	g, ok := s.m.Acquire(1) // want `guard of Acquire is not released`
	if !ok {
		return
	}
	each(func() int { return len(g.Value()) })
}

func acquire(s *store, key int) (rangelock.Guard[int, []byte], error) {
	g, ok := s.m.Acquire(key)
	if !ok {
		return rangelock.Guard[int, []byte]{}, errShort
	}
	if len(g.Value()) == 0 {
		g.Release()
		return rangelock.Guard[int, []byte]{}, errShort
	}
	return g, nil
}

func (s *store) must(key int) rangelock.Guard[int, []byte] {
	g, err := acquire(s, key)
	if err != nil {
		panic(err)
	}
	return g
}

func ofWrapper(s *store, key int) int {
	g, err := acquire(s, key) // want `guard of acquire is not released on the path that leaves at line \d+`
	if err != nil {
		return 0
	}
	return len(g.Value())
}

func ofWrappers(s *store, key int) int {
	g := s.must(key) // want `guard of must is not released`
	return len(g.Value())
}

func inBody(s *store, keys func(func(int) bool)) int {
	for key := range keys {
		g, ok := s.m.Acquire(key) // want `guard of Acquire is not released`
		if !ok {
			continue
		}
		if len(g.Value()) > 3 {
			return len(g.Value())
		}
		g.Release()
	}
	return 0
}
