package main

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

// mapEpisode plays one episode at a new map and has its histories judged.
func mapEpisode(rng *rand.Rand, t *tally, html string) error {
	r := newRound(rng)
	goroutines := 3 + rng.IntN(2)
	ops := len(r.hoods) * 60 / goroutines
	writes := 1 + rng.IntN(5) // of 10
	workers := make([]*worker, goroutines)
	together(goroutines, func(n int) {
		w := workers[n]
		for range ops {
			if w.rng.IntN(10) < writes {
				w.write()
			} else {
				w.read()
			}
			pause()
		}
	}, func(n int) {
		workers[n] = &worker{round: r, n: n, rng: rand.New(rand.NewPCG(rng.Uint64(), uint64(n))), hist: make([]history, len(r.hoods))}
	})
	r.end()
	if s := r.bad.Load(); s != nil {
		return errors.New(*s)
	}
	for i, h := range r.hoods {
		for _, w := range workers {
			h.history = append(h.history, w.hist[i]...)
		}
		for _, op := range h.history {
			t.countMap(op.Input)
		}
		if err := t.judge(mapModel(h.init), h.history, html); err != nil {
			return err
		}
	}
	return nil
}

// together runs f on goroutines that begin at the same time, after prepare for each, and
// waits for them.
func together(goroutines int, f, prepare func(n int)) {
	var ready atomic.Int32
	var wg sync.WaitGroup
	for n := range goroutines {
		prepare(n)
		wg.Go(func() {
			for ready.Add(1); int(ready.Load()) < goroutines; {
				runtime.Gosched()
			}
			f(n)
		})
	}
	wg.Wait()
}

// countMap counts one operation at a map; for a transaction also each operation in it.
func (t *tally) countMap(op any) {
	switch op := op.(type) {
	case *read:
		switch {
		case op.claim == nothing:
			t.count(op.kind, "busy")
		case op.found.id != 0 || op.claim == all:
			t.count(op.kind, "")
		default:
			t.count(op.kind, "none")
		}
	case *transaction:
		t.count("transaction", "")
		for i := range op.acts {
			if o := op.acts[i].outcome; o == done {
				t.count(op.acts[i].kind, "")
			} else {
				t.count(op.acts[i].kind, o.String())
			}
		}
	}
}
