package clean

import (
	"context"

	"github.com/spanlock/spanlock/rangelock"
)

type file struct{ data []byte }

func (f *file) unmap()       { f.data = nil }
func (f *file) count(n *int) { *n++ }

// plain has no OnRetire.
type plain struct{ m *rangelock.Map[int, *file] }

func newPlain() *plain { return &plain{rangelock.New[int, *file](nil)} }

func (p *plain) get(key int) *file {
	f, _ := p.m.Get(key)
	return f
}

// counted has an OnRetire that does not use the value.
type counted struct {
	m       *rangelock.Map[int, *file]
	retired int
}

func newCounted() *counted {
	c := &counted{}
	c.m = rangelock.New(&rangelock.Options[int, *file]{
		OnRetire: func(rangelock.Range[int], *file) { c.retired++ },
	})
	return c
}

func (c *counted) get(key int) *file {
	f, _ := c.m.Get(key)
	return f
}

// foreign is made elsewhere.
type foreign struct{ M *rangelock.Map[int, *file] }

func (f foreign) get(key int) *file {
	v, _ := f.M.Get(key)
	return v
}

// either is made in two ways, and the check cannot see in which.
type either struct{ m *rangelock.Map[int, *file] }

func newEither(frees bool) *either {
	if frees {
		return &either{rangelock.New(&rangelock.Options[int, *file]{OnRetire: func(_ rangelock.Range[int], f *file) { f.unmap() }})}
	}
	return &either{rangelock.New[int, *file](nil)}
}

func (e *either) get(key int) *file {
	f, _ := e.m.Get(key)
	return f
}

// freed has an OnRetire that frees.
type freed struct{ m *rangelock.Map[int, *file] }

func newFreed() *freed {
	return &freed{rangelock.New(&rangelock.Options[int, *file]{OnRetire: func(_ rangelock.Range[int], f *file) { f.unmap() }})}
}

func (x *freed) has(key int) bool {
	_, ok := x.m.Get(key)
	return ok
}

func (x *freed) is(key int, f *file) bool {
	v, ok := x.m.Get(key)
	return ok && v == f && v != nil
}

func (x *freed) bounds(key int) rangelock.Range[int] {
	r, _, _ := x.m.GetRange(key)
	for q := range x.m.All() {
		r = q
	}
	return r
}

func (x *freed) underGuard(key int) (n int) {
	g, ok := x.m.Acquire(key)
	if ok {
		n = len(g.Value().data)
		g.Release()
	}
	x.m.View(key, func(_ rangelock.Range[int], f *file) { n += len(f.data) })
	return n
}

func (x *freed) inTransaction() (n int) {
	w := x.m.Lock()
	defer w.Unlock()
	for _, f := range w.Overlapping(rangelock.Span(0, 10)) {
		f.count(&n)
	}
	if _, f, ok := w.Find(1); ok {
		n += len(f.data)
	}
	return n
}

func (x *freed) close(ctx context.Context) (n int, err error) {
	for _, f := range x.m.All() {
		f.count(&n)
	}
	return n, x.m.Close(ctx)
}

// The fields of a struct value are copies.
type entry struct {
	size int
	data []byte
}

type entries struct{ m *rangelock.Map[int, entry] }

func newEntries() *entries {
	return &entries{rangelock.New(&rangelock.Options[int, entry]{OnRetire: func(_ rangelock.Range[int], e entry) { clear(e.data) }})}
}

func (x *entries) size(key int) int {
	e, _ := x.m.Get(key)
	return e.size + len(e.data)
}
