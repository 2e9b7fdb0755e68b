package rangelock

import "github.com/spanlock/spanlock/internal/rangetree"

// Extract takes the range that covers key out of the map and gives its value to the
// caller, in the place of OnRetire, which is not called for it. It excludes the range and
// waits until the guards on it are released. So the caller has the value to itself as soon
// as Extract returns, where after [Writer.Remove] OnRetire has it after a grace period;
// after a TryExclude of the range Extract does not wait. What was extracted is not pending:
// Options.MaxPending does not bound it, and Drain does not wait until the caller is done
// with the value.
//
// A reader may have copied the value without a guard, with [Map.Get] or [Map.All]. A load of
// [Map.AcquireOrLoad] under way becomes stale as it does for Remove.
//
// It returns [ErrNotFound], in a [KeyError], if no range covers it; [ErrClosed] on a
// closed map; a [WaitError] if the transaction's context ends the wait. Then nothing has
// changed, and the range and the value are zero.
//
// In the terminology of the Go memory model, the Release of each guard on the range
// synchronizes before the return of Extract with a nil error.
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
	// The value has moved: so OnRetire is not for it, and nobody has to be told when the
	// last reader in passing has left.
	m.detachMoved(h)
	return r, v, nil
}
