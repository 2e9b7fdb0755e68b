package rangelock

import "iter"

// item is a range that was read while pinned, to be yielded when not.
type item[K, V any] struct {
	r Range[K]
	v V
}

// All yields the attached ranges with their values in key order. It takes no lock
// and never waits: while others change the map it yields what it finds, each range
// at most once, none that overlaps another, and each was attached at some instant
// of the iteration, be it by a transaction that has not ended. It is not a
// snapshot, and a gap between two ranges need never have been there; a [Reader]'s
// Overlapping shows one state.
//
// It leaves no guard, so a value may be retired before the body sees it or while it
// uses it; the body may use the map, also to change it.
func (m *Map[K, V]) All() iter.Seq2[Range[K], V] {
	return func(yield func(Range[K], V) bool) {
		m.walk(nil, nil, yield)
	}
}

// Overlapping yields the attached ranges that overlap r, the whole of each, with
// their values, in key order. It sees what the transaction has done. The body may go
// on with the transaction: of the ranges ahead that it inserts or takes out, some are
// yielded and some not, since several are read at a time. It must not end the
// transaction and go on. If r is not valid Overlapping yields nothing.
func (w Writer[K, V]) Overlapping(r Range[K]) iter.Seq2[Range[K], V] {
	return w.m.overlapping(r, func() { w.check("Overlapping") })
}

// overlapping is Overlapping for who holds the semaphore; check panics when that
// is over.
func (m *Map[K, V]) overlapping(r Range[K], check func()) iter.Seq2[Range[K], V] {
	check()
	return func(yield func(Range[K], V) bool) {
		check()
		if !m.valid(r) {
			return
		}
		m.walk(&r, check, yield)
	}
}

// walk yields the ranges that overlap within, or all if that is nil. It reads a
// leaf while pinned and yields it when not.
func (m *Map[K, V]) walk(within *Range[K], check func(), yield func(Range[K], V) bool) {
	var buf []item[K, V]
	from, started := within, within != nil
	for {
		buf = m.readLeaf(buf[:0], from, started)
		for _, it := range buf {
			if within != nil && !within.Unbounded && m.compare(within.Hi, it.r.Lo) <= 0 {
				return
			}
			if !yield(it.r, it.v) {
				return
			}
			if check != nil {
				check()
			}
		}
		if len(buf) == 0 {
			return
		}
		last := buf[len(buf)-1].r
		if last.Unbounded {
			return
		}
		from, started = &Range[K]{Lo: last.Hi}, true
	}
}

// readLeaf appends to buf the ranges of one leaf from the first that ends after
// from.Lo, or from the first of all if not started.
func (m *Map[K, V]) readLeaf(buf []item[K, V], from *Range[K], started bool) []item[K, V] {
	pin := m.domain.Pin()
	defer pin.Unpin() // compare may panic
	var c cursor[K, V]
	var h *header[K, V]
	if root := m.root.Load(); started {
		h = m.seekOverlap(&c, root, from.Lo)
	} else {
		c.first(root)
		h = c.header()
	}
	for h != nil {
		buf = append(buf, item[K, V]{h.bounds(), h.value})
		if c.i++; c.i >= c.leaf.n {
			break
		}
		h = c.leaf.ranges[c.i].Load()
	}
	return buf
}
