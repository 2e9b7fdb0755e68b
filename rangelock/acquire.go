package rangelock

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/samples"
)

// answer is what a look without the semaphore found.
type outcome int

const (
	missed  outcome = iota // no range covers the key, definitely
	entered                // the guard is held

	// From here on only the semaphore can tell.

	busy     // a writer has the range, or it is full
	unproved // no range found, but a writer was changing the set
	gone     // the range that was found is leaving the map

	// And from here on also its line.

	queued // an exclusive guard is held, or somebody stands in line; the guard says for what
)

// Acquire takes a guard on the range that covers key (Lo <= key and key < Hi), and
// reports whether there is one; if not, the guard is the zero Guard. It answers as
// of one instant between call and return: it never reports a gap that was there
// neither before nor after a transaction, and never a range of an unfinished one.
//
// It takes no lock, allocates nothing (but for the lines of a map, when readers first meet
// in a range) and takes a bounded number of steps, unless it meets a writer: one that has
// excluded the range, or, for a key without a range, one that has begun to change the set. Then it waits until that writer,
// and those that were queued already, have unlocked. If it meets an exclusive guard,
// or somebody who waits for one, it waits for its turn at the range.
// [Map.AcquireContext] bounds the wait. A goroutine that holds a guard of the map, or a
// transaction, must not call it; see [Map].
//
// It panics when the range counts 2^28 guards. On a closed map it reports false.
func (m *Map[K, V]) Acquire(key K) (Guard[K, V], bool) {
	if debug {
		m.mayAcquire("Acquire", toAcquire, key)
	}
	g, a := m.enter(key)
	if a >= busy {
		g, a, _ = m.acquireSlow(context.Background(), key, g, a, false)
	}
	if debug {
		g = m.remember(g)
	}
	return g, a == entered
}

// AcquireContext is like [Map.Acquire], but a wait ends when ctx is done, with a
// [WaitError]. Where nothing has to be waited for it succeeds also when ctx is
// done. Its error for a key without a range is [ErrNotFound], and on
// a closed map [ErrClosed].
// With an error the guard is the zero Guard.
func (m *Map[K, V]) AcquireContext(ctx context.Context, key K) (Guard[K, V], error) {
	if debug && ctx.Done() == nil {
		m.mayAcquire("AcquireContext", toAcquire, key)
	}
	g, a := m.enter(key)
	if a >= busy {
		var err error
		if g, a, err = m.acquireSlow(ctx, key, g, a, false); err != nil {
			return g, err
		}
	}
	if a == missed {
		return g, m.absent()
	}
	if debug {
		g = m.remember(g)
	}
	return g, nil
}

// TryAcquire is like [Map.Acquire] but never blocks: where Acquire would wait, or
// panic because the range is full, it returns [ErrBusy]. It returns [ErrNotFound]
// only when no range covers the key, and on a closed map [ErrClosed]. It may report busy
// when the writer has just left; it never enters a range that is excluded. With an error
// the guard is the zero Guard.
//
// It is safe where the goroutine holds a guard of the same map, or a transaction.
func (m *Map[K, V]) TryAcquire(key K) (Guard[K, V], error) {
	g, a := m.enter(key)
	switch a {
	case entered:
		if debug {
			g = m.remember(g)
		}
		return g, nil
	case missed:
		return g, m.absent()
	}
	return Guard[K, V]{}, ErrBusy
}

// absent returns why a key has no range.
func (m *Map[K, V]) absent() error {
	if m.closed.Load() { // after the miss: a closed map is empty, and stays so
		return ErrClosed
	}
	return ErrNotFound
}

// View calls f with the range that covers key and its value, under a guard that is
// released when f returns or panics, and reports whether there was one. It waits
// as [Map.Acquire] does, and what holds for a goroutine with a guard holds for f. If
// there is no range f is not called. Where the wait must be bounded, use
// [Map.AcquireContext].
func (m *Map[K, V]) View(key K, f func(r Range[K], v V)) bool {
	g, ok := m.Acquire(key)
	if !ok {
		return false
	}
	defer g.Release()
	f(g.Range(), g.Value())
	return true
}

