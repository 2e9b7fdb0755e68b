package main

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// A mapWriter does transactions of every kind.
type mapWriter struct {
	*mapPart
}

// span chooses where to work, often at the hot keys.
func (p *mapWriter) span(w *worker) keys {
	lo := key(w.rng.Uint64())
	return rangelock.Span(lo, min(lo+1+int32(w.rng.IntN(wide)), keyCount))
}

// batch does a transaction and then pauses a little, so that there is something to read.
func (p *mapWriter) batch(w *worker) int {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if w.rng.IntN(2) == 0 {
		ctx, cancel = soon(w)
	}
	defer cancel()
	start := time.Now()
	if stormy(start) {
		return p.storm(w)
	}
	var n int
	switch w.rng.IntN(8) {
	case 0:
		n = p.single(ctx, w)
	case 1:
		if w.rng.IntN(2) == 0 {
			p.took(ctx, p.m.Drain(ctx))
		} else {
			p.drainRange(ctx, w)
		}
	default:
		n = p.transaction(ctx, w)
	}
	w.waited(start)
	switch w.rng.IntN(8) {
	case 0:
		time.Sleep(time.Duration(w.rng.IntN(1000)) * time.Microsecond)
	case 1, 2:
		runtime.Gosched()
	default:
		time.Sleep(50 * time.Microsecond)
	}
	return n + 1
}

// drainRange takes some ranges out and waits until they are unmapped.
func (p *mapWriter) drainRange(ctx context.Context, w *worker) {
	r := p.span(w)
	tx := p.m.Lock()
	gone, err := tx.Evict(r)
	tx.Unlock()
	p.took(ctx, err)
	err = p.m.DrainRange(ctx, r)
	p.took(ctx, err)
	for x, o := range gone {
		if err == nil && !o.dead.Load() {
			p.b.wrong("DrainRange of %v has returned, and page %d of %v is still mapped", r, o.id, x)
		}
	}
}

// storm swaps and retires ranges at the crowd's keys, again and again.
func (p *mapWriter) storm(w *worker) int {
	ctx := context.Background()
	for i := range 64 {
		lo := int32(w.rng.IntN(crowdKeys))
		r := rangelock.Span(lo, lo+1)
		tx := p.m.Lock()
		if i == 0 { // later the range has these bounds already, unless another writer has changed it
			p.took(ctx, tx.Split(lo))
			p.took(ctx, tx.Split(lo+1))
		}
		if w.rng.IntN(4) == 0 {
			_, err := tx.Retire(r)
			p.took(ctx, err)
		}
		p.put(ctx, func(o *object) error { return tx.Swap(r, o) })
		tx.Unlock()
		if i%8 == 0 {
			runtime.Gosched()
		}
	}
	if n := int64(p.m.Stats().Announced); n > p.shown.Load() {
		p.shown.Store(n)
	}
	return 64
}

// took checks the error of an operation, and reports whether the operation was done.
func (p *mapWriter) took(ctx context.Context, err error) bool {
	switch {
	case err == nil:
		return true
	case errors.Is(err, rangelock.ErrOverlap), errors.Is(err, rangelock.ErrPartial), errors.Is(err, rangelock.ErrNotFound):
	case errors.Is(err, rangelock.ErrBacklog):
		p.full.Add(1)
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		p.ended.Add(1)
	default:
		p.b.wrong("a writer's operation: %v", err)
	}
	return false
}

// put does an operation with a new object, and drops the object if the operation fails.
func (p *mapWriter) put(ctx context.Context, f func(o *object) error) {
	o := p.make()
	if !p.took(ctx, f(o)) {
		p.lose(o, "never attached", &p.unused)
	}
}

