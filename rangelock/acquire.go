package rangelock

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
)

// answer is what a look without the semaphore found.
type answer int

const (
	missed  answer = iota // no range covers the key, definitely
	entered               // the guard is held

	// From here on only the semaphore can tell.

	busy     // a writer has the range, or it is full
	unproved // no range found, but a writer was changing the set
	gone     // the range that was found is leaving the map

	// And from here on also its line.

	taken // an exclusive guard is held, or somebody stands in line; the guard says for what
)

// Acquire takes a guard on the range that covers key (Lo <= key and key < Hi), and
// reports whether there is one; if not, the guard is the zero Guard. It answers as
// of one instant between call and return: it never reports a gap that was there
// neither before nor after a transaction, and never a range of an unfinished one.
//
// It takes no lock, allocates nothing (but for the first ranges of a map to become hot)
// and takes a bounded number of steps, unless it meets a writer: one that has excluded the range, or, for a key without a
// range, one that has begun to change the set. Then it waits until that writer,
// and those that were queued already, have unlocked. If it meets an exclusive guard,
// or somebody who waits for one, it waits for its turn at the range.
// [Map.AcquireContext] bounds the wait. A goroutine that holds a guard of the map, or a
// transaction, must not call it; see [Map].
//
// It panics when the range has 2^28 guards. On a closed map it reports false.
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
// done. Its error for a key without a range, and on a closed map, is [ErrNotFound].
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
		return g, ErrNotFound
	}
	if debug {
		g = m.remember(g)
	}
	return g, nil
}

// TryAcquire is like [Map.Acquire] but never blocks: where Acquire would wait, or
// panic because the range is full, it returns [ErrBusy]. It returns [ErrNotFound]
// only when no range covers the key. It may report busy when the writer has just
// left; it never enters a range that is excluded. With an error the guard is the
// zero Guard.
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
		return g, ErrNotFound
	}
	return Guard[K, V]{}, ErrBusy
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

// Get returns the value of the range that covers key, and whether there is one,
// and leaves no guard: it is for values that the garbage collector owns. When Get
// returns, the range may have left the map and OnRetire may have run. It answers as
// of one instant, as [Map.Acquire] does. On a closed map it reports false.
//
// It takes no lock unless a writer has the key's range excluded or, for a key
// without a range, has begun to change the set; then it waits for that writer, as
// Acquire does. Where the wait must be bounded, use [Map.AcquireContext]. It does not write
// to the range, so readers of one range do not disturb each other.
func (m *Map[K, V]) Get(key K) (V, bool) {
	if debug {
		m.mayWait("Get", toGet)
	}
	v, a := m.look(key)
	if a >= busy {
		v, a = m.getSlow(key, a)
	}
	return v, a == entered
}

// enter is the fast path of all acquires. It may answer busy when nothing is in
// the way any more; it never enters a range that is excluded, and never answers
// missed for a key that has a range.
//
// The pin is what makes the steps between the search and the add safe: while it is
// held the header that the search found is not recycled, so its bounds, compared
// by the search, still are its bounds when the count is in. Every exit unpins, and
// nothing in between blocks.
func (m *Map[K, V]) enter(key K) (Guard[K, V], answer) {
	if !m.direct {
		return m.enterFunc(key)
	}
	seq := m.pub.Load()
	invariants.At("rangelock: publication sequence read")
	pin := m.domain.Pin()
	h := m.find(key)
	if h == nil {
		g, a := m.enterAgain(key, seq)
		pin.Unpin()
		return g, a
	}
	invariants.At("rangelock: range found")
	// Look before adding: readers that are refused must not hold up a writer that
	// waits for the count to fall to zero.
	s := h.state.Load()
	if uint32(s) < limit {
		invariants.At("rangelock: range looked at")
		// The add is unconditional: no loop. It pairs with the writer's Or: who comes
		// second sees the other. If nothing has changed since the look we are in.
		n := h.state.Add(1)
		if n == s+1 {
			pin.Unpin()
			return Guard[K, V]{h: h, life: s &^ lowMask}, entered
		}
		g, a := m.collided(h, n)
		pin.Unpin()
		return g, a
	}
	g, a := m.admitOdd(h, s)
	pin.Unpin()
	return g, a
}

// enterFunc is enter for maps in which a comparison can panic: because it is the user's,
// or because it reads memory that can fault (debug.SetPanicOnFault). That must not leave
// the pin behind. Apart from the deferred unpin it is the same.
func (m *Map[K, V]) enterFunc(key K) (Guard[K, V], answer) {
	m.mustBeMade()
	seq := m.pub.Load()
	invariants.At("rangelock: publication sequence read")
	pin := m.domain.Pin()
	defer pin.Unpin()
	h := m.find(key)
	if h == nil {
		return m.enterAgain(key, seq)
	}
	invariants.At("rangelock: range found")
	return m.admit(h)
}

