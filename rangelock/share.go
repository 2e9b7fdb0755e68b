package rangelock

import (
	"fmt"

	"github.com/spanlock/spanlock/internal/invariants"
)

// This file changes guards that are held: Clone, Downgrade and Take. It changes the counts in the
// state words of their ranges, and grants the head of a queue.

// Clone returns another guard on the range of g, for example for a goroutine that the caller
// starts. Each of the two guards must be released once, in any order, and each may be cloned
// again. Clone never blocks. It also succeeds where a new reader would be refused: on a range that
// has left the map, and on a range that a writer has excluded and still waits for. That writer
// then waits for the clone, too.
//
// It panics if g is the zero Guard, if g is exclusive (then it must be the only guard on its
// range), and if the range has 2^28 guards.
func (g Guard[K, V]) Clone() Guard[K, V] {
	h := g.h
	if h == nil {
		zeroGuard("Clone")
	}
	if debug {
		g.mark.check("Clone")
	}
	if g.life&exclusiveHeld != 0 {
		panic("rangelock: Clone of an exclusive guard: no other may stand beside it")
	}
	m := h.m
	gen := g.life &^ lowMask
	// The clone is counted, even if g is announced. A goroutine that keeps readers out looks at
	// the lines first and then at the count, so it sees g or the clone if g is released
	// meanwhile. It may have set exclusiveHeld for the time of that look (waitqueue.go, claim).
	n := h.State.Add(1)
	invariants.At("rangelock: cloned")
	if n&^lowMask != gen {
		m.undo(h)
		notHeld(gen, n)
	}
	if n&exclusiveHeld == 0 && n&readerMask > limit {
		m.undo(h)
		panic(fmt.Sprintf("rangelock: more than %d guards on %v", limit, h.bounds()))
	}
	c := m.drawn(Guard[K, V]{h: h, life: gen})
	if debug {
		c = m.remember(c)
	}
	return c
}

// Downgrade turns g, an exclusive guard, into a shared one. No other goroutine has the range in
// between. Callers that wait for a shared guard on the range get one, up to the first in the queue
// that waits for an exclusive guard. Downgrade never blocks.
//
// It panics if g is the zero Guard, if g is not exclusive, and if the range shows that a copy of g
// was released or downgraded before.
//
// In the terminology of the Go memory model, Downgrade synchronizes before the return of each
// later acquire of the range.
func (g *Guard[K, V]) Downgrade() {
	h := g.h
	if h == nil {
		zeroGuard("Downgrade")
	}
	if debug {
		g.mark.check("Downgrade")
	}
	if g.life&exclusiveHeld == 0 {
		panic("rangelock: Downgrade of a guard that is shared already")
	}
	m := h.m
	gen := g.life &^ lowMask
	n := m.giveBackExclusive(h, gen, 1)
	g.life = gen | g.life&(sampled|numberMask)
	if debug {
		g.mark.downgraded()
	}
	if n&reserved != 0 && n&excluded == 0 {
		m.queues.grantNext(h, gen)
	}
}

// Take returns the guard and makes g the zero Guard. It is for the body of a loop over
// [Map.Guards]: the loop releases each guard that it has yielded, except those that the body has
// taken. The caller must release the guard that Take returns. Take panics if g is the zero Guard.
func (g *Guard[K, V]) Take() Guard[K, V] {
	if g.h == nil {
		zeroGuard("Take")
	}
	if debug {
		g.mark.check("Take")
	}
	taken := *g
	*g = Guard[K, V]{}
	return taken
}