// enter is the fast path of all acquires. It may answer busy when nothing is in
// the way any more; it never enters a range that is excluded, and never answers
// missed for a key that has a range.
//
// Nothing holds back the header that the search has found: it may leave the map, and have
// another life, at any time. So the hit proves itself. Find has loaded the word before it
// compared the bounds. If the add finds that life, and no flag, the range was attached then
// and is attached now, in one life, and the bounds are of that life; and from the add on it has
// a guard. An announcement is proved by a second load in the same way.
func (m *Map[K, V]) enter(key K) (Guard[K, V], outcome) {
	if way := m.way.Load(); way != byWord {
		if way&samples.On != 0 && samples.Draw() {
			return m.enterSampled(key)
		}
		if way&byWord == 0 {
			return m.enterPinned(key)
		}
	}
	seq := m.pub.Load()
	invariants.At("rangelock: publication sequence read")
	e, s := m.tree.Find(key)
	if e == nil {
		return m.enterAgain(key, seq)
	}
	h := headerOf[K, V](e)
	invariants.At("rangelock: range found")
	// Look before adding: readers that are refused must not hold up a writer that
	// waits for the count to fall to zero.
	if uint32(s) < limit {
		invariants.At("rangelock: range looked at")
		// The add is unconditional: no loop. It pairs with the writer's Or: who comes
		// second sees the other. Where readers meet they announce themselves (announced.go).
		n, life := h.State.Add(1), s&^lowMask
		if n == life+1 && m.lines.Load() == nil {
			return Guard[K, V]{h: h, life: life}, entered
		}
		return m.enterBeside(h, s, n, key)
	}
	if s&(barred|announced) == announced {
		invariants.At("rangelock: range looked at")
		g, n, ok := m.enterAnnounced(h, s)
		if ok {
			return g, entered
		}
		return m.enterRefused(h, s, n, key)
	}
	return Guard[K, V]{h: h, life: s &^ lowMask}, refusal(s)
}

// enterBeside is the rest of an add in a map whose readers have met, or that found other
// readers, or another word than s, which was looked at; n is the word after it. Somebody may
// keep readers out now, or the header may be in another life, with other bounds.
//
//go:noinline
func (m *Map[K, V]) enterBeside(h *header[K, V], s, n uint64, key K) (Guard[K, V], outcome) {
	if !admits(n, s) {
		m.undo(h)
		return m.enterRefused(h, s, n, key)
	}
	m.announcing(h)
	return Guard[K, V]{h: h, life: n &^ lowMask}, entered
}

// enterRefused is enter after it was refused by the word n, in the place of s. With taken
// the guard is not held, and says which range it is, in which life.
//
//go:noinline
func (m *Map[K, V]) enterRefused(h *header[K, V], s, n uint64, key K) (Guard[K, V], outcome) {
	if n&^lowMask == s&^lowMask && n&barred != 0 {
		return Guard[K, V]{h: h, life: s &^ lowMask}, refusal(n)
	}
	return m.enterPinned(key)
}

// enterPinned is enter for maps in which a search looks at more than words, and for who has
// met something that takes more than one look. The pin holds back the next life of every
// header that the search meets, and of what it compares. It is given back by a defer: a
// comparison can panic, because it is the user's, or because it reads memory that can fault
// (debug.SetPanicOnFault).
func (m *Map[K, V]) enterPinned(key K) (Guard[K, V], outcome) {
	m.mustBeMade()
	seq := m.pub.Load()
	invariants.At("rangelock: publication sequence read")
	pin := m.domain.Pin()
	defer pin.Unpin()
	h := m.find(key)
	if h == nil {
		return m.admitAgain(key, seq)
	}
	invariants.At("rangelock: range found")
	return m.admit(h)
}

