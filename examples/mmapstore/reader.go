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

// A reader reads blocks at random offsets, one after the other, and checks each against its
// checksum. A slow reader keeps each block for a time, like a request that sends it to a slow
// client, and checks it again before it releases it.
//
// Fields without a comment belong to the reader's goroutine while a slice runs. Other goroutines
// read them between slices.
type reader struct {
	side *side
	rng  *rand.Rand
	keep time.Duration // how long a slow reader keeps a block; 0 for a quick reader
	use  func(*mapping)

	holding atomic.Pointer[file] // the file of the block that a slow reader keeps; the compactor prefers it

	ctx   context.Context // of the slice
	timer *time.Timer
	off   uint64        // of the current read
	began time.Duration // when it began
	err   error

	latency  histogram     // of reads that found a mapping, without the time that the block was kept
	stalled  time.Duration // in reads that took longer than stall
	absent   uint64        // reads that found a gap
	phantoms uint64        // reads that found a gap although there was none
	outlived uint64        // blocks kept while their file was remapped
	wrong    uint64        // bytes
}

func newReader(s *side, seed uint64, keep time.Duration) *reader {
	r := &reader{side: s, rng: rand.New(rand.NewPCG(seed, 1)), keep: keep}
	r.use = r.visit // bound once, because each evaluation of r.visit allocates
	r.timer = time.NewTimer(time.Hour)
	r.timer.Stop()
	return r
}

// turn is how long a reader reads before it yields; the compactor yields after every step. If
// there are more goroutines than processors, the scheduler would let each run for 10 ms, delay a
// slow reader by as much after its timer, and stop others in the middle of a read. The figures
// would be the scheduler's, not the stores'.
const turn = 50 * time.Microsecond

// stall is the time after which a reader counts as stalled. The quantiles alone flatter a store
// that blocks all readers most of the time and none in between: a reader that waits makes one
// slow read, and in the same time a thousand fast ones.
const stall = 100 * time.Microsecond

// run reads until over is set, or until it finds that a file has changed.
func (r *reader) run(ctx context.Context, over *atomic.Bool) error {
	// A use of a page past the end of a file that shrank, or of a page that is not mapped, is a
	// fault. Turn it into a panic; visit tells the two apart.
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

// The store calls visit with the mapping of the offset.
func (r *reader) visit(m *mapping) {
	// Recover here and not in run: there the store has already released the mapping, so that it
	// may be unmapped for a good reason.
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
			r.err = err // the file has changed: not a fault of the store
		}
	}
}

// gap checks the answer that no range has the offset. It is right if the compactor had a gap open
// at some instant of the read.
func (r *reader) gap() {
	f := r.side.corpus.at(r.off)
	if time.Duration(r.side.gaps[f.index].Load()) < r.began {
		r.phantoms++
	} else {
		r.absent++
	}
}

// fault finds the reason of a panic in visit. If memory is gone because the file was truncated
// from outside, fault returns an error. If memory was unmapped under a reader, the store is
// wrong, and the program crashes.
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
