package rangelock

import (
	"iter"

	"github.com/spanlock/spanlock/internal/rangetree"
)

// Put makes r one range with the value v, whatever ranges are there. Ranges that lie in r are
// retired, as by [Writer.Retire], and Put does not wait for their guards. A range that extends
// beyond r is trimmed: the part outside r stays as a range of its own. A range that extends
// beyond both ends leaves two parts. If Options.PutEvicts is set, a range that extends beyond r
// is not trimmed but retired as a whole. Put is the operation by which a cache of regions, routes
// or leases stores what it has learned.
//
// Put excludes a range that it trims and waits for the guards on it, as [Writer.Split] does. With
// PutEvicts it never waits for a reader. Without a SplitValue each part of a trimmed range keeps
// the value of the whole. With one, SplitValue cuts the range at the ends of r, and the part in r
// is retired with the value that SplitValue has given it. If SplitValue fails nothing has
// changed, with one exception: if it fails at the high end of r, a cut that was made at the low
// end stays.
//
// Readers find the old ranges until the change, then wait for the end of the transaction, and
// then find the new ones; they never find a gap. If a load of [Map.AcquireOrLoad] is under way
// for a key in r, or in a range that Put evicts, what it returns is stale.
//
// Put returns [ErrPartial], in a [RangeError], if it would have to trim a range of a map with an
// OnRetire and without a SplitValue, because one value would be retired twice; [ErrFull] if there
// would be more than Options.MaxRanges ranges; the error of SplitValue, in a RangeError;
// [ErrBadRange] if r is not valid; [ErrBacklog] as Options.MaxPending says, where a part that is
// cut off weighs what Cost returns for its bounds and the value of the whole; [ErrClosed] on a
// closed map; a [WaitError] if the transaction's context ends the wait. On error nothing has
// changed, with the exception above.
func (w Writer[K, V]) Put(r Range[K], v V) error {
	m, err := w.changeRange("Put", r)
	if err != nil {
		return err
	}
	defer m.done()
	if m.options.PutEvicts {
		var x rangetree.Cut[K]
		if err := m.collectWide(&x, r); err != nil {
			return err
		}
		return m.supplant(&x, r, v, false)
	}
	var x rangetree.Overlay[K]
	m.collectOver(&x, r)
	var room [2]*header[K, V]
	cut := sticking[K, V](&x, room[:0])
	if len(cut) > 0 && m.options.OnRetire != nil && m.options.SplitValue == nil {
		return m.inTheWay(ErrPartial, r, "would, without Options.SplitValue or PutEvicts, cut", cut[0].bounds())
	}
	if err := m.roomFor(1+parts(&x)-len(m.scratch), r); err != nil {
		return err
	}
	switch {
	case len(cut) == 0:
	case m.options.SplitValue != nil:
		return m.putSplit(&x, cut, r, v)
	default:
		if err := m.excludeThese(cut); err != nil {
			return err
		}
	}
	return m.put(&x, r, v, true)
}

// collectOver fills m.scratch with the ranges that overlap r, and notes their position in x.
func (m *Map[K, V]) collectOver(x *rangetree.Overlay[K], r Range[K]) {
	m.tree.PlanOverlay(x, r.Lo, r.Hi, r.Unbounded, m.intoScratch())
}

// sticking appends to cut the ranges that extend beyond r, the range that x was planned for.
func sticking[K, V any](x *rangetree.Overlay[K], cut []*header[K, V]) []*header[K, V] {
	if x.Left != nil {
		cut = append(cut, headerOf[K, V](x.Left))
	}
	if x.Right != nil && x.Right != x.Left {
		cut = append(cut, headerOf[K, V](x.Right))
	}
	return cut
}

// parts returns how many parts Put leaves of the ranges that extend beyond r.
func parts[K any](x *rangetree.Overlay[K]) (n int) {
	if x.Left != nil {
		n++
	}
	if x.Right != nil {
		n++
	}
	return n
}