// enterAgain is admitAgain for who is not pinned.
//
//go:noinline
func (m *Map[K, V]) enterAgain(key K, seq uint64) (Guard[K, V], outcome) {
	if m.proveMiss(seq) == missed {
		return Guard[K, V]{}, missed
	}
	pin := m.domain.Pin()
	defer pin.Unpin()
	return m.admitAgain(key, seq)
}

// admitAgain goes on where a search has found nothing; seq is the publication sequence from
// before it.
//
// Preconditions: the caller is pinned.
func (m *Map[K, V]) admitAgain(key K, seq uint64) (Guard[K, V], outcome) {
	h, a := m.lookAgain(key, seq)
	if h == nil {
		return Guard[K, V]{}, a
	}
	return m.admit(h)
}

// lookAgain returns a range that covers key although a search has not found it: a writer
// was storing into the leaf meanwhile. If there is none it returns nil, and whether that
// proves something. A range that is in the map all the time is found, so readers of it do
// not wait for writers of its neighbours.
//
// Preconditions: the caller is pinned.
func (m *Map[K, V]) lookAgain(key K, seq uint64) (h *header[K, V], a outcome) {
	if m.proveMiss(seq) == missed {
		return nil, missed
	}
	m.tree.Look(key, func(e *rangetree.Entry[K]) bool {
		h = headerOf[K, V](e)
		return h.State.Load()&excluded == 0 // one that has just left may cover key, too
	})
	return h, unproved
}

// admit takes a guard on h if nobody keeps readers out. It may answer busy when nothing is
// in the way any more.
//
// Preconditions: the caller is pinned, so h is in one life.
func (m *Map[K, V]) admit(h *header[K, V]) (Guard[K, V], outcome) {
	s := h.State.Load()
	switch {
	case uint32(s) < limit:
		invariants.At("rangelock: range looked at")
		n, life := h.State.Add(1), s&^lowMask
		if n == life+1 && m.lines.Load() == nil {
			return Guard[K, V]{h: h, life: life}, entered
		}
		if admits(n, s) {
			m.announcing(h)
			return Guard[K, V]{h: h, life: life}, entered
		}
		m.undo(h)
		s = n
	case s&(barred|announced) == announced:
		invariants.At("rangelock: range looked at")
		g, n, ok := m.enterAnnounced(h, s)
		if ok {
			return g, entered
		}
		s = n
	}
	return Guard[K, V]{h: h, life: s &^ lowMask}, refusal(s)
}

// admits reports whether an add that has left the word n behind is a guard: it is in the life
// of s, which was looked at before and kept nobody out, and nobody keeps readers out now. The
// range may have become an announced one meanwhile, in which a count is right, too.
func admits(n, s uint64) bool {
	return (n^s)&^(readerMask|announced) == 0 && n&readerMask <= limit
}

// refusal says why the state s admits nobody.
func refusal(s uint64) outcome {
	switch {
	case s&detached != 0:
		return gone
	case s&excluded == 0 && s&(reserved|exclusiveHeld) != 0:
		return queued
	}
	return busy
}

// proveMiss turns a search that found nothing into an answer; seq is the
// publication sequence from before the search. No transaction had begun to
// publish then and none has since, so the tree did not change under the search,
// and what it found was true at each instant of it.
func (m *Map[K, V]) proveMiss(seq uint64) outcome {
	invariants.At("rangelock: nothing found")
	if seq&1 == 0 && m.pub.Load() == seq {
		return missed
	}
	return unproved
}

// undo takes a refused add back. It is a release like any other: the writer may be
// waiting for just this count. Meanwhile h may have begun another life, with the count in
// it; so what it owes goes by the word that it leaves behind, and by nothing from before.
func (m *Map[K, V]) undo(h *header[K, V]) {
	invariants.At("rangelock: refused, before the undo")
	n := h.State.Add(^uint64(0))
	m.releaseSlow(h, n&^lowMask, n)
}
