package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/spanlock/spanlock/rangelock"
)

// An item is the value of one range object. Its fields serve the checks of guards that the
// histories cannot make: porcupine judges results, not how long they stay true.
type item struct {
	id       uint32
	attached bool         // written by the transaction that attaches it, read at the end
	moved    bool         // likewise: Split or Merge put others in its place, or Extract returned it, so it is not retired
	retired  atomic.Int32 // how often OnRetire was called for it
	inside   atomic.Int32 // guards held: 1 for a shared one, alone for an exclusive one
}

const alone = 1 << 16

type (
	items = rangelock.Map[int32, *item]
	guard = rangelock.Guard[int32, *item]
	keys  = rangelock.Range[int32]
)

// A round is one episode at one map.
type round struct {
	m     *items
	clock clock
	hoods []*hood
	bad   atomic.Pointer[string]

	mu   sync.Mutex
	born []*item // all, by number; under mu

	// Written and read by the current transaction.
	into   [][2]*item // what SplitValue returns, call by call
	merged *item      // what MergeValue returns
	refuse bool
}

// A hood is one neighbourhood and what was done to it.
type hood struct {
	base    int32
	init    state
	history history
}

// wrong keeps the first thing that is wrong.
func (r *round) wrong(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	r.bad.CompareAndSwap(nil, &s)
}

// make returns a new item.
func (r *round) make() *item {
	r.mu.Lock()
	defer r.mu.Unlock()
	it := &item{id: uint32(len(r.born) + 1)}
	r.born = append(r.born, it)
	return it
}

// newRound makes a map with some ranges in each of its neighbourhoods.
func newRound(rng *rand.Rand) *round {
	r := &round{}
	o := &rangelock.Options[int32, *item]{
		OnRetire: func(_ keys, it *item) {
			if n := it.inside.Load(); n != 0 {
				r.wrong("range object %d is retired while %d guards are held", it.id, n)
			}
			it.retired.Add(1)
			pause()
		},
		SplitValue: func(keys, int32, *item) (*item, *item, error) {
			pause()
			into := r.into[0]
			r.into = r.into[1:]
			return into[0], into[1], nil
		},
		MergeValue: func(_, _ keys, _, _ *item) (*item, bool) { pause(); return r.merged, !r.refuse },
	}
	if rng.IntN(2) == 0 {
		r.m = rangelock.New(o)
	} else {
		// A comparison that yields widens every window of a search.
		r.m = rangelock.NewFunc(func(a, b int32) int {
			if rand.IntN(16) == 0 {
				runtime.Gosched()
			}
			return int(a - b)
		}, o)
	}
	for i := range 1 + rng.IntN(3) {
		h := &hood{base: int32(i * cells)}
		r.hoods = append(r.hoods, h)
		for c := 0; c < cells; {
			n := min(1+rng.IntN(3), max(wall-c, 1))
			if c == wall || rng.IntN(2) == 0 {
				it := r.make()
				it.attached = true
				if err := r.m.Insert(context.Background(), h.span(c, c+n), it); err != nil {
					panic(err)
				}
				h.init.fill(c, c+n, it.id)
			}
			c += n
		}
	}
	return r
}

// pause sometimes yields the processor.
func pause() {
	if rand.IntN(4) == 0 {
		runtime.Gosched()
	}
}

func (h *hood) span(lo, hi int) keys { return rangelock.Span(h.base+int32(lo), h.base+int32(hi)) }

// see turns a range and its value into the model's terms. A value that was cleared becomes
// a range that never existed.
func (h *hood) see(r keys, it *item) found {
	if it == nil {
		it = &item{id: ^uint32(0)}
	}
	return found{it.id, int(r.Lo - h.base), int(r.Hi - h.base)}
}

// hold checks that a guard stays valid while it is held, and that no guard is held beside
// it that it excludes.
func (r *round) hold(h *hood, g *guard, f found, weight int32) {
	it := g.Value()
	if it == nil {
		r.wrong("a guard on %v has no value", f)
		return
	}
	in := it.inside.Add(weight)
	pause()
	if n := it.inside.Load(); in >= alone && in != alone || weight == alone && n != alone || weight == 1 && n >= alone {
		r.wrong("range object %d: a guard of weight %d beside others, %#x and %#x", it.id, weight, in, n)
	}
	if now := h.see(g.Range(), g.Value()); now != f {
		r.wrong("a guard has changed from %v to %v", f, now)
	}
	if it.retired.Load() != 0 {
		r.wrong("range object %d is retired under a guard", it.id)
	}
	it.inside.Add(-weight)
	g.Release()
}

// end closes the map and checks that each value was retired as often as it must be.
func (r *round) end() {
	if err := r.m.Close(context.Background()); err != nil {
		r.wrong("Close: %v", err)
	}
	for _, it := range r.born {
		want := int32(0)
		if it.attached && !it.moved {
			want = 1
		}
		if n := it.retired.Load(); n != want {
			r.wrong("range object %d retired %d times, want %d", it.id, n, want)
		}
	}
}
