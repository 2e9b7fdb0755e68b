package rangelock_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// This file has the readers of TestTorture. They line up every way to read with the writers of
// torture_writers_test.go: guards that are held for a short and a long time, released by another
// goroutine, or taken beside others; waits that a context ends; walks over all ranges.

// read reads n times, each time in a random way.
func (e *torture) read(rng *rand.Rand, n int) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for range n {
		key := rng.IntN(tortureKeys)
		var g rangelock.Guard[int, *cell]
		var ok bool
		switch rng.IntN(12) {
		case 0, 1, 2:
			g, ok = e.m.Acquire(key)
		case 3, 4:
			var err error
			g, err = e.m.TryAcquire(key)
			if ok = err == nil; !ok && err != rangelock.ErrNotFound && err != rangelock.ErrBusy {
				e.t.Errorf("TryAcquire(%d): %v", key, err)
			}
		case 5:
			var err error
			g, err = e.m.AcquireContext(ended, key)
			if ok = err == nil; !ok && err != rangelock.ErrNotFound && !errors.Is(err, context.Canceled) {
				e.t.Errorf("AcquireContext(%d): %v", key, err)
			}
		case 6:
			ctx, stop := context.WithTimeout(context.Background(), time.Duration(rng.IntN(50))*time.Microsecond)
			var err error
			g, err = e.m.AcquireContext(ctx, key)
			ok = err == nil
			stop()
		case 7:
			if c, ok := e.m.Get(key); ok && !covers(c.r, key) {
				e.t.Errorf("Get(%d) is the value of %v", key, c.r)
			}
		case 8:
			e.m.View(key, func(r rangelock.Range[int], c *cell) {
				if r != c.r || !covers(r, key) || c.poisoned || c.a != -c.b {
					e.t.Errorf("View(%d): %v, value of %v, poisoned %t", key, r, c.r, c.poisoned)
				}
			})
		case 9:
			last := -1
			for r, c := range e.m.All() {
				if r != c.r || r.Hi <= last {
					e.t.Errorf("All: %v, value of %v, after one that ends at %d", r, c.r, last)
				}
				last = r.Hi
			}
		case 10:
			r := e.m.RLock()
			if _, c, found := r.Find(key); found && !covers(c.r, key) {
				e.t.Errorf("Reader.Find(%d) is the value of %v", key, c.r)
			}
			g, ok = r.Acquire(key)
			r.Unlock()
		case 11:
			runtime.Gosched()
		}
		if ok {
			e.use(rng, key, g)
		}
	}
}

// use checks a guard, holds it for a while, and releases it or has another goroutine release it.
func (e *torture) use(rng *rand.Rand, key int, g rangelock.Guard[int, *cell]) {
	if !covers(g.Range(), key) {
		e.t.Errorf("guard for key %d on %v", key, g.Range())
	}
	e.check(g)
	switch rng.IntN(8) {
	case 0: // take more guards, without waiting
		for range rng.IntN(4) {
			if g2, err := e.m.TryAcquire(rng.IntN(tortureKeys)); err == nil {
				e.check(g2)
				g2.Release()
			}
		}
	case 1: // hold it for a long time
		for range rng.IntN(30) {
			runtime.Gosched()
		}
		e.check(g)
	case 2: // let another goroutine release it
		select {
		case e.loose <- g:
			return
		default:
		}
	}
	g.Release()
}

func covers(r rangelock.Range[int], key int) bool {
	return r.Lo <= key && (r.Unbounded || key < r.Hi)
}
