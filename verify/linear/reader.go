package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"

	"github.com/spanlock/spanlock/rangelock"
)

// A worker is one goroutine of an episode at a map.
type worker struct {
	*round
	n    int // its number
	rng  *rand.Rand
	hist []history // of each neighbourhood
}

// mayEnd returns a context that in one case of three ends some time soon.
func mayEnd(rng *rand.Rand) (context.Context, context.CancelFunc) {
	if rng.IntN(3) > 0 {
		return context.Background(), func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	waits := rng.IntN(4)
	go func() {
		for range waits {
			runtime.Gosched()
		}
		cancel()
	}()
	return ctx, cancel
}

// read does one operation of a reader.
func (w *worker) read() {
	i := w.rng.IntN(len(w.hoods))
	h := w.hoods[i]
	op := &read{claim: one, cell: w.rng.IntN(cells)}
	key := h.base + int32(op.cell)
	var g guard
	var err error
	weight := int32(1)
	ctx, cancel := mayEnd(w.rng)
	defer cancel()

	call := w.clock.now()
	switch w.rng.IntN(12) {
	case 0, 1:
		op.kind = "Acquire"
		g, _ = w.m.Acquire(key)
	case 2, 3:
		op.kind = "TryAcquire"
		g, err = w.m.TryAcquire(key)
	case 4:
		op.kind = "AcquireContext"
		g, err = w.m.AcquireContext(ctx, key)
	case 5:
		op.kind, op.claim = "Get", value
		if it, ok := w.m.Get(key); ok {
			op.found.id = h.see(keys{}, it).id //spanlockvet:ignore an item is the collector's, and see reads its id
		}
	case 6:
		op.kind, op.claim, op.end = "AcquireNext", next, cells
		g, _ = w.m.AcquireNext(key)
	case 7:
		op.kind = "View"
		w.m.View(key, func(r keys, it *item) { op.found = h.see(r, it) })
	case 8:
		op.kind = "TryAcquireExclusive"
		g, err = w.m.TryAcquireExclusive(key)
		weight = alone
	case 9:
		op.kind = "AcquireExclusiveContext"
		g, err = w.m.AcquireExclusiveContext(ctx, key)
		weight = alone
	case 10:
		w.walk(i, ctx)
		return
	case 11:
		w.snapshot(i, ctx)
		return
	}
	switch {
	case errors.Is(err, rangelock.ErrBusy), err != nil && errors.Is(err, ctx.Err()):
		op.claim = nothing
	case err != nil && !errors.Is(err, rangelock.ErrNotFound):
		w.wrong("%s: %v", op.kind, err)
	}
	held := g != guard{}
	if held {
		op.found = h.see(g.Range(), g.Value())
	}
	w.hist[i].add(w.n, call, w.clock.now(), op)
	if !held {
		return
	}
	if weight == 1 && w.rng.IntN(4) == 0 {
		c := g.Clone()
		g.Release()
		g = c
	}
	w.hold(h, &g, op.found, weight)
}

// walk goes through the guards on some ranges. Each step is an operation of its own, because
// it says what comes next at one instant. The walk as a whole does not show one instant.
func (w *worker) walk(i int, ctx context.Context) {
	h := w.hoods[i]
	from := w.rng.IntN(cells)
	end := from + 1 + w.rng.IntN(cells-from)
	step := &read{kind: "Guards", claim: next, cell: from, end: end}
	call := w.clock.now()
	for g, err := range w.m.GuardsContext(ctx, h.span(from, end)) {
		if err != nil {
			if !errors.Is(err, ctx.Err()) {
				w.wrong("Guards: %v", err)
			}
			return
		}
		step.found = h.see(g.Range(), g.Value())
		w.hist[i].add(w.n, call, w.clock.now(), step)
		hi := step.found.hi
		w.hold(h, g, step.found, 1)
		if step = (&read{kind: "Guards", claim: next, cell: hi, end: end}); hi >= end {
			break
		}
		call = w.clock.now()
	}
	if step.cell < end {
		w.hist[i].add(w.n, call, w.clock.now(), step)
	}
}

// snapshot reads a whole neighbourhood with a Reader.
func (w *worker) snapshot(i int, ctx context.Context) {
	call := w.clock.now()
	r, err := w.m.RLockContext(ctx)
	if err != nil {
		if !errors.Is(err, ctx.Err()) {
			w.wrong("RLockContext: %v", err)
		}
		return
	}
	defer r.Unlock()
	w.look(i, r, call, "Reader.Overlapping")
	op := &read{kind: "Reader.Find", claim: one, cell: w.rng.IntN(cells)}
	h := w.hoods[i]
	call = w.clock.now()
	if s, it, ok := r.Find(h.base + int32(op.cell)); ok {
		op.found = h.see(s, it)
	}
	w.hist[i].add(w.n, call, w.clock.now(), op)
}

// look records what r shows of a neighbourhood.
func (w *worker) look(i int, r rangelock.Reader[int32, *item], call int64, name string) {
	op := &read{kind: name, claim: all}
	for s, it := range r.Overlapping(w.hoods[i].span(0, cells)) {
		op.all = append(op.all, w.hoods[i].see(s, it))
		pause()
	}
	w.hist[i].add(w.n, call, w.clock.now(), op)
}
