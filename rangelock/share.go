package rangelock

import (
	"fmt"

	"github.com/spanlock/spanlock/internal/invariants"
)

// Clone returns another guard on the range of g, for somebody else to release: a goroutine
// that g's holder starts, for example. It never blocks, and it succeeds where a new reader
// would be refused: on a range that has left the map, and on one that a writer has excluded
// and waits for, which then waits for the clone, too. The two guards are equal: each may be
// released first, and cloned again.
//
// It panics if g is the zero Guard, if g is exclusive, because no other guard may stand
// beside it, and if the range counts 2^28 guards.
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
	// It counts, also where g is announced. Whoever keeps readers out looks at the lines
	// first and at the count then, so that it sees one of the two if g is released meanwhile.
	// It may have set alone for the time of that look (waitqueue.go, claim).
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

// Downgrade turns g, an exclusive guard, into a shared one, and lets in those that stand in
// line for a shared guard on the range, up to the next that wants an exclusive one. In between
// nobody else has the range. It never blocks.
//
// It panics if g is the zero Guard, if g is not exclusive, and if the range shows that a copy
// of g was released or downgraded before.
//
// In the terminology of the Go memory model, Downgrade synchronizes before the return of each
// acquire of the range that follows it.
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

// Take returns the guard and makes g the zero Guard, so that the guard outlives the body of a
// loop over [Map.Guards], which releases what it has yielded and the body has not taken. The
// caller owes its Release. It panics if g is the zero Guard.
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
