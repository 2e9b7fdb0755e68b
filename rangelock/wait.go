package rangelock

import (
	"context"
	"fmt"

	"github.com/spanlock/spanlock/internal/invariants"
)

// This file is what readers do when the fast path cannot tell: wait for the writer, or
// for their turn at the range, and look again.

// acquireSlow goes on where enter or enterExclusive gave up, with its answer a and, if that is taken,
// the range that it was about in g.
func (m *Map[K, V]) acquireSlow(ctx context.Context, key K, g Guard[K, V], a outcome, exclusive bool) (Guard[K, V], outcome, error) {
	op := "Acquire"
	if exclusive {
		op = "AcquireExclusive"
	}
	return m.fallBack(ctx, aboutKey(op, key), g, a, exclusive, func() *header[K, V] { return m.find(key) })
}

// fallBack waits until it has a guard on the range that search finds, exclusive if so
// wanted, or until there is none (missed), or ctx ends. g and a are what the fast path
// has answered.
//
// With taken the caller knows its range and stands in line for it at once. Otherwise
// it waits for the writer and searches again: what the fast path found, or did not
// find, is from before the writer and says nothing now. It stands in line for what it
// finds then, if it has to, while it has the semaphore, and waits when it has given it
// back. Whoever is sent back, because his range has left the map, starts again.
func (m *Map[K, V]) fallBack(ctx context.Context, of subject[K], g Guard[K, V], a outcome, exclusive bool, search func() *header[K, V]) (Guard[K, V], outcome, error) {
	m.fellBack(ctx, of, a)
	var t *waiter[K, V]
	if a == queued {
		g, t = m.queues.enqueue(g.h, g.life, exclusive)
	}
	for {
		if t != nil {
			var err error
			if g, err = m.queues.wait(ctx, of, t); err != nil {
				return Guard[K, V]{}, busy, err
			}
		}
		if a == queued && g.h != nil {
			return m.drawn(g), entered, nil
		}
		if err := m.lockShared(ctx, of); err != nil {
			return Guard[K, V]{}, busy, err
		}
		g, a, t = m.searchAgain(search, exclusive)
		if a != queued {
			return m.drawn(g), a, nil
		}
	}
}

// searchAgain searches behind the writer and gives the semaphore back. With taken it
// returns the caller's turn.
//
// Preconditions: the caller holds sem for reading.
func (m *Map[K, V]) searchAgain(search func() *header[K, V], exclusive bool) (Guard[K, V], outcome, *waiter[K, V]) {
	defer m.sem.RUnlock()
	invariants.At("rangelock: slow path has the semaphore")
	h := search()
	if h == nil {
		return Guard[K, V]{}, missed, nil
	}
	return m.hold(h, exclusive)
}

// lockShared takes the semaphore for reading. It does not look at ctx when there
// is nothing to wait for.
func (m *Map[K, V]) lockShared(ctx context.Context, of subject[K]) error {
	if m.sem.TryRLock() {
		return nil
	}
	return m.lockWaiting(ctx, of, false, m.sem.RLockContext)
}

// hold takes a guard on an attached range: it answers entered, or taken with the
// caller's turn.
//
// Preconditions: the caller holds sem for reading, so no range is excluded.
func (m *Map[K, V]) hold(h *header[K, V], exclusive bool) (Guard[K, V], outcome, *waiter[K, V]) {
	s := h.State.Load()
	if !exclusive && s&(reserved|exclusiveHeld) == 0 {
		n := h.State.Add(1)
		invariants.Check(n&excluded == 0, "range excluded without a writer")
		if n&(reserved|exclusiveHeld) == 0 {
			if n&readerMask > limit {
				m.undo(h)
				panic(fmt.Sprintf("rangelock: more than %d guards on %v", limit, h.bounds()))
			}
			return Guard[K, V]{h: h, life: n &^ lowMask}, entered, nil
		}
		m.undo(h)
	}
	g, t := m.queues.enqueue(h, s&^lowMask, exclusive)
	if t == nil {
		return g, entered, nil
	}
	return g, queued, t
}
