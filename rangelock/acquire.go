package rangelock

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/samples"
)

// This file takes shared guards without the map's semaphore, which is the fast path of readers. It
// adds to and loads the state words of ranges, loads the publication sequence, pins the epoch and
// searches the tree. Steps 7 and 8 below are in wait.go, step 9 is in guard.go.
//
// Each thing that a reader loads is either a word that it validates afterwards, or protected by
// the epoch. If the keys are words (integers and floats of four or eight bytes), Acquire loads
// only words and needs no pin: a header is reused only for another range of the same map, and a
// hit proves itself. In all other maps, and where a step says “pinned”, the reader has a pin of
// the map's epoch domain. It delays the next life of every header that the reader can meet.
//
// Acquire is steps 1 to 8. TryAcquire returns ErrBusy where Acquire goes to step 7.
//
//  1. Load the publication sequence. If the keys are not words, pin.
//  2. Search the tree: one load for each level, no lock, no write. A change of the leaf during
//     the search can lead it to a neighbour, so the result is a hint.
//  3. Load the state word of the range that was found, and then compare its bounds with the key.
//     The order matters: if the state word is the same later, the bounds belong to the life that
//     it shows.
//  4. If there is no range, or it does not cover the key, load the sequence again. If it is even
//     and unchanged, the tree did not change during the search, and the key is definitely in a
//     gap. Otherwise look once, pinned, at all ranges of the key's leaf. A range that is in the
//     map all the time is among them; if one covers the key, go on with step 5. If none does,
//     nothing is known: go to step 7.
//  5. Look at the state word of step 3. If a writer has excluded the range, or it is full, go to
//     step 7. This look comes before the add so that readers that are refused cannot delay a
//     writer that waits for the count to become zero. If the range is announced, go on as
//     announced.go says. If an exclusive guard is held, or the range has a queue, join the queue
//     (waitqueue.go).
//  6. Add one to the count without a condition, and therefore without a loop. If the result admits
//     readers and shows the life of step 3, the guard is held. If not, take the count back. That
//     is a release like any other, and can be the one that a writer waits for. What it must do for
//     others depends on the state word that it leaves behind, which can be of a later life. If the
//     result showed the life of step 3 and a flag that keeps readers out, go on as in step 5.
//     Otherwise search once more, pinned.
//  7. Take the semaphore for reading. This waits for the writer.
//  8. Search again, and if a range covers the key, add one to its count. It cannot be excluded
//     while the semaphore is held. Release the semaphore. To use the result of step 2 instead is
//     the tempting mistake: it is older than the writer's changes.
//  9. Release takes one from the count. If the count is then zero, it wakes the writer if the
//     range is excluded, and tries to finish the range if it is detached (step 5 in detach.go).
//
// Steps 1 to 6 may report busy when nothing is in the way any more. They never enter an excluded
// range, and never report a gap that a writer is about to fill.

// outcome is the result of a look without the semaphore.
type outcome int

const (
	missed  outcome = iota // no range covers the key, definitely
	entered                // the guard is held

	// After each of the others a search with the semaphore decides.

	busy     // a writer has the range, or it is full
	unproved // no range found, but a writer was changing the map
	gone     // the range that was found is leaving the map

	// After this one the range's queue decides, if it has one.

	queued // an exclusive guard is held, or the range has a queue; the guard says which range
)

// Acquire takes a guard on the range that covers key (Lo <= key and key < Hi), and reports
// whether there is one. If not, the guard is the zero Guard.
//
// The answer is true as of one instant between call and return: Acquire never reports a gap that
// was there neither before nor after a transaction, and never a range of an unfinished one.
//
// Unless it waits, Acquire takes no lock, takes a bounded number of steps, and allocates nothing,
// except once in a map, when two readers first meet in a range. It waits only in these cases:
//
//   - A writer has excluded the range, or has inserted, replaced or removed it in a transaction
//     that has not ended; or no range covers the key and a writer has begun to change the map.
//     Acquire waits until that writer, and the writers that were queued before, have ended their
//     transactions.
//   - An exclusive guard on the range is held, or another goroutine waits for one. Acquire joins
//     the queue for the range.
//
// [Map.AcquireContext] bounds the wait. A goroutine that holds a guard of the map, or has a
// transaction, must not call Acquire; see [Map].
//
// It panics if the range has 2^28 guards. On a closed map it reports false.
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

// AcquireContext is like [Map.Acquire], but a wait ends when ctx is done, and then it returns a
// [WaitError]. If there is nothing to wait for it succeeds even if ctx is done. If no range
// covers the key it returns [ErrNotFound], and on a closed map [ErrClosed]. With an error the
// guard is the zero Guard.
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

// TryAcquire is like [Map.Acquire] but never blocks: where Acquire would wait, or panic because
// the range is full, it returns [ErrBusy]. It returns [ErrNotFound] only if no range covers the
// key, and on a closed map [ErrClosed]. It may report busy when a writer has just left; it never
// enters an excluded range. With an error the guard is the zero Guard.
//
// A goroutine that holds a guard of the same map, or has a transaction, may call it.
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

