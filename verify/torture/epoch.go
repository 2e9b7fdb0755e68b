package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spanlock/spanlock/epoch"
)

const (
	places    = 8  // where readers look
	ages      = 11 // how many different ages are counted
	epochCost = 1024
)

// An element is published and later retired. Its age is 0 while it is published, 1 after
// it is taken out, and one more after each grace period since. So a reader with a pin sees
// only 0 and 1: a pin that was held when the element was taken out delays the grace period,
// and a reader that pins later does not find the element.
type element struct {
	*page
	age atomic.Int32
}

// epochPart tortures an epoch.Domain.
type epochPart struct {
	b      *bench
	domain epoch.Domain
	pool   *pool
	place  [places]atomic.Pointer[element]
	seen   [ages]atomic.Int64 // by readers, of each age

	taken atomic.Int64 // elements that were taken out
	grown atomic.Int64 // of these, those that have reached the last age, or, where a writer waited itself, the second
	ended atomic.Int64 // waits that a context has ended
}

func newEpochPart() (part, error) {
	pages, err := newPool(8192)
	return &epochPart{domain: epoch.Domain{MaxPending: epochCost}, pool: pages}, err
}

func (p *epochPart) share() (int, int) { return 1, 4 }

func (p *epochPart) begin(b *bench) {
	p.b = b
	for i := range p.place {
		p.place[i].Store(&element{page: p.pool.take()})
	}
	for range b.o.readers {
		(&epochReader{epochPart: p}).start(b)
	}
	for range b.o.writers {
		b.add(writer, p.write)
	}
}

// An epochReader is what one reader has pinned.
type epochReader struct {
	*epochPart
	pins   []epoch.Guard
	counts [ages]int64
}

func (r *epochReader) start(b *bench) {
	b.add(reader, r.batch)
	b.workers[len(b.workers)-1].clean = r.clean
}

func (r *epochReader) clean() {
	for i := range r.pins {
		r.pins[i].Unpin()
	}
	r.pins = r.pins[:0]
	for i, n := range r.counts {
		r.seen[i].Add(n)
	}
	clear(r.counts[:])
}

// batch reads elements, mostly one under each pin, and sometimes many, under nested pins,
// or for a long time.
func (r *epochReader) batch(w *worker) int {
	start := time.Now()
	for i := range batchSize {
		n := w.rng.Uint64()
		r.pins = append(r.pins, r.domain.Pin())
		e := r.place[n%places].Load()
		r.counts[min(e.age.Load(), ages-1)]++
		if !e.good(int(n>>32) % words) {
			r.b.wrong("page %d of age %d: wrong word under a pin", e.id, e.age.Load())
		}
		if i == 0 {
			r.linger(w, e)
		}
		last := len(r.pins) - 1
		r.pins[last].Unpin()
		r.pins = r.pins[:last]
	}
	r.clean()
	w.waited(start)
	return batchSize
}

// linger stays pinned for longer, and then reads the element again.
func (r *epochReader) linger(w *worker, e *element) {
	switch n := w.rng.IntN(256); {
	case n < 2:
		time.Sleep(time.Duration(w.rng.IntN(2000)) * time.Microsecond)
	case n < 32:
		r.pins = append(r.pins, r.domain.Pin())
		for range 1 + w.rng.IntN(8) {
			runtime.Gosched()
		}
		// The outer pin is unpinned first: the order makes no difference.
		r.pins[len(r.pins)-2].Unpin()
		r.pins = slices.Delete(r.pins, len(r.pins)-2, len(r.pins)-1)
	case n < 64:
		runtime.Gosched()
	}
	r.counts[min(e.age.Load(), ages-1)]++
	if !e.sound() {
		r.b.wrong("page %d of age %d: wrong words under a pin", e.id, e.age.Load())
	}
}

// write replaces an element, and has the page of the old one dropped after a grace period,
// for which it waits in one of several ways.
func (p *epochPart) write(w *worker) int {
	g := p.pool.take()
	if g == nil {
		// An element that was taken out lives for ten grace periods: wait for some.
		if err := p.domain.Barrier(context.Background()); err != nil {
			p.b.wrong("Barrier: %v", err)
		}
		return 1
	}
	e := p.place[w.rng.IntN(places)].Swap(&element{page: g})
	e.age.Add(1)
	p.taken.Add(1)
	start := time.Now()
	ctx, cancel := soon(w)
	defer cancel()
	switch w.rng.IntN(8) {
	case 0:
		if err := p.domain.Synchronize(ctx); err == nil {
			p.passed(e)
		} else {
			p.ended.Add(1)
			p.domain.Retire(func() { p.passed(e) })
		}
	case 1:
		for c := p.domain.Cookie(); !c.Done(); {
			runtime.Gosched()
		}
		p.passed(e)
	case 2, 3:
		if err := p.domain.RetireContext(ctx, int64(w.rng.IntN(16)), func() { p.passed(e) }); err != nil {
			p.ended.Add(1)
			p.domain.Retire(func() { p.grow(e) })
		}
	default:
		p.domain.Retire(func() { p.grow(e) })
	}
	w.waited(start)
	if w.rng.IntN(4) == 0 {
		time.Sleep(time.Duration(w.rng.IntN(200)) * time.Microsecond)
	}
	return 1
}

// passed is called after a grace period: it drops the page.
func (p *epochPart) passed(e *element) {
	e.age.Add(1)
	if !e.drop() {
		p.b.wrong("page %d retired twice", e.id)
	}
	p.grown.Add(1)
}

// grow is called after each grace period. It drops the page after the first one, and
// counts the element's age until the last one.
func (p *epochPart) grow(e *element) {
	if age := e.age.Add(1); age == 2 {
		if !e.drop() {
			p.b.wrong("page %d retired twice", e.id)
		}
	} else if age == ages-1 {
		p.grown.Add(1)
		return
	}
	p.domain.Retire(func() { p.grow(e) })
}

func (p *epochPart) progress() string {
	return fmt.Sprintf("taken out %d, pending %d", p.taken.Load(), p.taken.Load()-p.grown.Load())
}

// finish waits for the pending callbacks, and checks the ages that readers have seen.
func (p *epochPart) finish(b *bench) {
	for range ages { // each callback may retire the next
		if err := p.domain.Barrier(context.Background()); err != nil {
			b.wrong("Barrier: %v", err)
		}
	}
	if t, g := p.taken.Load(), p.grown.Load(); t != g || p.pool.gone.Load() != t {
		b.wrong("%d elements taken out, %d seen to their end, %d pages unmapped", t, g, p.pool.gone.Load())
	}
	if live := p.pool.born.Load() - p.pool.gone.Load(); live != places {
		b.wrong("%d pages live, want %d", live, places)
	}
	if s := p.domain.Stats(); s.Pending != 0 || s.PendingCost != 0 || s.Pins != 0 {
		b.wrong("at the end: %v", s)
	}
	for age := 2; age < ages; age++ {
		if n := p.seen[age].Load(); n > 0 {
			b.wrong("readers have seen %d elements %d grace periods after they were taken out", n, age-1)
		}
	}
}

func (p *epochPart) totals() []string {
	line := "ages in grace periods, as readers saw them:"
	for i := range p.seen {
		line += fmt.Sprintf(" %d", p.seen[i].Load())
	}
	born, gone := p.pool.born.Load(), p.pool.gone.Load()
	return []string{
		line,
		fmt.Sprintf("pages %d = unmapped %d + live %d; taken out %d, waits ended by a context %d, epoch %d",
			born, gone, born-gone, p.taken.Load(), p.ended.Load(), p.domain.Stats().Epoch),
	}
}
