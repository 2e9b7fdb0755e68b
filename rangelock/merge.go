package rangelock

import "github.com/spanlock/spanlock/internal/rangetree"

// Merge joins the two ranges that meet at the key at: one ends there, the other starts there. The
// new range gets the value that Options.MergeValue makes of their values. Merge excludes both and
// waits for the guards on them. It retires nothing: the values move.
//
// It returns [ErrNotFound], in a [KeyError], if no two ranges meet there; [ErrPartial] if there
// is no MergeValue, or if MergeValue reports that the two cannot be joined; [ErrClosed] on a
// closed map; a [WaitError] if the transaction's context ends the wait. On error nothing has
// changed. MergeValue is called after the wait, when both ranges are excluded.
func (w Writer[K, V]) Merge(at K) error {
	m, err := w.change("Merge")
	if err != nil {
		return err
	}
	defer m.done()
	var x rangetree.Cut[K]
	if !m.meet(&x, at) {
		return &KeyError[K]{Op: "Merge", Key: at, Err: ErrNotFound, why: "no two ranges meet there"}
	}
	left, right := m.scratch[0], m.scratch[1]
	if m.options.MergeValue == nil {
		return m.inTheWay(ErrPartial, left.bounds(), "has no Options.MergeValue to go with", right.bounds())
	}
	if err := m.exclude(); err != nil {
		return err
	}
	v, ok := m.options.MergeValue(left.bounds(), right.bounds(), left.value, right.value)
	if !ok {
		return m.inTheWay(ErrPartial, left.bounds(), "is not to go with", right.bounds())
	}
	m.tree.Supplant(&x, left.Lo, right.Hi, right.Unbounded())
	m.publishing()
	h := m.newHeader(Range[K]{Lo: left.Lo, Hi: right.Hi, Unbounded: right.Unbounded()}, v)
	m.tree.Replace(&x, &h.Entry)
	m.attached(h)
	m.detachMoved(left)
	m.detachMoved(right)
	return nil
}

// meet fills m.scratch with the two ranges that meet at key, and reports whether there are two.
func (m *Map[K, V]) meet(x *rangetree.Cut[K], key K) bool {
	var c rangetree.Cursor[K]
	right := headerOf[K, V](m.tree.SeekOverlap(&c, key))
	if right == nil || m.compare(right.Lo, key) != 0 {
		return false
	}
	left := headerOf[K, V](c.Back())
	if left == nil || m.compare(left.Hi, key) != 0 {
		return false
	}
	m.collect(x, Range[K]{Lo: left.Lo, Hi: right.Hi, Unbounded: right.Unbounded()})
	return true
}
