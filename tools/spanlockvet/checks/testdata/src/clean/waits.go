package clean

import (
	"context"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

func afterRelease(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	g.Release()
	w := m.Lock()
	w.Unlock()
}

func onMiss(ctx context.Context, m *ranges) error {
	g, ok := m.Acquire(1)
	if !ok {
		return m.Insert(ctx, rangelock.Span(0, 10), nil)
	}
	defer g.Release()
	return nil
}

func tryForms(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	defer g.Release()
	if h, err := m.TryAcquire(2); err == nil {
		h.Release()
	}
	if h, err := m.TryAcquireExclusive(3); err == nil {
		h.Release()
	}
	if w, ok := m.TryLock(); ok {
		w.Unlock()
	}
	for r := range m.All() {
		println(r.Lo, m.Len())
	}
}

func boundedContext(ctx context.Context, m *ranges) error {
	g, ok := m.Acquire(1)
	if !ok {
		return nil
	}
	defer g.Release()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	w, err := m.LockContext(ctx)
	if err != nil {
		return err
	}
	w.Unlock()
	return nil
}

type two struct{ a, b *ranges }

func otherMap(t *two) {
	g, ok := t.a.Acquire(1)
	if !ok {
		return
	}
	defer g.Release()
	w := t.b.Lock()
	w.Unlock()
}

func eachOfMany(maps []*ranges) (n int) {
	var all []guard
	for _, m := range maps {
		if g, ok := m.Acquire(1); ok {
			all = append(all, g)
		}
	}
	for i, m := range maps {
		g, ok := m.Acquire(i)
		if !ok {
			continue
		}
		n += len(g.Value())
		g.Release()
	}
	releaseAll(all)
	return n
}

// One guard of each map, held on to the end.
func lockStep(maps []*ranges) (n int) {
	for _, m := range maps {
		g, ok := m.Acquire(1)
		if !ok {
			continue
		}
		defer g.Release()
		n += len(g.Value())
	}
	return n
}

func exchanged(t *two, fresh *ranges) {
	g, ok := t.a.Acquire(1)
	if !ok {
		return
	}
	defer g.Release()
	t.a = fresh
	t.a.Get(1)
}

func withReader(m *ranges) {
	r := m.RLock()
	defer r.Unlock()
	g, ok := r.Acquire(1)
	if !ok {
		return
	}
	defer g.Release()
	if b, ok := m.Get(2); ok {
		println(len(b))
	}
	if h, ok := r.Acquire(3); ok {
		h.Release()
	}
}

// In another goroutine, a goroutine without the guard waits.
func elsewhere(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	done := make(chan bool)
	go func() {
		w := m.Lock()
		w.Unlock()
		close(done)
	}()
	g.Release()
	<-done
}

// pages retires, so no writer waits for its guards.
type pages struct {
	m *rangelock.Map[uint64, string]
}

func newPages() *pages { return &pages{m: rangelock.New[uint64, string](nil)} }

func (c *pages) refresh(ctx context.Context, key uint64) error {
	g, ok := c.m.Acquire(key)
	if !ok {
		return nil
	}
	defer g.Release()
	return c.m.Swap(ctx, g.Range(), g.Value()+" again")
}

func local(ctx context.Context) {
	m := rangelock.New[uint8, string](nil)
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	if _, err := m.Retire(ctx, g.Range()); err != nil {
		println(err)
	}
	g.Release()
}

func inBody(t *two) {
	for g := range t.a.Guards(rangelock.Span(0, 10)) {
		if b, ok := t.b.Get(g.Range().Lo); ok {
			println(len(b))
		}
		g.Release()
		t.a.Get(1)
	}
	t.a.View(1, func(r rangelock.Range[int], _ []byte) {
		if h, err := t.a.TryAcquire(r.Lo - 1); err == nil {
			h.Release()
		}
		t.b.Get(2)
	})
}