// enterAgain goes on where a search has found nothing; seq is the publication sequence from
// before it.
//
// Preconditions: the caller is pinned.
//
//go:noinline
func (m *Map[K, V]) enterAgain(key K, seq uint64) (Guard[K, V], answer) {
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
func (m *Map[K, V]) lookAgain(key K, seq uint64) (h *header[K, V], a answer) {
	if m.proveMiss(seq) == missed {
		return nil, missed
	}
	m.tree.Look(key, func(e *rangetree.Entry[K]) bool {
		h = headerOf[K, V](e)
		return h.state.Load()&excluded == 0 // one that has just left may cover key, too
	})
	return h, unproved
}

// admit is the middle of enter, for who is not in such a hurry.
//
// Preconditions: the caller is pinned.
func (m *Map[K, V]) admit(h *header[K, V]) (Guard[K, V], answer) {
	s := h.state.Load()
	if uint32(s) >= limit {
		return m.admitOdd(h, s)
	}
	invariants.At("rangelock: range looked at")
	n := h.state.Add(1)
	if n == s+1 {
		return Guard[K, V]{h: h, life: s &^ lowMask}, entered
	}
	return m.collided(h, n)
}

// admitOdd is admit for a range whose word, s, is not below limit: it may be hot. With
// taken the guard is not held, and says which range it is.
//
// Preconditions: the caller is pinned.
//
//go:noinline
func (m *Map[K, V]) admitOdd(h *header[K, V], s uint64) (Guard[K, V], answer) {
	if s&barred == 0 && s&hot != 0 {
		return m.enterHot(h)
	}
	return Guard[K, V]{h: h, life: s &^ lowMask}, refusal(s)
}

// refusal says why the state s admits nobody.
func refusal(s uint64) answer {
	switch {
	case s&detached != 0:
		return gone
	case s&excluded == 0 && s&(reserved|alone) != 0:
		return taken
	}
	return busy
}

// look is the fast path of Get: like enter, without a count. The value cannot
// change while the header is attached, and cannot be cleared while we are pinned.
func (m *Map[K, V]) look(key K) (V, answer) {
	if !m.direct {
		return m.lookFunc(key)
	}
	seq := m.pub.Load()
	invariants.At("rangelock: publication sequence read")
	pin := m.domain.Pin()
	h := m.find(key)
	a := missed
	if h == nil {
		h, a = m.lookAgain(key, seq)
	}
	var v V
	if h == nil {
	} else if s := h.state.Load(); s&excluded != 0 {
		a = refusal(s)
	} else {
		v, a = h.value, entered
	}
	pin.Unpin()
	return v, a
}

// lookFunc is look for maps in which a comparison can panic.
func (m *Map[K, V]) lookFunc(key K) (V, answer) {
	m.mustBeMade()
	seq := m.pub.Load()
	invariants.At("rangelock: publication sequence read")
	pin := m.domain.Pin()
	defer pin.Unpin()
	h := m.find(key)
	var v V
	if h == nil {
		var a answer
		if h, a = m.lookAgain(key, seq); h == nil {
			return v, a
		}
	}
	if s := h.state.Load(); s&excluded != 0 {
		return v, refusal(s)
	}
	return h.value, entered
}

// proveMiss turns a search that found nothing into an answer; seq is the
// publication sequence from before the search. No transaction had begun to
// publish then and none has since, so the tree did not change under the search,
// and what it found was true at each instant of it.
func (m *Map[K, V]) proveMiss(seq uint64) answer {
	invariants.At("rangelock: nothing found")
	if seq&1 == 0 && m.pub.Load() == seq {
		return missed
	}
	return unproved
}

// undo takes a refused add back. It is a release like any other: the writer may be
// waiting for just this count.
//
// Preconditions: the caller is still pinned, so h is still in the life that it
// added to.
func (m *Map[K, V]) undo(h *header[K, V]) {
	invariants.At("rangelock: refused, before the undo")
	n := h.state.Add(^uint64(0))
	m.releaseSlow(h, n&^lowMask, n)
}

// getSlow is Get after it met a writer; met is what it met.
func (m *Map[K, V]) getSlow(key K, met answer) (v V, a answer) {
	m.fellBack(met)
	m.lockShared(context.Background())
	defer m.sem.RUnlock()
	if h := m.find(key); h != nil {
		return h.value, entered
	}
	return v, missed
}
