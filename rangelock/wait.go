package rangelock

import (
	"context"
	"fmt"

	"github.com/spanlock/spanlock/internal/invariants"
)

// This file is what readers do when the fast path cannot decide: wait for the writer (step 7 of
// acquire.go), or in the queue of the range (waitqueue.go), and search again (step 8). It takes
// the semaphore for reading.

// acquireSlow continues after enter or enterExclusive, which returned g and a. If a is queued, g
// says for which range.
func (m *Map[K, V]) acquireSlow(ctx context.Context, key K, g Guard[K, V], a outcome, exclusive bool) (Guard[K, V], outcome, error) {
	op := "Acquire"
	if exclusive {
		op = "AcquireExclusive"
	}
	return m.fallBack(ctx, aboutKey(op, key), g, a, exclusive, func() *header[K, V] { return m.find(key) })
}

// fallBack waits until it has a guard on the range that search finds, exclusive if so wanted, or
// until there is no such range (missed), or until ctx ends. g and a are what the fast path
// returned.
//
// If a is queued the caller knows its range, and joins its queue at once. Otherwise it waits for
// the writer and searches again: the fast path's result is older than the writer's changes, and
// proves nothing now. If it has to queue for the range that it finds then, it joins the queue
// while it holds the semaphore, and waits after it has released the semaphore. A caller that is
// requeued, because its range has left the map, starts again.
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

// searchAgain searches after the writer and releases the semaphore. If it returns queued it
// returns the caller's waiter, too.
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

// lockShared takes the semaphore for reading. It does not look at ctx if there is nothing to wait
// for.
func (m *Map[K, V]) lockShared(ctx context.Context, of subject[K]) error {
	if m.sem.TryRLock() {
		return nil
	}
	return m.lockWaiting(ctx, of, false, m.sem.RLockContext)
}

// hold takes a guard on an attached range. It returns entered, or queued and the caller's waiter.
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
