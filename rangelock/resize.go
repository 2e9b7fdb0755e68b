package rangelock

import "github.com/spanlock/spanlock/internal/rangetree"

// Resize gives the range that covers key the bounds r. Its value moves with it, as a mapping does
// with mremap. The range may grow, shrink or move, also to a place that does not overlap the old
// one. Resize excludes the range and waits for the guards on it. It retires nothing.
//
// It returns [ErrNotFound], in a [KeyError], if no range covers key; [ErrBadRange] if r is not
// valid; [ErrOverlap], in a [RangeError], if another range overlaps r; [ErrClosed] on a closed
// map; a [WaitError] if the transaction's context ends the wait. On error nothing has changed.
func (w Writer[K, V]) Resize(key K, r Range[K]) error {
	m, err := w.changeRange("Resize", r)
	if err != nil {
		return err
	}
	old := m.find(key)
	if old == nil {
		return m.notFound(key)
	}
	defer m.done()
	var x rangetree.Cut[K]
	m.collect(&x, r)
	for _, h := range m.scratch {
		if h != old {
			return m.inTheWay(ErrOverlap, r, "would overlap", h.bounds())
		}
	}
	m.loads.planStale(old.bounds())
	if len(m.scratch) == 0 {
		return m.move(old, r)
	}
	m.tree.Supplant(&x, r.Lo, r.Hi, r.Unbounded)
	if err := m.exclude(); err != nil {
		return err
	}
	m.loads.makeStale()
	m.publishing()
	h := m.newHeader(r, old.value)
	m.tree.Replace(&x, &h.Entry)
	m.attached(h)
	m.detachMoved(old)
	return nil
}

// move is Resize for an r that does not overlap the old bounds.
func (m *Map[K, V]) move(old *header[K, V], r Range[K]) error {
	var to rangetree.Slot[K]
	for roomy := false; !roomy; roomy = m.tree.MakeRoom(&to) {
		if err := m.place(&to, r); err != nil {
			return err // never: nothing overlaps r
		}
	}
	var x rangetree.Cut[K]
	m.collect(&x, old.bounds())
	if err := m.exclude(); err != nil {
		return err
	}
	m.loads.makeStale()
	m.publishing()
	// Both places are excluded, so a reader that finds the range in either waits for the end of
	// the transaction.
	h := m.newHeader(r, old.value)
	m.tree.Move(&x, &to, &h.Entry)
	m.attached(h)
	m.detachMoved(old)
	return nil
}
