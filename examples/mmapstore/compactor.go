package main

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
)

// A compactor maps files anew, one after the other without pause, and replaces the old mappings
// by the new ones. It is the store's only writer.
//
// Its fields belong to its goroutine while a slice runs. Other goroutines read them between
// slices.
type compactor struct {
	side   *side
	rng    *rand.Rand
	wait   histogram // from asking for the lock to the new mapping in place
	remaps uint64    // files mapped anew
}

// batch is the number of files of a transaction that swaps several.
const batch = 8

// run remaps until over is set. It finishes the current step.
func (c *compactor) run(ctx context.Context, over *atomic.Bool) error {
	for !over.Load() {
		runtime.Gosched() // see turn
		var err error
		switch c.rng.IntN(16) {
		case 0:
			err = c.cycle(ctx)
		case 1:
			err = c.remap(ctx, 1, func(fresh []*mapping) error { return c.side.store.reinsert(ctx, fresh[0]) })
		case 2:
			err = c.remap(ctx, batch, func(fresh []*mapping) error { return c.side.store.swap(ctx, fresh...) })
		default:
			err = c.remap(ctx, 1, func(fresh []*mapping) error { return c.side.store.swap(ctx, fresh...) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remap maps n files anew, and calls put with the mappings. The same file may be among them
// twice.
func (c *compactor) remap(ctx context.Context, n int, put func([]*mapping) error) error {
	fresh := make([]*mapping, n)
	for i := range fresh {
		m, err := c.side.ledger.open(c.pick())
		if err != nil {
			return err
		}
		fresh[i] = m
	}
	return c.timed(n, func() error { return put(fresh) })
}

// cycle retires a file's range, maps the file anew, and inserts its range again. Readers may find
// the range absent only in between.
func (c *compactor) cycle(ctx context.Context) error {
	f := c.pick()
	gap := &c.side.gaps[f.index]
	gap.Store(math.MaxInt64)
	if err := c.timed(0, func() error { return c.side.store.retire(ctx, f) }); err != nil {
		return err
	}
	m, err := c.side.ledger.open(f)
	if err != nil {
		return err
	}
	err = c.timed(1, func() error { return c.side.store.insert(ctx, m) })
	gap.Store(int64(now()))
	return err
}

func (c *compactor) timed(remaps int, do func() error) error {
	began := now()
	err := do()
	c.wait.record(now() - began)
	if err == nil {
		c.remaps += uint64(remaps)
	}
	return err
}

// pick chooses a random file. One time in eight it chooses a file that a slow reader keeps, which
// is the hardest case.
func (c *compactor) pick() *file {
	if c.rng.IntN(8) == 0 {
		if f := c.side.readers[c.rng.IntN(c.side.slow)].holding.Load(); f != nil {
			return f
		}
	}
	return c.side.corpus.files[c.rng.IntN(len(c.side.corpus.files))]
}
