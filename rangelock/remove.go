package rangelock

import "github.com/spanlock/spanlock/internal/rangetree"

// Remove, Retire, Swap, Replace, Update, Evict and Clear take ranges out of the map in these
// steps:
//
//  1. Remove, Replace and Update exclude the ranges and wait until no reader is in them. Retire,
//     Swap, Evict and Clear leave this step out. There is no other difference.
//  2. publishing makes the publication sequence odd, unless this transaction has done so already.
//  3. The tree is changed. A change in one leaf is one atomic store; where more than one leaf
//     changes, one store publishes the copies. Swap, Replace and Update put the new range into
//     the tree in this step.
//  4. The ranges are detached and finished (detach.go), then retired after a grace period
//     (retire.go).
//
// Put, Extract, Split, Merge and Resize take the same steps. They exclude the ranges whose values
// they move or return; a range whose value has moved is detached but not retired.

// Remove takes every range that lies in r out of the map and returns how many there were. It
// excludes them and waits until the guards on them are released: when it returns, no goroutine
// uses them. OnRetire is called for each of them later, on another goroutine. A caller that holds
// a guard on one of them waits for itself.
//
// If a load of [Map.AcquireOrLoad] is under way for a key in r, what it returns is stale, whether
// or not there was a range. The map keeps the bounds of r while such loads run.
//
// Remove returns [ErrPartial], in a [RangeError], if it would cut a range; [ErrBadRange] if r is
// not valid; [ErrBacklog] as Options.MaxPending says; [ErrClosed] on a closed map; a [WaitError]
// if the transaction's context ends the wait. On error nothing has changed. If no range overlaps
// r it returns (0, nil).
func (w Writer[K, V]) Remove(r Range[K]) (int, error) { return w.remove("Remove", r, true) }

// Retire is like [Writer.Remove] but never waits for a reader. Guards that are held keep their
// range, with its bounds and its value; OnRetire is called for it after the last of them has been
// released. A reader that comes during the transaction waits for its end.
//
// Retire returns [ErrPartial], [ErrBadRange], [ErrBacklog] and [ErrClosed] as Remove does. On
// error nothing has changed.
func (w Writer[K, V]) Retire(r Range[K]) (int, error) { return w.remove("Retire", r, false) }

// remove is Remove if wait is true, else Retire.
func (w Writer[K, V]) remove(method string, r Range[K], wait bool) (int, error) {
	m, err := w.changeRange(method, r)
	if err != nil {
		return 0, err
	}
	defer m.done()
	var x rangetree.Cut[K]
	if err := m.collectWhole(&x, r); err != nil {
		return 0, err
	}
	m.loads.planStale(r)
	if len(m.scratch) == 0 {
		m.loads.makeStale()
		return 0, nil
	}
	if wait {
		if err := m.exclude(); err != nil {
			return 0, err
		}
	}
	m.loads.makeStale()
	m.publishing()
	m.tree.Remove(&x)
	return m.detachAll(), nil
}

// collectWhole fills m.scratch with the ranges that overlap r. It returns an error if one of them
// does not lie in r, or if they would exceed MaxPending.
func (m *Map[K, V]) collectWhole(x *rangetree.Cut[K], r Range[K]) error {
	m.collect(x, r)
	n := len(m.scratch)
	if n == 0 {
		return nil
	}
	for _, h := range []*header[K, V]{m.scratch[0], m.scratch[n-1]} {
		if !m.covers(r, h) {
			return m.inTheWay(ErrPartial, r, "would cut", h.bounds())
		}
	}
	return m.weigh(m.scratch, r, true)
}

// Update gives the range that covers key the value v and retires the old value, even if the two
// are equal. The bounds stay. It excludes the range and waits for the guards on it. To change in
// place what a value points to, [Writer.Exclude] the range instead.
//
// It returns [ErrNotFound], in a [KeyError], if no range covers key; [ErrBacklog] as
// Options.MaxPending says; [ErrClosed] on a closed map; a [WaitError] if the transaction's
// context ends the wait. On error nothing has changed.
func (w Writer[K, V]) Update(key K, v V) error {
	m, err := w.change("Update")
	if err != nil {
		return err
	}
	var x rangetree.Cut[K]
	old := m.collectAt(&x, key)
	if old == nil {
		return m.notFound(key)
	}
	defer m.done()
	if err := m.weigh(m.scratch, old.bounds(), true); err != nil {
		return err
	}
	m.tree.Supplant(&x, old.Lo, old.Hi, old.Unbounded())
	m.loads.planStale(old.bounds())
	if err := m.exclude(); err != nil {
		return err
	}
	m.loads.makeStale()
	m.publishing()
	h := m.newHeader(old.bounds(), v)
	m.tree.Replace(&x, &h.Entry)
	m.attached(h)
	m.detachAll()
	return nil
}

// Clear retires all ranges, as [Writer.Retire] does, and returns how many there were. It never
// waits for a reader. It returns [ErrBacklog] if more would be pending than Options.MaxPending
// allows, and [ErrClosed] on a closed map. On error nothing has changed.
func (w Writer[K, V]) Clear() (int, error) {
	m, err := w.change("Clear")
	if err != nil {
		return 0, err
	}
	return m.clear(true)
}

// clear is Clear. If bounded is false it ignores MaxPending.
func (m *Map[K, V]) clear(bounded bool) (int, error) {
	defer m.done()
	m.scratch = m.scratch[:0]
	var c rangetree.Cursor[K]
	m.tree.First(&c)
	for e := c.Entry(); e != nil; e = c.Entry() {
		m.scratch = append(m.scratch, headerOf[K, V](e))
		c.Next()
	}
	if len(m.scratch) == 0 {
		m.loads.makeAllStale()
		return 0, nil
	}
	all := Range[K]{Lo: m.scratch[0].Lo, Unbounded: true}
	if err := m.weigh(m.scratch, all, bounded); err != nil {
		return 0, err
	}
	m.loads.makeAllStale()
	m.publishing()
	m.tree.Clear()
	return m.detachAll(), nil
}