// put attaches r with v over the ranges in m.scratch. The parts that it leaves of those that
// extend beyond r keep their value.
//
// Preconditions: roomFor has allowed the ranges that come; those that extend beyond r are
// excluded, and no reader is in them.
func (m *Map[K, V]) put(x *rangetree.Overlay[K], r Range[K], v V, bounded bool) error {
	whole := m.scratch
	left, right := headerOf[K, V](x.Left), headerOf[K, V](x.Right)
	if left != nil {
		whole = whole[1:]
	}
	if right != nil && right != left {
		whole = whole[:len(whole)-1]
	}
	if err := m.weigh(whole, r, bounded); err != nil {
		return err
	}
	m.loads.planStale(r)
	m.loads.makeStale()
	m.publishing()
	var low, high *header[K, V]
	if left != nil {
		low = m.newHeader(Span(left.Lo, r.Lo), left.value)
	}
	h := m.newHeader(r, v)
	if right != nil {
		high = m.newHeader(Range[K]{Lo: r.Hi, Hi: right.Hi, Unbounded: right.Unbounded()}, right.value)
	}
	m.tree.Overlay(x, entryOf(low), &h.Entry, entryOf(high))
	for _, h := range [...]*header[K, V]{low, h, high} {
		if h != nil {
			m.attached(h)
		}
	}
	for _, h := range [...]*header[K, V]{left, right} {
		if h != nil {
			h.move()
		}
	}
	m.detachAll()
	return nil
}

// entryOf returns the entry of h, or nil for nil.
func entryOf[K, V any](h *header[K, V]) *rangetree.Entry[K] {
	if h == nil {
		return nil
	}
	return &h.Entry
}

// putSplit is Put for a map with a SplitValue. It excludes the ranges in cut, which extend beyond
// r, and splits them at the ends of r, each in an operation of its own. Then it puts r in the
// place of the ranges that lie in it.
func (m *Map[K, V]) putSplit(x *rangetree.Overlay[K], cut []*header[K, V], r Range[K], v V) error {
	left, right := headerOf[K, V](x.Left), headerOf[K, V](x.Right)
	if err := m.weighParts(r); err != nil {
		return err
	}
	if err := m.excludeThese(cut); err != nil {
		return err
	}
	if left != nil {
		if err := m.split(left, r.Lo); err != nil {
			return err
		}
		m.plan("Put")
		if right == left {
			right = m.find(r.Lo)
		}
	}
	if right != nil {
		if err := m.split(right, r.Hi); err != nil {
			return err
		}
		m.plan("Put")
	}
	var y rangetree.Overlay[K]
	m.collectOver(&y, r)
	return m.put(&y, r, v, false)
}

// Evict retires every range that overlaps r, as a whole, and returns these ranges with their
// values, in key order. It differs from [Writer.Retire] in that ranges may extend beyond r. A
// cache uses it to invalidate what it knows of some keys. Evict never waits for a reader.
//
// In a map with an OnRetire, OnRetire may already have been called for a value when Evict
// returns: use the value only to see what was evicted. If a load of [Map.AcquireOrLoad] is under
// way for a key in r, or in a range that Evict retires, what it returns is stale.
//
// Evict returns [ErrBadRange] if r is not valid; [ErrBacklog] as Options.MaxPending says;
// [ErrClosed] on a closed map. On error nothing has changed, and the sequence is empty.
func (w Writer[K, V]) Evict(r Range[K]) (iter.Seq2[Range[K], V], error) {
	m, err := w.changeRange("Evict", r)
	if err != nil {
		return nothing[K, V], err
	}
	defer m.done()
	var x rangetree.Cut[K]
	if err := m.collectWide(&x, r); err != nil {
		return nothing[K, V], err
	}
	if len(m.scratch) == 0 {
		m.loads.makeStale()
		return nothing[K, V], nil
	}
	gone := make([]item[K, V], 0, len(m.scratch))
	for _, h := range m.scratch {
		gone = append(gone, item[K, V]{h.bounds(), h.value})
	}
	m.loads.makeStale()
	m.publishing()
	m.tree.Remove(&x)
	m.detachAll()
	return func(yield func(Range[K], V) bool) {
		for i := range gone {
			if !yield(gone[i].r, gone[i].v) {
				return
			}
		}
	}, nil
}

// nothing is the empty sequence.
func nothing[K, V any](func(Range[K], V) bool) {}

// collectWide fills m.scratch with the ranges that overlap r, which are to leave as a whole, and
// calls planStale for all that they cover. It returns an error if they would exceed MaxPending.
func (m *Map[K, V]) collectWide(x *rangetree.Cut[K], r Range[K]) error {
	m.collect(x, r)
	all := r
	if n := len(m.scratch); n > 0 {
		first, last := m.scratch[0], m.scratch[n-1]
		if m.compare(first.Lo, r.Lo) < 0 {
			all.Lo = first.Lo
		}
		if !r.Unbounded && !m.endsBy(last, r.Hi) {
			all.Hi, all.Unbounded = last.Hi, last.Unbounded()
		}
		if err := m.weigh(m.scratch, all, true); err != nil {
			return err
		}
	}
	m.loads.planStale(all)
	return nil
}
