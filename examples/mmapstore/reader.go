package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// A reader reads blocks at random offsets, one after the other, and checks each
// against its checksum. A slow one keeps each block for a time, as a request
// does that sends it to a slow client, and checks it once more before it lets go.
//
// The fields without a word are its own goroutine's while a slice runs, and
// others read them between slices.
type reader struct {
	side *side
	rng  *rand.Rand
	keep time.Duration // how long a slow reader keeps a block; 0: a quick one
	use  func(*mapping)

	holding atomic.Pointer[file] // what a slow reader keeps; the compactor aims at it

	ctx   context.Context // of the slice
	timer *time.Timer
	off   uint64        // of the read that is going on
	began time.Duration // when it began
	err   error

	latency  histogram     // of reads that found a mapping, without the keeping
	stalled  time.Duration // in reads that took longer than stall
	absent   uint64        // reads that met a gap
	phantoms uint64        // reads that met a gap where there was none
	outlived uint64        // blocks kept while their file was remapped
	wrong    uint64        // bytes
}

func newReader(s *side, seed uint64, keep time.Duration) *reader {
	r := &reader{side: s, rng: rand.New(rand.NewPCG(seed, 1)), keep: keep}
	r.use = r.visit // bound once: r.visit allocates each time it is taken
	r.timer = time.NewTimer(time.Hour)
	r.timer.Stop()
	return r
}

// turn is how long a reader reads until it lets others run; the compactor does so
// after every step. Where goroutines are more than processors the scheduler would
// let each go on for 10 ms, keep a slow reader waiting for so long after its timer,
// and park others in the middle of a read: the figures would be the scheduler's,
// not the stores'.
const turn = 50 * time.Microsecond

// stall is when a read has taken so long that its reader is said to stand still.
// The quantiles alone flatter a store that lets nobody read most of the time and
// everybody in between: a reader that waits makes one slow read, and in the same
// time a thousand fast ones.
const stall = 100 * time.Microsecond

// run reads until over is set, or until it finds that a file has changed.
func (r *reader) run(ctx context.Context, over *atomic.Bool) error {
	// A page past the end of a file that shrank, and a page that is not mapped,
	// fault. Make it a panic; visit tells the one from the other.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	r.ctx = ctx
	for turned := time.Duration(0); !over.Load() && r.err == nil; {
		r.off = r.rng.Uint64N(r.side.corpus.size)
		r.began = now()
		if r.began-turned > turn {
			runtime.Gosched()
			r.began = now()
			turned = r.began
		}
		if !r.side.store.read(r.off, r.use) {
			r.gap()
		}
	}
	return r.err
}

// visit is called by the store with the mapping of the offset.
func (r *reader) visit(m *mapping) {
	// Here and not in run: there the store has let go of the mapping already, and
	// that it is unmapped says nothing any more.
	defer func() {
		if p := recover(); p != nil {
			r.err = r.fault(m, p)
		}
	}()
	wrong := m.wrong(r.off)
	d := now() - r.began
	r.latency.record(d)
	if d > stall {
		r.stalled += d
	}
	if wrong == 0 && r.keep > 0 {
		r.holding.Store(m.file)
		r.timer.Reset(r.keep)
		select {
		case <-r.timer.C:
		case <-r.ctx.Done():
			r.timer.Stop()
		}
		r.holding.Store(nil)
		if m.retiredAt.Load() != 0 {
			r.outlived++
		}
		wrong = m.wrong(r.off)
	}
	if wrong != 0 {
		r.wrong += uint64(wrong)
		if err := m.file.changed(); err != nil {
			r.err = err // not the store's fault
		}
	}
}

// gap judges the answer that no range has the offset: right if the compactor had
// one open at some instant of the read.
func (r *reader) gap() {
	f := r.side.corpus.at(r.off)
	if time.Duration(r.side.gaps[f.index].Load()) < r.began {
		r.phantoms++
	} else {
		r.absent++
	}
}

// fault finds out what a panic in visit means. Memory that went away with the end
// of its file is an error of whoever truncated it. Memory that was unmapped under
// a reader is what no store may do: the program crashes.
func (r *reader) fault(m *mapping, p any) error {
	f, ok := p.(interface{ Addr() uintptr })
	if !ok || !m.holds(f.Addr()) {
		panic(p)
	}
	if m.unmapped.Load() {
		panic(fmt.Sprintf("mmapstore: %s: read of %s at %#x, which was unmapped while a reader had it",
			r.side.name, m.file.path, f.Addr()))
	}
	if err := m.file.changed(); err != nil {
		return err
	}
	return fmt.Errorf("%s cannot be read at %d, though it is mapped: %v", m.file.path, r.off-m.file.lo, p)
}
