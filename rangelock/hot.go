package rangelock

import (
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/seam"
)

// A range on which readers of several processors collide becomes hot: its readers
// then count in stripes, each of which a few of them share, and no longer all in the
// header's word, so that they do not pass one cache line around.
//
//  1. A collision is an add that finds the word changed since the look before it. A
//     cold range pays nothing for it: the comparison that finds it is also the one
//     that says that the reader is in.
//  2. A few collisions in a millisecond promote the range: it gets a set of stripes
//     from the map's pool (pool.go), and then the flag hot, by a swap from a word in
//     which nobody keeps readers out. If the swap fails the set goes back; no reader
//     has used it. Where the pool has none yet the reader makes the set, which allocates.
//  3. A reader that meets the flag adds to a stripe, and then looks at the word, and
//     at heat again. If nobody keeps readers out and the set is still the range's, the
//     guard is held. Otherwise the reader takes its one back, which is a release like
//     any other.
//  4. Whoever keeps readers out sets his flag (excluded, reserved or alone) first, and
//     then loads heat and looks at the stripes. A reader that this look has missed
//     added later, and so sees the flag when it looks at the word. With heat loaded
//     before the flag is set, a promotion in between would hide the readers.
//  5. A releaser takes its one from the stripe, and then looks at the word. If somebody
//     keeps readers out it does what the last release of a cold range does. Its range
//     may be gone by then; the generation tells.
//  6. A set that its range does not need any more goes back to the pool after a grace
//     period: a reader in step 3 can be about to take its one back.
//
// So nobody needs to know the sum of the counts at one instant: while readers are kept
// out, a counter that was once seen at zero has nobody in it who stays.

// What heat can be:
//
//	window<<16 | n    cold: n collisions in that millisecond, which is counted in 15 bits
//	promoted | i      the range has the set of stripes i
const promoted = 1 << 31

// A reader adds comes to a stripe and takes one away again: the low half counts who
// is there, the high half who ever came, which tells when the range is cold again.
const comes = 1<<32 + 1

// In the life of a guard that is counted in a stripe the low bits say where: the set
// from setShift on, the stripe below.
const (
	setShift   = 16
	stripeMask = 1<<setShift - 1
	setMask    = maxSets - 1
)

// enterHot takes a guard on a range that was hot when the caller looked. It may answer
// busy when nothing is in the way any more; it never enters a range that is excluded, or
// not the caller's turn.
//
// Preconditions: the caller is pinned and has seen the flag.
func (m *Map[K, V]) enterHot(h *header[K, V]) (Guard[K, V], answer) {
	at := h.Word.Load()
	if at&promoted == 0 {
		return m.enterCold(h)
	}
	i := at & setMask
	set := m.pool.sets[i]
	j := raw.Hash() & uint32(len(set.counts)-1)
	c := &set.counts[j].n
	invariants.At("rangelock: before a stripe")
	n := c.Add(comes)
	invariants.At("rangelock: stripe taken")
	// Pairs with the writer's Or. heat is compared because the set may have gone since:
	// a count in a set that the range has not is seen by nobody.
	s := h.State.Load()
	if s&barred == 0 && s&hot != 0 && h.Word.Load() == at && uint32(n) <= limit {
		return Guard[K, V]{h: h, life: s&^lowMask | hot | uint64(i)<<setShift | uint64(j)}, entered
	}
	invariants.At("rangelock: refused in a stripe")
	m.leaveStripe(h, s&^lowMask, c)
	if s&barred == 0 {
		return m.enterCold(h)
	}
	return Guard[K, V]{h: h, life: s &^ lowMask}, refusal(s)
}

// enterCold is for who has seen the flag hot and finds nobody in the way, but no stripe
// for himself either: the range has become cold in between. He counts in the word, which
// is right for a hot range, too. To answer busy here would send him to the semaphore, and
// there he would wait for a writer that has nothing to do with the range.
//
// Preconditions: the caller is pinned.
func (m *Map[K, V]) enterCold(h *header[K, V]) (Guard[K, V], answer) {
	s := h.State.Load()
	if s&barred == 0 && s&readerMask < limit {
		s = h.State.Add(1) // pairs with the writer's Or, as in enter
		if s&barred == 0 && s&readerMask <= limit {
			return Guard[K, V]{h: h, life: s &^ lowMask}, entered
		}
		m.undo(h)
	}
	return Guard[K, V]{h: h, life: s &^ lowMask}, refusal(s)
}

// releaseStripe releases a guard of the given life that is counted in a stripe of h,
// whose word was seen as s.
func (m *Map[K, V]) releaseStripe(h *header[K, V], life, s uint64) {
	gen := life &^ lowMask
	c := &m.pool.sets[life>>setShift&setMask].counts[life&stripeMask].n
	// A range keeps its stripes while somebody who stays is counted there. Without the
	// look at heat a copy could take away the guard of another range, whose they are now.
	if uint32(c.Load()) == 0 || s&^lowMask != gen || h.Word.Load() != promoted|uint32(life>>setShift&setMask) {
		notHeld(gen, s)
	}
	m.leaveStripe(h, gen, c)
}

// leaveStripe takes one from a stripe of h, in the life gen, and does what that owes
// to others.
func (m *Map[K, V]) leaveStripe(h *header[K, V], gen uint64, c *seam.Uint64) {
	switch n := c.Add(^uint64(0)); uint32(n) {
	case 1<<32 - 1:
		c.Add(1)
		notHeld(gen, h.State.Load())
	case 0:
		invariants.At("rangelock: stripe left")
		// Pairs with the writer's Or, which comes before its look at the stripes.
		if s := h.State.Load(); s&^lowMask == gen {
			m.left(h, gen, s)
		}
	}
}

// striped reports whether somebody is counted in a stripe of h: a guard, or a reader
// in passing. With true, somebody who counts for h is going to leave, and will do then
// what that owes to others.
//
// So it looks at heat again. The caller need not be pinned, and between the first look
// and the set a sweep can take that away, and another range get it: its readers owe h
// nothing, and who waited for them would wait for ever.
func (m *Map[K, V]) striped(h *header[K, V]) bool {
	for {
		at := h.Word.Load()
		if at&promoted == 0 {
			return false
		}
		invariants.At("rangelock: before the look at a set")
		if !m.pool.sets[at&setMask].occupied() {
			return false
		}
		if h.Word.Load() == at {
			return true
		}
	}
}

// collided is the rest of admit's add that found the word of h changed since the look; n is
// the word after it.
//
// Preconditions: the caller is pinned.
func (m *Map[K, V]) collided(h *header[K, V], n uint64) (Guard[K, V], answer) {
	if uint32(n) > limit {
		m.undo(h)
		return m.admitOdd(h, n)
	}
	m.warm(h)
	return Guard[K, V]{h: h, life: n &^ lowMask}, entered
}

// warm counts a collision on h.
//
// Preconditions: the caller is pinned.
func (m *Map[K, V]) warm(h *header[K, V]) {
	old := h.Word.Load()
	if old&promoted != 0 {
		m.promote(h) // it has stripes, and has cooled down a little too early
		return
	}
	window := seam.Millis() & (1<<15 - 1) << 16
	n := uint32(1)
	if old&^stripeMask == window {
		n += old & stripeMask
	}
	// Lost if somebody else counts at the same time: then there will be more.
	if h.Word.CompareAndSwap(old, window|n) && n >= hotAfter {
		m.promote(h)
	}
}
