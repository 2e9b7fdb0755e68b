package rangelock

import "github.com/spanlock/spanlock/internal/rangetree"

// Swap retires every range that lies in r, as Retire does, and attaches r with the
// value v in their place. The ranges need not fill r; where there is none Swap is
// Insert. It never waits for a reader. Readers see the old ranges until the swap,
// then wait for the end of the transaction, then see the new one; never a gap.
// Guards that are held keep the old ranges.
//
// Its errors are those of [Writer.Retire], and [ErrFull] where there is nothing in r and the
// map has Options.MaxRanges ranges; then nothing has changed.
func (w Writer[K, V]) Swap(r Range[K], v V) error { return w.install("Swap", r, v, false) }

// Replace takes every range that lies in r out of the map, after it has excluded
// them and waited until the guards on them are released, and attaches r with the
// value v in their place. Readers see the old ranges until they are excluded, then
// wait for the end of the transaction, then see the new one; never a hole. Where
// nothing overlaps r it is an Insert. It is to [Writer.Swap] as [Writer.Remove] is
// to [Writer.Retire], and does for whole ranges what mmap does with MAP_FIXED.
//
// Its errors are those of [Writer.Remove], and [ErrFull] as Swap has it; then nothing has
// changed.
func (w Writer[K, V]) Replace(r Range[K], v V) error { return w.install("Replace", r, v, true) }

// install attaches r with v in the place of the ranges that lie in it; wait says
// whether to exclude them first.
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

// supplant attaches r with v in the place of the ranges in m.scratch; wait says whether to
// exclude them first.
//
// Preconditions: what it invalidates is planned.
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
