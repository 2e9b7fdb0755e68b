package rangelock

import "github.com/spanlock/spanlock/internal/rangetree"

// Swap retires every range that lies in r, as [Writer.Retire] does, and attaches r with the value
// v in their place. The ranges need not fill r. If there are none, Swap is Insert. It never waits
// for a reader. Readers find the old ranges until the swap, then wait for the end of the
// transaction, and then find the new range; they never find a gap. Guards that are held keep the
// old ranges.
//
// Its errors are those of [Writer.Retire], and [ErrFull] if no range lies in r and the map has
// Options.MaxRanges ranges. On error nothing has changed.
func (w Writer[K, V]) Swap(r Range[K], v V) error { return w.install("Swap", r, v, false) }

// Replace excludes every range that lies in r, waits until the guards on them are released, takes
// them out of the map, and attaches r with the value v in their place. Readers find the old
// ranges until these are excluded, then wait for the end of the transaction, and then find the
// new range; they never find a gap. If no range overlaps r, Replace is Insert. It differs from
// [Writer.Swap] as [Writer.Remove] differs from [Writer.Retire], and does for whole ranges what
// mmap does with MAP_FIXED.
//
// Its errors are those of [Writer.Remove], and [ErrFull] as for Swap. On error nothing has
// changed.
func (w Writer[K, V]) Replace(r Range[K], v V) error { return w.install("Replace", r, v, true) }

// install is Replace if wait is true, else Swap.
func (w Writer[K, V]) install(method string, r Range[K], v V, wait bool) error {
	m, err := w.changeRange(method, r)
	if err != nil {
		return err
	}
	defer m.done()
	var x rangetree.Cut[K]
	if err := m.collectWhole(&x, r); err != nil {
		return err
	}
	m.loads.planStale(r)
	return m.supplant(&x, r, v, wait)
}

// supplant attaches r with v in the place of the ranges in m.scratch. If wait is true it excludes
// them and waits for their readers first.
//
// Preconditions: planStale has been called for what the operation invalidates.
func (m *Map[K, V]) supplant(x *rangetree.Cut[K], r Range[K], v V, wait bool) error {
	if len(m.scratch) == 0 {
		if err := m.insert(r, v); err != nil {
			return err
		}
		m.loads.makeStale()
		return nil
	}
	m.tree.Supplant(x, r.Lo, r.Hi, r.Unbounded)
	if wait {
		if err := m.exclude(); err != nil {
			return err
		}
	}
	m.loads.makeStale()
	m.publishing()
	h := m.newHeader(r, v)
	m.tree.Replace(x, &h.Entry)
	m.attached(h)
	m.detachAll()
	return nil
}
