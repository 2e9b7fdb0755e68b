package rangelock

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
)

// This file takes exclusive guards. An exclusive guard is one swap of the state word (waitqueue.go,
// claim), from a state without readers and without a flag that keeps readers out, to one with
// exclusiveHeld and with limit in the count. So the look of every reader (step 5 of acquire.go)
// finds the range full. If the range is announced the caller then looks at the lines, and gives the
// guard up if a mark is there. If the range is in use, the caller joins its queue: the steps are in
// waitqueue.go.

// AcquireExclusive takes an exclusive guard on the one range that covers key, without a
// transaction; [Writer.Exclude], in contrast, keeps readers out of ranges until its transaction
// ends. AcquireExclusive reports whether a range covers key.
//
// While the exclusive guard is held, no other guard is held on the range, shared or exclusive, so
// its holder may change what the value refers to. The value in the map and the bounds stay
// fixed, as with a shared guard, and other ranges are not affected. Exclusive guards on different ranges do not affect each other.
// [Map.Get] takes no guard, so it returns the value even while an exclusive guard is held.
//
// AcquireExclusive waits until the guards on the range are released. A caller that finds the range
// in use joins the queue for that range, first come first served. The range is granted to one
// caller that wants an exclusive guard, or to all callers at the head of the queue that want a
// shared one, so neither kind starves the other. While it waits, the caller has no hold on the
// range and is in no other queue. AcquireExclusive waits for a writer that has excluded the range as [Map.Acquire]
// does, and a writer's Exclude waits for an exclusive guard as for any guard.
//
// A goroutine that holds a guard on the same range waits for itself. The rules in [Map] for a
// goroutine that holds a guard and waits for a writer apply here, too. Goroutines that take
// exclusive guards on several ranges must take them in the same order, for example the order of
// the keys.
//
// In the terminology of the Go memory model, the Release of each earlier guard on the range
// synchronizes before the return of AcquireExclusive, and the Release of the guard that it returns
// synchronizes before the return of each later Acquire of the range.
func (m *Map[K, V]) AcquireExclusive(key K) (Guard[K, V], bool) {
	g, a, _ := m.acquireExclusive(context.Background(), key)
	return g, a == entered
}

// AcquireExclusiveContext is like [Map.AcquireExclusive], but a wait ends when ctx is done, and
// then it returns a [WaitError]. If there is nothing to wait for it succeeds even if ctx is done.
// If no range covers the key it returns [ErrNotFound], and on a closed map [ErrClosed]. With an
// error the guard is the zero Guard, and the queue continues as if the caller had not been in it.
func (m *Map[K, V]) AcquireExclusiveContext(ctx context.Context, key K) (Guard[K, V], error) {
	g, a, err := m.acquireExclusive(ctx, key)
	if err == nil && a == missed {
		err = m.absent()
	}
	return g, err
}

// TryAcquireExclusive is like [Map.AcquireExclusive] but never blocks: where AcquireExclusive would
// wait it returns [ErrBusy]. It returns [ErrNotFound] only if no range covers the key, and on a
// closed map [ErrClosed]. It may report busy when the last guard has just been released, or while
// a reader is being refused; it never takes the guard while another is held. With an error the
// guard is the zero Guard.
func (m *Map[K, V]) TryAcquireExclusive(key K) (Guard[K, V], error) {
	g, a := m.enterExclusive(key)
	switch a {
	case entered:
		if m.traced {
			m.exclusiveTaken("TryAcquireExclusive", g)
		}
		if debug {
			g = m.remember(g)
		}
		return g, nil
	case missed:
		return g, m.absent()
	}
	return Guard[K, V]{}, ErrBusy
}

func (m *Map[K, V]) acquireExclusive(ctx context.Context, key K) (Guard[K, V], outcome, error) {
	if debug && ctx.Done() == nil {
		m.mayAcquire("AcquireExclusive", toExclusive, key)
	}
	g, a := m.enterExclusive(key)
	var err error
	if a >= busy {
		g, a, err = m.acquireSlow(ctx, key, g, a, true)
	}
	if m.traced && a == entered {
		m.exclusiveTaken("AcquireExclusive", g)
	}
	if debug {
		g = m.remember(g)
	}
	return g, a, err
}

// enterExclusive is the fast path. If it returns queued, the guard is not held but says for which
// range the caller must queue.
func (m *Map[K, V]) enterExclusive(key K) (Guard[K, V], outcome) {
	m.mustBeMade()
	seq := m.pub.Load()
	pin := m.domain.Pin()
	defer pin.Unpin() // compare may panic
	h := m.find(key)
	if h == nil {
		var a outcome
		if h, a = m.lookAgain(key, seq); h == nil {
			return Guard[K, V]{}, a
		}
	}
	invariants.At("rangelock: range found")
	s := h.State.Load()
	if s&barred == 0 {
		if g, ok := m.claim(h, s, true); ok {
			return m.drawn(g), entered
		}
		s = h.State.Load()
	}
	if s&excluded != 0 {
		return Guard[K, V]{}, refusal(s)
	}
	return Guard[K, V]{h: h, life: s &^ lowMask}, queued // the range is in use, or was a moment ago
}
