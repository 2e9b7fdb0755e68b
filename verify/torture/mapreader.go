package main

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// A mapReader is what one reader of the map holds. While it holds guards it must not wait,
// because a writer may be waiting for it.
type mapReader struct {
	part  *mapPart
	guard guard     // the guard of the current batch
	held  []guard   // guards held for long
	until time.Time // when those are released
}

const batchSize = 256

func (r *mapReader) start(b *bench) {
	b.add(reader, r.batch)
	b.workers[len(b.workers)-1].clean = r.clean
}

// clean releases all guards.
func (r *mapReader) clean() {
	if r.guard != (guard{}) {
		r.release()
	}
	r.letGo()
}

// release releases the batch's guard. Afterwards the guard also compares equal to the zero
// guard.
func (r *mapReader) release() {
	g := r.guard
	r.guard = guard{}
	g.Release()
}

// batch does some reads of one kind.
func (r *mapReader) batch(w *worker) int {
	if len(r.held) > 0 && time.Now().After(r.until) {
		r.letGo()
	}
	start := time.Now()
	defer func() { w.waited(start) }()
	if len(r.held) > 0 {
		n := r.try(w)
		if w.rng.IntN(4) == 0 {
			time.Sleep(100 * time.Microsecond) // a slow reader is not a busy one
		}
		return n
	}
	if crowded(start) {
		return r.crowd(w)
	}
	switch n := w.rng.IntN(4096); {
	case n < 2800:
		return r.acquire(w)
	case n < 3980:
		return r.try(w)
	case n < 4020:
		return r.get(w)
	case n < 4040:
		return r.within(w)
	case n < 4060:
		return r.walk(w)
	case n < 4080:
		return r.alone(w)
	case n < 4088:
		return r.snapshot(w)
	}
	return r.hold(w)
}

// key chooses a key; it often chooses one of a few.
func key(n uint64) int32 {
	if n>>60 < 4 {
		return int32(n % 8)
	}
	return int32(n % keyCount)
}

// acquire is the plain case, and has to be quick: it checks a word or two of each page.
func (r *mapReader) acquire(w *worker) int {
	m := r.part.m
	for i := range batchSize {
		n := w.rng.Uint64()
		k := key(n)
		var ok bool
		if r.guard, ok = m.Acquire(k); ok {
			r.look(k, n, i)
			r.release()
		}
	}
	return batchSize
}

// crowd is acquire by all readers on one range, which makes it an announced one. Often it yields
// while it holds the guard, so that writers find the range in use and a reader has to finish it.
func (r *mapReader) crowd(w *worker) int {
	m := r.part.m
	for i := range batchSize {
		n := w.rng.Uint64()
		k := int32(n % crowdKeys)
		var ok bool
		if r.guard, ok = m.Acquire(k); ok {
			if i%16 == 0 {
				runtime.Gosched()
			}
			r.look(k, n, i)
			r.release()
		}
	}
	return batchSize
}

// try is acquire without waiting.
func (r *mapReader) try(w *worker) int {
	m := r.part.m
	for i := range batchSize {
		n := w.rng.Uint64()
		k := key(n)
		var err error
		if r.guard, err = m.TryAcquire(k); err == nil {
			r.look(k, n, i)
			r.release()
		} else if err != rangelock.ErrBusy && err != rangelock.ErrNotFound {
			r.part.b.wrong("TryAcquire: %v", err)
		}
	}
	return batchSize
}

// look checks the range of the guard: that it covers k, that no goroutine has it exclusively,
// a word of its page that n chooses, and sometimes all words.
func (r *mapReader) look(k int32, n uint64, i int) {
	o, b := r.guard.Value(), r.part.b
	if s := r.guard.Range(); k < s.Lo || k >= s.Hi {
		b.wrong("a guard on %v for key %d", s, k)
	}
	if !o.good(int(n>>32)%words) || o.alone.Load() != 0 {
		b.wrong("page %d: wrong word %d under a guard, or overlap: alone %d", o.id, int(n>>32)%words, o.alone.Load())
	}
	if i%64 == 0 {
		o.inside.Add(1)
		if n>>20&7 == 0 {
			runtime.Gosched()
		}
		if !o.sound() || o.alone.Load() != 0 {
			b.wrong("page %d: wrong words under a guard, or overlap: alone %d", o.id, o.alone.Load())
		}
		o.inside.Add(-1)
	}
}

func (r *mapReader) get(w *worker) int {
	for range batchSize {
		if o, ok := r.part.m.Get(key(w.rng.Uint64())); ok && o == nil {
			r.part.b.wrong("Get: a value that was cleared")
		}
	}
	return batchSize
}

