package rangelock

import (
	"iter"

	"github.com/spanlock/spanlock/internal/rangetree"
)

// Put makes r one range with the value v, whatever was there. Ranges that lie in r leave, as
// by [Writer.Retire], and are not waited for. A range that sticks out of r is trimmed: what is
// outside of r stays, as a range of its own; one that sticks out at both ends leaves two.
// Where Options.PutEvicts says so, it is retired instead, whole. It is what a cache of regions,
// routes or leases does with what it has just learned.
//
// What Put trims it excludes, and so it waits for the guards on it, as [Writer.Split] does; with
// PutEvicts it waits for no reader. Without a SplitValue each part of a trimmed range has its
// value. With one, SplitValue cuts it at the ends of r, and the part in r is retired with the
// value that it gets. If a SplitValue fails nothing has changed, but for one case: what was cut
// at the low end of r before that failed at the high end stays cut.
//
// Readers see the old ranges until the change, then wait for the end of the transaction, then
// see the new ones; never a gap. What a load of [Map.AcquireOrLoad] under way brings for keys in
// r, or in what Put evicts, is stale from then on.
//
// It returns [ErrPartial], in a [RangeError], if it would have to trim a range of a map with an
// OnRetire and without a SplitValue, because one value would be retired twice; [ErrFull] if
// there would be more than Options.MaxRanges ranges; the error of SplitValue, in a RangeError;
// [ErrBadRange] if r is not valid; [ErrBacklog] as Options.MaxPending says, where a part that is
// cut off weighs what Cost says of its bounds and the value of the whole; [ErrClosed] on a closed
// map; a [WaitError] if the transaction's context ends the wait. Then nothing has changed, but
// for what is said above.
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
		return m.inTheWay(ErrPartial, r, "would cut", cut[0].bounds())
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

// collectOver fills m.scratch with the ranges that overlap r, and notes in x where they are.
func (m *Map[K, V]) collectOver(x *rangetree.Overlay[K], r Range[K]) {
	m.tree.PlanOverlay(x, r.Lo, r.Hi, r.Unbounded, m.intoScratch())
}

// sticking appends to cut the ranges that stick out.
func sticking[K, V any](x *rangetree.Overlay[K], cut []*header[K, V]) []*header[K, V] {
	if x.Left != nil {
		cut = append(cut, headerOf[K, V](x.Left))
	}
	if x.Right != nil && x.Right != x.Left {
		cut = append(cut, headerOf[K, V](x.Right))
	}
	return cut
}

// parts returns how many ranges are left of those that stick out.
func parts[K any](x *rangetree.Overlay[K]) (n int) {
	if x.Left != nil {
		n++
	}
	if x.Right != nil {
		n++
	}
	return n
}

// put lays r over the ranges in m.scratch. What is left of those that stick out keeps their
// value.
//
// Preconditions: there is room for what comes; those that stick out are excluded, and nobody
// is in them.
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

// entryOf returns the entry of h, or nil.
func entryOf[K, V any](h *header[K, V]) *rangetree.Entry[K] {
	if h == nil {
		return nil
	}
	return &h.Entry
}

// putSplit is Put where SplitValue makes the values of what a trimmed range leaves. It excludes
// the ranges in cut, which stick out, cuts them, each by an operation of its own, and then puts
// r in the place of what lies in it.
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

// Evict retires every range that overlaps r, the whole of each, and returns them with their
// values, in key order. It is [Writer.Retire] where ranges may stick out of r, and the way to
// invalidate what a cache knows of some keys. It never waits for a reader.
//
// With an OnRetire a value may be through it when Evict returns; it tells then which it was, and
// no more. What a load of [Map.AcquireOrLoad] under way brings for keys in r, or in what is
// evicted, is stale from then on.
//
// It returns [ErrBadRange] if r is not valid; [ErrBacklog] as Options.MaxPending says;
// [ErrClosed] on a closed map. Then nothing has changed, and the sequence is empty.
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

// nothing yields nothing.
func nothing[K, V any](func(Range[K], V) bool) {}

// collectWide fills m.scratch with the ranges that overlap r, which are to leave, whole, and
// plans what that invalidates. It refuses if they would be too much to have pending.
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