// View calls f with the range that covers key and its value, and reports whether there is such
// a range. If there is none it does not call f. A guard on the range is held during the call, and
// released when f returns or panics. View waits as [Map.Acquire] does, and f is bound by the
// rules for a goroutine that holds a guard. Use [Map.AcquireContext] to bound the wait.
func (m *Map[K, V]) View(key K, f func(r Range[K], v V)) bool {
	g, ok := m.Acquire(key)
	if !ok {
		return false
	}
	defer g.Release()
	f(g.Range(), g.Value())
	return true
}

// enter is the fast path of all acquires. It may return busy when nothing is in the way any
// more. It never enters an excluded range, and never returns missed for a key that has a range.
//
// Nothing protects the header that the search has found: it may leave the map, and begin another
// life, at any time. Therefore a hit must prove itself. Find has loaded the state word before it
// compared the bounds. If the add finds the same life and no flag, the range was attached then
// and is attached now, in one life, so the bounds are of that life; and since the add it has a
// guard. An announcement is proved in the same way by a second load.
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
	// Look before adding: refused readers must not delay a writer that waits for the count
	// to become zero.
	if uint32(s) < limit {
		invariants.At("rangelock: range looked at")
		// The add is unconditional: no loop. It pairs with the writer's Or: the second of
		// the two sees the first. Where readers meet they announce themselves (announced.go).
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

// enterBeside is the rest of enter after an add that may have failed: it left the state n, and s
// was the state before it. Either readers have met in the map, or other readers are in the range,
// or the state word has changed: a flag may keep readers out now, or the header may be in another
// life, with other bounds.
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

// enterRefused is the rest of enter after the state n, found in place of s, has refused it. If it
// returns queued, the guard is not held but says for which range and life the caller must queue.
//
//go:noinline
func (m *Map[K, V]) enterRefused(h *header[K, V], s, n uint64, key K) (Guard[K, V], outcome) {
	if n&^lowMask == s&^lowMask && n&barred != 0 {
		return Guard[K, V]{h: h, life: s &^ lowMask}, refusal(n)
	}
	return m.enterPinned(key)
}

// enterPinned is enter for maps in which a search loads more than words, and for a reader that
// needs more than one look. The pin delays the next life of every header that the search meets,
// which protects the memory that it compares. A defer unpins: a comparison can panic, because it
// is the user's function, or because it reads memory that can fault (debug.SetPanicOnFault).
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

// enterAgain is admitAgain for a caller that is not pinned.
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

// admitAgain continues after a search that found nothing; seq is the publication sequence from
// before the search.
//
// Preconditions: the caller is pinned.
func (m *Map[K, V]) admitAgain(key K, seq uint64) (Guard[K, V], outcome) {
	h, a := m.lookAgain(key, seq)
	if h == nil {
		return Guard[K, V]{}, a
	}
	return m.admit(h)
}

// lookAgain returns a range that covers key although a search did not find it, because a writer
// was storing into the leaf at the time. If there is none it returns nil, and says whether that
// is a proof. A range that is in the map all the time is found, so its readers do not wait for
// writers of its neighbours.
//
// Preconditions: the caller is pinned.
func (m *Map[K, V]) lookAgain(key K, seq uint64) (h *header[K, V], a outcome) {
	if m.proveMiss(seq) == missed {
		return nil, missed
	}
	m.tree.Look(key, func(e *rangetree.Entry[K]) bool {
		h = headerOf[K, V](e)
		return h.State.Load()&excluded == 0 // a range that has just left may cover key, too
	})
	return h, unproved
}

// admit takes a guard on h unless a flag keeps readers out. It may return busy when nothing is
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

// admits reports whether an add that left the state n has taken a guard: n is in the life of s,
// which was loaded before and had no flag that keeps readers out, and n has none either. The
// range may have become announced in between; counting is correct then, too.
func admits(n, s uint64) bool {
	return (n^s)&^(readerMask|announced) == 0 && n&readerMask <= limit
}

// refusal returns why the state s admits no reader.
func refusal(s uint64) outcome {
	switch {
	case s&detached != 0:
		return gone
	case s&excluded == 0 && s&(reserved|exclusiveHeld) != 0:
		return queued
	}
	return busy
}

// proveMiss turns a search that found nothing into an outcome; seq is the publication sequence
// from before the search. If it is even and unchanged, no transaction had begun to publish then
// and none has since. Then the tree did not change during the search, and its result was true at
// each instant of it.
func (m *Map[K, V]) proveMiss(seq uint64) outcome {
	invariants.At("rangelock: nothing found")
	if seq&1 == 0 && m.pub.Load() == seq {
		return missed
	}
	return unproved
}

// undo takes back a refused add. It is a release like any other: a writer may be waiting for
// exactly this count. Meanwhile h may have begun another life, with the count in it. So what
// the undo must do for others depends only on the state word that it leaves behind.
func (m *Map[K, V]) undo(h *header[K, V]) {
	invariants.At("rangelock: refused, before the undo")
	n := h.State.Add(^uint64(0))
	m.releaseSlow(h, n&^lowMask, n)
}
