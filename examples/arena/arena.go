package main

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// poison is what every byte of the arena is that belongs to nobody.
const poison = 0xdb

// An arena keeps texts in one mapping outside of the heap. Any number of goroutines
// may put, read and free at once.
type arena struct {
	mem   []byte
	alloc *rangealloc.Allocator[int, *text]

	allocs, frees, retired, full atomic.Int64
	spoiled                      atomic.Int64 // texts or free bytes that were not as they were left
	used, peak                   atomic.Int64 // bytes given out and not yet through OnRetire
}

// A text is what the arena knows of one allocation.
type text struct {
	want  []byte      // what it holds, on the heap, to compare with
	ready atomic.Bool // the bytes are there; a reader may find the range before
	dead  atomic.Bool // through OnRetire
}

func newArena(size int) (*arena, error) {
	mem, err := mapMemory(size)
	if err != nil {
		return nil, fmt.Errorf("cannot map %d bytes: %w", size, err)
	}
	for i := range mem {
		mem[i] = poison
	}
	a := &arena{mem: mem}
	a.alloc = rangealloc.New(rangelock.Span(0, size), &rangelock.Options[int, *text]{OnRetire: a.bury})
	return a, nil
}

// put copies b into the arena and returns where.
func (a *arena) put(ctx context.Context, b []byte, align int) (at int, err error) {
	t := &text{want: b}
	r, err := a.alloc.Alloc(ctx, len(b), align, t)
	if err != nil {
		return 0, err
	}
	a.allocs.Add(1)
	n := a.used.Add(int64(len(b)))
	for p := a.peak.Load(); n > p && !a.peak.CompareAndSwap(p, n); p = a.peak.Load() {
	}
	// The range is ours alone until somebody frees it, which nobody does before we
	// have told where it is.
	m := a.mem[r.Lo:r.Hi]
	if r.Lo%align != 0 || !poisoned(m) {
		a.spoiled.Add(1)
	}
	copy(m, b)
	t.ready.Store(true)
	return r.Lo, nil
}

// read checks the text at an offset, twice, under a guard, and reports whether there
// was one. Between the looks it calls between.
func (a *arena) read(at int, between func()) bool {
	g, ok := a.alloc.Map().Acquire(at)
	if !ok {
		return false // freed since
	}
	defer g.Release()
	t, r := g.Value(), g.Range()
	if !t.ready.Load() {
		return false // freed, and given to somebody else, who has not filled it yet
	}
	first := bytes.Equal(a.mem[r.Lo:r.Hi], t.want)
	between()
	if !first || !bytes.Equal(a.mem[r.Lo:r.Hi], t.want) || t.dead.Load() {
		a.spoiled.Add(1)
	}
	return true
}

// free gives the text at an offset up. It waits for no reader: the bytes stay until
// the last one has left.
func (a *arena) free(ctx context.Context, at int) error {
	if err := a.alloc.FreeLater(ctx, at); err != nil {
		return err
	}
	a.frees.Add(1)
	return nil
}

// bury is the map's OnRetire: nobody reads the range any more, and nobody gets it
// before bury has returned.
func (a *arena) bury(r rangelock.Range[int], t *text) {
	m := a.mem[r.Lo:r.Hi]
	if t.dead.Swap(true) || !bytes.Equal(m, t.want) {
		a.spoiled.Add(1)
	}
	for i := range m {
		m[i] = poison
	}
	a.used.Add(-int64(len(m)))
	a.retired.Add(1)
}

// gaps returns how many bytes are free, how many pieces they are, and the largest.
// Nobody may put or free meanwhile.
func (a *arena) gaps() (free, pieces, largest int) {
	end := 0
	gap := func(to int) {
		if n := to - end; n > 0 {
			free += n
			pieces++
			largest = max(largest, n)
		}
	}
	for r := range a.alloc.Map().All() {
		gap(r.Lo)
		end = r.Hi
	}
	gap(len(a.mem))
	return free, pieces, largest
}

// close frees everything and gives the memory back.
func (a *arena) close(ctx context.Context) error {
	if err := a.alloc.Close(ctx); err != nil {
		return err
	}
	if !poisoned(a.mem) {
		a.spoiled.Add(1)
	}
	return unmapMemory(a.mem)
}

// poisoned reports whether b belongs to nobody.
func poisoned(b []byte) bool {
	for _, c := range b {
		if c != poison {
			return false
		}
	}
	return true
}
