package rangelock

import "github.com/spanlock/spanlock/internal/rangetree"

// Extract takes the range that covers key out of the map and returns its value. The caller owns
// the value then: OnRetire is not called for it. Extract excludes the range and waits until the
// guards on it are released, so the caller can use the value as soon as Extract returns. After
// [Writer.Remove], in contrast, OnRetire gets the value after a grace period. If the transaction
// has already excluded the range, for example by TryExclude, Extract does not wait. An extracted
// range is not pending: Options.MaxPending does not bound it, and Drain does not wait until the
// caller has finished with the value.
//
// A reader may still have a copy of the value, from [Map.Get] or [Map.All], which take no guard.
// If a load of [Map.AcquireOrLoad] is under way for a key of the range, what it returns is stale.
//
// Extract returns [ErrNotFound], in a [KeyError], if no range covers key; [ErrClosed] on a closed
// map; a [WaitError] if the transaction's context ends the wait. On error nothing has changed,
// and the range and the value are zero.
//
// In the terminology of the Go memory model, the Release of each guard on the range synchronizes
// before the return of Extract with a nil error.
func (w Writer[K, V]) Extract(key K) (r Range[K], v V, err error) {
	m, err := w.change("Extract")
	if err != nil {
		return r, v, err
	}
	var x rangetree.Cut[K]
	h := m.collectAt(&x, key)
	if h == nil {
		return r, v, m.notFound(key)
	}
	defer m.done()
	m.loads.planStale(h.bounds())
	if h.State.Load()&excluded == 0 { // else this transaction has waited already
		if err := m.exclude(); err != nil {
			return r, v, err
		}
	}
	r, v = h.bounds(), h.value
	m.loads.makeStale()
	m.publishing()
	m.tree.Remove(&x)
	// The value has moved, so OnRetire is not called for it, and no call waits until the last
	// refused reader has left.
	m.detachMoved(h)
	return r, v, nil
}
