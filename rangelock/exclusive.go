package rangelock

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
)

// AcquireExclusive takes an exclusive guard on the range that covers key, and reports
// whether there is one: while it is held nobody else has a guard on the range, shared
// or exclusive, so its holder may change what the value refers to. The value itself,
// the bounds, and all other ranges are as with a shared guard; holders of different
// ranges do not know of each other, and no writer's lock is taken. Get does not see
// it, and takes the value of a range that has an exclusive guard.
//
// It waits until the guards on the range are released. Who waits for a range that is
// in use stands in its line, first come first served: one exclusive guard, or all the
// shared ones that stand together, so neither kind starves the other. It stands in no
// line for another range and holds nothing meanwhile. For a writer that has excluded
// the range it waits as [Map.Acquire] does, and a writer's Exclude waits for it as for
// any guard.
//
// A goroutine that holds a guard on the same range waits for itself. What [Map] says of
// goroutines that hold a guard and wait for a writer holds here too, and goroutines
// that take exclusive guards on several ranges must agree on an order, the keys' for
// example.
//
// In the terminology of the Go memory model, the Release of each earlier guard on the
// range synchronizes before the return of AcquireExclusive, and the Release of the
// guard that it returns synchronizes before the return of each later Acquire of it.
func (m *Map[K, V]) AcquireExclusive(key K) (Guard[K, V], bool) {
	g, a, _ := m.acquireExclusive(context.Background(), key)
	return g, a == entered
}

// AcquireExclusiveContext is like [Map.AcquireExclusive], but a wait ends when ctx is
// done, with a [WaitError]. Where nothing has to be waited for it succeeds also
// when ctx is done. Its error for a key without a range is [ErrNotFound], and on
// a closed map [ErrClosed]. With an error the guard is the zero Guard, and nobody behind the
// caller in the line is any worse off.
func (m *Map[K, V]) AcquireExclusiveContext(ctx context.Context, key K) (Guard[K, V], error) {
	g, a, err := m.acquireExclusive(ctx, key)
	if err == nil && a == missed {
		err = m.absent()
	}
	return g, err
}

// TryAcquireExclusive is like [Map.AcquireExclusive] but never blocks: where that would
// wait it returns [ErrBusy]. It returns [ErrNotFound] only when no range covers the
// key, and on a closed map [ErrClosed]. It may report busy when the last guard has just been
// released, or a reader is just being refused; it never enters beside another. With an
// error the guard is the zero Guard.
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

// enterExclusive is the fast path. With taken the guard is not held, and says which range
// it is.
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
	return Guard[K, V]{h: h, life: s &^ lowMask}, queued // or was until now
}