// single does a one-operation transaction.
func (p *mapWriter) single(ctx context.Context, w *worker) int {
	r := p.span(w)
	switch w.rng.IntN(4) {
	case 0:
		p.put(ctx, func(o *object) error { return p.m.Insert(ctx, r, o) })
	case 1:
		p.put(ctx, func(o *object) error { return p.m.Swap(ctx, r, o) })
	case 2:
		_, err := p.m.Retire(ctx, r)
		p.took(ctx, err)
	case 3:
		_, err := p.m.Remove(ctx, r)
		p.took(ctx, err)
	}
	return 1
}

// transaction does some operations together.
func (p *mapWriter) transaction(ctx context.Context, w *worker) int {
	tx, err := p.m.LockContext(ctx)
	if err != nil {
		p.took(ctx, err)
		return 0
	}
	if n := p.inside.Add(1); n != 1 {
		p.b.wrong("overlap: %d writers in a transaction", n)
	}
	n := 1 + w.rng.IntN(4)
	for range n {
		p.act(ctx, tx, w)
	}
	p.inside.Add(-1)
	if w.rng.IntN(8) == 0 {
		tx.Downgrade().Unlock()
	} else {
		tx.Unlock()
	}
	return n
}

// act does one operation.
func (p *mapWriter) act(ctx context.Context, tx rangelock.Writer[int32, *object], w *worker) {
	r := p.span(w)
	switch w.rng.IntN(18) {
	case 14, 15:
		p.put(ctx, func(o *object) error { return tx.Put(r, o) })
	case 16:
		_, err := tx.Evict(rangelock.Span(r.Lo, r.Lo+1))
		p.took(ctx, err)
	case 17:
		_, o, err := tx.Extract(r.Lo)
		if p.took(ctx, err) {
			p.own(o, "Extract")
			p.lose(o, "extracted", &p.taken)
		}
	case 0, 1:
		p.put(ctx, func(o *object) error { return tx.Insert(r, o) })
	case 2, 3:
		p.put(ctx, func(o *object) error { return tx.Swap(r, o) })
	case 4:
		p.put(ctx, func(o *object) error { return tx.Replace(r, o) })
	case 5:
		p.put(ctx, func(o *object) error { return tx.Update(r.Lo, o) })
	case 6:
		_, err := tx.Retire(r)
		p.took(ctx, err)
	case 7:
		_, err := tx.Remove(r)
		p.took(ctx, err)
	case 8:
		p.took(ctx, tx.Split(r.Lo))
	case 9:
		_, left, _ := tx.Find(r.Lo - 1)
		_, right, _ := tx.Find(r.Lo)
		if p.took(ctx, tx.Merge(r.Lo)) {
			if left == right {
				p.b.wrong("Merge(%d) of one range", r.Lo)
			}
			p.lose(right, "merged away", &p.merged)
		}
	case 10:
		p.took(ctx, tx.Resize(r.Lo, p.span(w)))
	case 11:
		if w.rng.IntN(2) == 0 && tx.TryExclude(r) || p.took(ctx, tx.Exclude(r)) {
			for _, o := range tx.Overlapping(r) {
				p.own(o, "Exclude")
			}
		}
	case 12:
		p.load(ctx, tx, r)
	case 13:
		if w.rng.IntN(512) == 0 {
			_, err := tx.Clear()
			p.took(ctx, err)
		}
	}
}

// load puts a range on every gap of a part of the map. Retire and Clear leave gaps.
func (p *mapWriter) load(ctx context.Context, tx rangelock.Writer[int32, *object], r keys) {
	lo := r.Lo &^ 63
	var made []*object
	n, err := tx.Load(func(yield func(keys, *object) bool) {
		for ; lo < r.Lo|63; lo += 4 {
			at := rangelock.Span(lo, lo+4)
			for range tx.Overlapping(at) {
				at.Hi = at.Lo
			}
			if at.Lo < at.Hi {
				o := p.make()
				made = append(made, o)
				if !yield(at, o) {
					return
				}
			}
		}
	})
	p.took(ctx, err)
	for _, o := range made[n:] {
		p.lose(o, "never attached", &p.unused)
	}
}
