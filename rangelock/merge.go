package rangelock

import "fmt"

// Merge makes one range of the two that meet at at, the one that ends there and the
// one that starts there, with the value that Options.MergeValue makes of their
// values. It excludes both and waits for the guards on them. Nothing is retired: the
// values move.
//
// It returns [ErrNotFound], wrapped with the key, if no two ranges meet at at;
// [ErrPartial] if there is no MergeValue or if it says that the two do not go
// together; [ErrClosed] on a closed map; a [WaitError] if the transaction's context
// ends the wait. Then nothing has changed. MergeValue is called after the wait, when
// both ranges are excluded.
func (w Writer[K, V]) Merge(at K) error {
	m, err := w.change("Merge")
	if err != nil {
		return err
	}
	defer m.done()
	var s span[K, V]
	if !m.meet(&s, at) {
		return fmt.Errorf("%w: no two ranges meet at %v", ErrNotFound, at)
	}
	left, right := m.scratch[0], m.scratch[1]
	if m.options.MergeValue == nil {
		return fmt.Errorf("%w: no Options.MergeValue to merge %v and %v", ErrPartial, left.bounds(), right.bounds())
	}
	if err := m.exclude(); err != nil {
		return err
	}
	v, ok := m.options.MergeValue(left.bounds(), right.bounds(), left.value, right.value)
	if !ok {
		return fmt.Errorf("%w: MergeValue refused %v and %v", ErrPartial, left.bounds(), right.bounds())
	}
	m.publishing()
	h := m.newHeader(Range[K]{Lo: left.lo, Hi: right.hi, Unbounded: right.unbounded}, v)
	m.supplant(&s, -1, h)
	m.length.Add(1)
	m.touch(h)
	m.vacate(left)
	m.vacate(right)
	return nil
}

// meet fills m.scratch with the two ranges that meet at key, and reports whether
// there are two.
func (m *Map[K, V]) meet(s *span[K, V], key K) bool {
	right := m.find(m.root.Load(), key)
	if right == nil || m.compare(right.lo, key) != 0 {
		return false
	}
	left := m.floorBefore(s, key)
	if left == nil || left.unbounded || m.compare(left.hi, key) != 0 {
		return false
	}
	m.scratch = append(m.scratch[:0], left, right)
	s.r = s.l
	s.r.i++
	s.r.header() // right
	s.r.i++
	s.tail = s.r.header() == nil
	return true
}

// floorBefore places s.l at the last range that starts before key, at which a range
// starts, and returns it, or nil.
func (m *Map[K, V]) floorBefore(s *span[K, V], key K) *header[K, V] {
	m.seek(&s.l, m.root.Load(), key)
	s.l.i-- // at the range that starts at key
	if s.l.i == 0 && !s.l.previousLeaf() {
		return nil
	}
	s.l.i--
	return s.l.leaf.ranges[s.l.i].Load()
}