// soon returns a context that ends within a millisecond.
func soon(w *worker) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Duration(w.rng.IntN(1000))*time.Microsecond)
}

// within acquires with a context that ends.
func (r *mapReader) within(w *worker) int {
	ctx, cancel := soon(w)
	defer cancel()
	const n = batchSize / 8
	for i := range n {
		k := key(w.rng.Uint64())
		var err error
		if r.guard, err = r.part.m.AcquireContext(ctx, k); err == nil {
			r.look(k, w.rng.Uint64(), i)
			r.release()
		} else if err != rangelock.ErrNotFound {
			r.ended(ctx, err)
		}
	}
	return n
}

// ended records a wait that has failed.
func (r *mapReader) ended(ctx context.Context, err error) {
	if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		r.part.b.wrong("a wait failed with %v", err)
	}
	r.part.ended.Add(1)
}

// walk visits the ranges in a part of the map, in order and each once. A range that was
// inserted during the walk may overlap one that the walk has seen before, but it ends later.
func (r *mapReader) walk(w *worker) int {
	ctx, cancel := soon(w)
	defer cancel()
	lo := key(w.rng.Uint64())
	last := lo
	n := 0
	for g, err := range r.part.m.GuardsContext(ctx, rangelock.Span(lo, lo+64)) {
		if err != nil {
			r.ended(ctx, err)
			break
		}
		s := g.Range()
		if s.Hi <= last {
			r.part.b.wrong("a walk from %d yields %v after %d", lo, s, last)
		}
		last = s.Hi
		if n%4 == 0 {
			r.guard = g.Take()
			g = &r.guard
		}
		if !g.Value().sound() {
			r.part.b.wrong("page %d: wrong words in a walk", g.Value().id)
		}
		if n%4 == 0 {
			r.release()
		}
		n++
	}
	if next, ok := r.part.m.AcquireNext(lo); ok {
		r.guard = next
		if s := next.Range(); s.Hi <= lo || !next.Value().good(0) {
			r.part.b.wrong("AcquireNext(%d) has %v", lo, s)
		}
		r.release()
	}
	return n + 1
}

// alone takes exclusive guards.
func (r *mapReader) alone(w *worker) int {
	ctx, cancel := soon(w)
	defer cancel()
	const n = batchSize / 16
	for i := range n {
		k := key(w.rng.Uint64())
		var err error
		if i%2 == 0 {
			r.guard, err = r.part.m.TryAcquireExclusive(k)
		} else {
			r.guard, err = r.part.m.AcquireExclusiveContext(ctx, k)
		}
		switch {
		case err == nil:
			r.part.own(r.guard.Value(), "exclusive guard")
			if i%3 == 0 {
				r.guard.Downgrade()
				c := r.guard.Clone()
				r.release()
				if r.guard = c; !c.Value().sound() {
					r.part.b.wrong("page %d: wrong words under a clone", c.Value().id)
				}
			}
			r.release()
		case err != rangelock.ErrNotFound && err != rangelock.ErrBusy:
			r.ended(ctx, err)
		}
	}
	return n
}

// snapshot checks all ranges with a Reader, under which nothing changes.
func (r *mapReader) snapshot(w *worker) int {
	ctx, cancel := soon(w)
	defer cancel()
	s, err := r.part.m.RLockContext(ctx)
	if err != nil {
		r.ended(ctx, err)
		return 1
	}
	defer s.Unlock()
	n, last := 0, int32(-1)
	for at, o := range s.Overlapping(rangelock.From[int32](0)) {
		if at.Lo < last || !o.good(0) {
			r.part.b.wrong("a Reader sees %v after %d", at, last)
		}
		n, last = n+1, at.Hi
	}
	if r.part.inside.Load() != 0 {
		r.part.b.wrong("overlap: a transaction beside a Reader")
	}
	return n
}

// hold acquires some guards and keeps them for up to some milliseconds.
func (r *mapReader) hold(w *worker) int {
	r.until = time.Now().Add(time.Duration(w.rng.IntN(5000)) * time.Microsecond)
	for range 1 + w.rng.IntN(4) {
		if g, err := r.part.m.TryAcquire(key(w.rng.Uint64())); err == nil {
			r.held = append(r.held, g)
		}
	}
	return len(r.held) + 1
}

// letGo checks the ranges whose guards were held for long, and releases the guards.
func (r *mapReader) letGo() {
	for i := range r.held {
		if o := r.held[i].Value(); !o.sound() || o.alone.Load() != 0 {
			r.part.b.wrong("page %d: wrong words under a long guard, or overlap: alone %d", o.id, o.alone.Load())
		}
		r.held[i].Release()
	}
	r.held = r.held[:0]
}
