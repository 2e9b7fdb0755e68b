// Package blocking has calls that wait for a map of which a guard is held.
package blocking

import (
	"context"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

type ranges = rangelock.Map[int, string]

type store struct {
	a, b *ranges
	sub  struct{ m *ranges }
}

func again(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	defer g.Release()
	if h, ok := m.Acquire(2); ok { // want `Acquire may wait for a writer that waits for the guard held since line 19`
		h.Release()
	}
}

func lock(s *store) {
	g, ok := s.a.Acquire(1)
	if !ok {
		return
	}
	w := s.a.Lock() // want `Lock may wait for a writer that waits for the guard held since line 30`
	w.Unlock()
	g.Release()
}

func inStruct(s *store) {
	g, ok := s.sub.m.Acquire(1)
	if !ok {
		return
	}
	r := s.sub.m.RLock() // want `RLock may wait for a writer`
	r.Unlock()
	g.Release()
}

func readsAndWrites(ctx context.Context, m *ranges, keys []int) error {
	g, err := m.TryAcquire(1)
	if err != nil {
		return err
	}
	defer g.Release()
	m.Get(2)                                                            // want `Get may wait`
	m.GetRange(2)                                                       // want `GetRange may wait`
	m.GetMany(keys, func(int, string, bool) {})                         // want `GetMany may wait`
	m.View(2, func(rangelock.Range[int], string) {})                    // want `View may wait`
	m.Insert(ctx, rangelock.Span(2, 3), "b")                            // want `Insert may wait`
	m.Remove(ctx, rangelock.Span(2, 3))                                 // want `Remove may wait`
	m.Retire(ctx, rangelock.Span(2, 3))                                 // want `Retire may wait`
	m.Swap(ctx, rangelock.Span(2, 3), "c")                              // want `Swap may wait`
	m.Do(ctx, func(rangelock.Writer[int, string]) error { return nil }) // want `Do may wait`
	if w, err := m.LockContext(context.Background()); err == nil {      // want `LockContext may wait`
		w.Unlock()
	}
	if g, err := m.AcquireContext(context.WithoutCancel(ctx), 2); err == nil { // want `AcquireContext may wait`
		g.Release()
	}
	if g, ok := m.AcquireExclusive(3); ok { // want `AcquireExclusive may wait`
		g.Release()
	}
	for g := range m.Guards(rangelock.Span(4, 9)) { // want `Guards may wait`
		println(g.Value())
	}
	return nil
}

func handOverHand(m *ranges) {
	g, ok := m.AcquireNext(0)
	for ok {
		next, more := m.AcquireNext(g.Range().Hi) // want `AcquireNext may wait for a writer`
		g.Release()
		g, ok = next, more
	}
}

func deferredInLoop(m *ranges, keys []int) (n int) {
	for _, key := range keys {
		g, ok := m.Acquire(key) // want `Acquire may wait for a writer that waits for the guard held since line 90`
		if !ok {
			return -1
		}
		defer g.Release()
		n += len(g.Value())
	}
	return n
}

func loads(ctx context.Context, m *ranges, load func(context.Context, int) (rangelock.Range[int], string, error)) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	defer g.Release()
	if h, err := m.AcquireOrLoad(ctx, 2, load); err == nil { // want `AcquireOrLoad may wait`
		h.Release()
	}
}

func forAll(ctx context.Context, m *ranges) error {
	g, ok := m.Acquire(1)
	if !ok {
		return nil
	}
	defer g.Release()
	if err := m.Drain(ctx); err != nil { // want `Drain may wait for the guard that its own caller has held since line 112`
		return err
	}
	return m.Close(ctx) // want `Close may wait for the guard that its own caller has held since line 112`
}

func own(m *ranges) error {
	w := m.Lock()
	defer w.Unlock()
	g, err := m.TryAcquire(1)
	if err != nil {
		return err
	}
	defer g.Release()
	_, err = w.Remove(g.Range()) // want `Remove of the range of a guard that is held waits for itself`
	return err
}

func ownTooEarly(ctx context.Context, m *ranges) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	m.Remove(ctx, g.Range()) // want `Remove of the range of a guard that is held waits for itself`
	g.Release()
}

func clone(m *ranges, g rangelock.Guard[int, string]) {
	h, ok := m.Acquire(1)
	if !ok {
		return
	}
	c := h.Clone()
	h.Release()
	defer c.Release()
	m.Get(2) // want `Get may wait for a writer that waits for the guard held since line 151`
}

func byDefault(addr uintptr) {
	g, ok := rangelock.Acquire(addr)
	if !ok {
		return
	}
	defer g.Release()
	w := rangelock.Default().Lock() // want `Lock may wait`
	w.Unlock()
}

func allocator(ctx context.Context, a *rangealloc.Allocator[int, string]) {
	g, ok := a.Map().Acquire(1)
	if !ok {
		return
	}
	defer g.Release()
	a.Map().Get(2)          // want `Get may wait`
	a.Alloc(ctx, 1, 1, "b") // want `Alloc may wait`
	a.Free(ctx, 20)         // want `Free may wait`
}

// index keeps a map to itself, but waits for guards elsewhere, in remove.
type index struct{ m *rangelock.Map[string, int] }

func newIndex() *index { return &index{m: rangelock.New[string, int](nil)} }

func (x *index) copyOf(key string) {
	g, ok := x.m.Acquire(key)
	if !ok {
		return
	}
	defer g.Release()
	w := x.m.Lock() // want `Lock may wait`
	w.Unlock()
}

func (x *index) remove(key string) error {
	w := x.m.Lock()
	defer w.Unlock()
	_, err := w.Remove(rangelock.Prefix(key))
	return err
}

func inView(ctx context.Context, m *ranges) {
	m.View(1, func(r rangelock.Range[int], _ string) {
		m.Remove(ctx, r) // want `Remove may wait for a writer that waits for the guard held since line \d+`
	})
}

func inBody(s *store) {
	for g := range s.a.Guards(rangelock.Span(0, 10)) {
		w := s.a.Lock() // want `Lock may wait`
		w.Unlock()
		kept := g.Take()
		s.a.Get(1) // want `Get may wait`
		kept.Release()
		s.a.Get(2)
	}
}
