package main

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/spanlock/spanlock/rwsem"
)

// semPart tortures a rwsem.Sem.
type semPart struct {
	b   *bench
	sem rwsem.Sem

	// What the lock protects: a pair whose sum is zero unless a writer is changing it.
	// The fields are atomic for the reads without the lock.
	a, z atomic.Int64

	writing atomic.Int32 // writers inside
	reading atomic.Int32 // readers inside that read for long

	entered   atomic.Int64 // by writers
	downs     atomic.Int64
	ended     atomic.Int64
	discarded atomic.Int64 // reads without the lock that a writer has invalidated
}

func newSemPart() (part, error) { return &semPart{}, nil }

func (p *semPart) share() (int, int) { return 3, 20 }

func (p *semPart) begin(b *bench) {
	p.b = b
	for range b.o.readers {
		b.add(reader, p.read)
	}
	for range b.o.writers {
		b.add(writer, p.write)
	}
}

// read takes the lock in one way or another, or reads without it.
func (p *semPart) read(w *worker) int {
	start := time.Now()
	n := 1
	switch w.rng.IntN(8) {
	case 0:
		ctx, cancel := soon(w)
		if err := p.sem.RLockContext(ctx); err == nil {
			p.inside(w)
			p.sem.RUnlock()
		} else {
			p.ended.Add(1)
		}
		cancel()
	case 1, 2:
		n = 32
		for range n {
			if p.sem.TryRLock() {
				p.inside(w)
				p.sem.RUnlock()
			}
		}
	case 3, 4:
		n = batchSize
		for range n {
			p.glance()
		}
	default:
		n = 32
		for range n {
			p.sem.RLock()
			p.inside(w)
			p.sem.RUnlock()
		}
	}
	w.waited(start)
	return n
}

// inside is what a reader does with the lock.
func (p *semPart) inside(w *worker) {
	n := w.rng.Uint32()
	long := n%64 == 0
	if long {
		p.reading.Add(1)
		runtime.Gosched()
		if n%8192 == 0 {
			time.Sleep(time.Duration(n>>16&1023) * time.Microsecond)
		}
	}
	if a, z, in := p.a.Load(), p.z.Load(), p.writing.Load(); a+z != 0 || in != 0 {
		p.b.wrong("overlap: a reader sees %d and %d, with %d writers", a, z, in)
	}
	if long {
		p.reading.Add(-1)
	}
}

// glance reads without the lock, and checks the values if no writer has interfered.
func (p *semPart) glance() {
	seq, ok := p.sem.Speculate()
	if !ok {
		return
	}
	a, z := p.a.Load(), p.z.Load()
	if !p.sem.Validate(seq) {
		p.discarded.Add(1)
	} else if a+z != 0 {
		p.b.wrong("Validate(%d) believes %d and %d", seq, a, z)
	}
}

// write takes the lock in one way or another.
func (p *semPart) write(w *worker) int {
	start := time.Now()
	switch w.rng.IntN(4) {
	case 0:
		ctx, cancel := soon(w)
		err := p.sem.LockContext(ctx)
		cancel()
		if err != nil {
			if err != context.DeadlineExceeded {
				p.b.wrong("LockContext: %v", err)
			}
			p.ended.Add(1)
			return 1
		}
	case 1:
		if !p.sem.TryLock() {
			return 1
		}
	default:
		p.sem.Lock()
	}
	w.waited(start)
	if n, r := p.writing.Add(1), p.reading.Load(); n != 1 || r != 0 {
		p.b.wrong("overlap: a writer with %d writers and %d readers", n-1, r)
	}
	seq, even := p.sem.Speculate()
	if even {
		p.b.wrong("sequence %d while a writer holds", seq)
	}
	p.a.Add(1)
	if w.rng.IntN(16) == 0 {
		runtime.Gosched()
	}
	p.z.Add(-1)
	p.entered.Add(1)
	p.writing.Add(-1)
	if w.rng.IntN(4) == 0 {
		mine := p.a.Load()
		p.sem.Downgrade()
		p.downs.Add(1)
		runtime.Gosched()
		if now := p.a.Load(); now != mine {
			p.b.wrong("overlap: a writer came in while another one read after its Downgrade")
		}
		p.sem.RUnlock()
	} else {
		p.sem.Unlock()
	}
	if w.rng.IntN(4) > 0 {
		time.Sleep(time.Duration(w.rng.IntN(200)) * time.Microsecond)
	}
	return 1
}

func (p *semPart) progress() string { return fmt.Sprintf("entered for writing %d", p.entered.Load()) }

// finish checks that the lock is free and has counted every writer.
func (p *semPart) finish(b *bench) {
	if !p.sem.TryLock() {
		b.wrong("the lock is not free at the end: %+v", p.sem.Stats())
		return
	}
	p.sem.Unlock()
	if seq, ok := p.sem.Speculate(); !ok || seq != uint64(2*p.entered.Load()+2) {
		b.wrong("sequence %d at the end, want %d", seq, 2*p.entered.Load()+2)
	}
	if s := p.sem.Stats(); s.Writer || s.Readers+s.WaitingReaders+s.WaitingWriters != 0 {
		b.wrong("at the end: %+v", s)
	}
}

func (p *semPart) totals() []string {
	s := p.sem.Stats()
	return []string{fmt.Sprintf("entered for writing %d, downgraded %d, waits %d, ended by a context %d, reads spoilt %d",
		p.entered.Load(), p.downs.Load(), s.Waits, p.ended.Load(), p.discarded.Load())}
}
