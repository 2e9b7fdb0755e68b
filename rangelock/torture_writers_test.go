package rangelock_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// This file has the writers of TestTorture. They line up every operation with the readers of
// torture_readers_test.go and with each other: transactions of several operations, one-operation
// transactions, transactions that are downgraded, waits that a context ends.

// write runs n transactions, each of a random kind.
func (e *torture) write(rng *rand.Rand, n int) {
	for range n {
		switch rng.IntN(10) {
		case 0:
			e.oneOp(rng)
		case 1, 2: // a context may end its waits early
			ctx, stop := context.WithTimeout(context.Background(), time.Duration(rng.IntN(200))*time.Microsecond)
			if w, err := e.m.LockContext(ctx); err == nil {
				e.transaction(rng, w)
			}
			stop()
		case 3:
			if w, ok := e.m.TryLock(); ok {
				e.transaction(rng, w)
			}
		default:
			e.transaction(rng, e.m.Lock())
		}
	}
}

func (e *torture) transaction(rng *rand.Rand, w rangelock.Writer[int, *cell]) {
	for range 1 + rng.IntN(5) {
		e.operate(rng, w)
	}
	if rng.IntN(4) > 0 {
		w.Unlock()
		return
	}
	r := w.Downgrade()
	for range 4 {
		if g, ok := r.Acquire(rng.IntN(tortureKeys)); ok {
			e.check(g)
			g.Release()
		}
	}
	r.Unlock()
}

// bear makes a value for r and adds it to born if attach succeeds.
func (e *torture) bear(r rangelock.Range[int], attach func(c *cell) error) error {
	c := &cell{id: int(e.ids.Add(1)), r: r}
	err := attach(c)
	if err == nil {
		e.mu.Lock()
		e.born = append(e.born, c)
		e.mu.Unlock()
	}
	return err
}

func (e *torture) randomRange(rng *rand.Rand) rangelock.Range[int] {
	lo := rng.IntN(tortureKeys)
	return rangelock.Span(lo, lo+1+rng.IntN(8))
}

// widen returns r extended until it cuts no attached range.
func (e *torture) widen(w rangelock.Writer[int, *cell], r rangelock.Range[int]) rangelock.Range[int] {
	wide := r
	for o := range w.Overlapping(r) {
		wide.Lo, wide.Hi = min(wide.Lo, o.Lo), max(wide.Hi, o.Hi)
	}
	return wide
}

func (e *torture) operate(rng *rand.Rand, w rangelock.Writer[int, *cell]) {
	r := e.randomRange(rng)
	var err error
	switch rng.IntN(13) {
	case 0, 1, 2, 3:
		err = e.bear(r, func(c *cell) error { return w.Insert(r, c) })
	case 4:
		_, err = w.Remove(e.widen(w, r))
	case 5:
		_, err = w.Retire(e.widen(w, r))
	case 6:
		r = e.widen(w, r)
		err = e.bear(r, func(c *cell) error { return w.Swap(r, c) })
	case 7:
		if o, _, ok := w.Find(r.Lo); ok {
			err = e.bear(o, func(c *cell) error { return w.Update(r.Lo, c) })
		}
	case 8, 9:
		if err = w.Exclude(r); err == nil {
			e.change(w, r)
		}
	case 10:
		if w.TryExclude(r) {
			e.change(w, r)
		}
	case 11:
		if rng.IntN(6) == 0 {
			_, err = w.Clear()
		}
	case 12:
		if _, _, ok := w.Find(r.Lo); ok {
			err = e.extract(w, r.Lo)
		}
	}
	if err != nil && !errors.Is(err, rangelock.ErrOverlap) && !errors.Is(err, context.DeadlineExceeded) {
		e.t.Errorf("operation on %v: %v", r, err)
	}
}

// extract extracts the range at key and writes to its value without synchronization: no other
// goroutine has the value.
func (e *torture) extract(w rangelock.Writer[int, *cell], key int) error {
	r, c, err := w.Extract(key)
	if err != nil {
		return err
	}
	c.poisoned = true
	c.a, c.b = -1, -1
	if n := c.retired.Add(1); n != 1 || r != c.r {
		e.t.Errorf("Extract returns %v and value %d of %v, which has left %d times", r, c.id, c.r, n)
	}
	return nil
}

// change writes without synchronization to the values of ranges that are excluded.
func (e *torture) change(w rangelock.Writer[int, *cell], r rangelock.Range[int]) {
	for _, c := range w.Overlapping(r) {
		c.a++
		runtime.Gosched()
		c.b = -c.a
	}
}

func (e *torture) oneOp(rng *rand.Rand) {
	ctx, stop := context.WithTimeout(context.Background(), 100*time.Microsecond)
	defer stop()
	r := e.randomRange(rng)
	switch rng.IntN(4) {
	case 0:
		e.bear(r, func(c *cell) error { return e.m.Insert(ctx, r, c) })
	case 1:
		e.m.Remove(ctx, r)
	case 2:
		e.m.Retire(ctx, r)
	case 3:
		e.bear(r, func(c *cell) error { return e.m.Swap(ctx, r, c) })
	}
}
