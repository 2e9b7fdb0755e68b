package rangelock

import (
	"iter"
	"slices"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
)

// This file has the walks without guards that are not in all.go: over part of the map, backwards,
// and to the first and last range. They read a leaf while pinned, and yield while not pinned, as in
// all.go.

// AllIn is like [Map.All] for the ranges that overlap r, each as a whole. If r is not valid it
// yields nothing.
func (m *Map[K, V]) AllIn(r Range[K]) iter.Seq2[Range[K], V] {
	return func(yield func(Range[K], V) bool) { m.overlapping(r, holder[K, V]{}, yield) }
}

// Backward is like [Map.AllIn], but goes from the last range to the first. It passes over a range
// that was inserted during the walk and overlaps a range that it has yielded.
func (m *Map[K, V]) Backward(r Range[K]) iter.Seq2[Range[K], V] {
	return func(yield func(Range[K], V) bool) { m.backward(r, yield) }
}

// First returns the first range and its value, and whether there is one: the range that [Map.All]
// would yield first. It never waits, and takes no guard.
func (m *Map[K, V]) First() (r Range[K], v V, ok bool) {
	m.walkAll("First", func(first Range[K], w V) bool {
		r, v, ok = first, w, true
		return false
	})
	return r, v, ok
}

// Last returns the last range and its value, and whether there is one, as [Map.First] does.
func (m *Map[K, V]) Last() (r Range[K], v V, ok bool) {
	m.mustBeMade()
	m.walkBack("Last", nil, nil, func(last Range[K], w V) bool {
		r, v, ok = last, w, true
		return false
	})
	return r, v, ok
}

// backward is the loop of Backward.
func (m *Map[K, V]) backward(r Range[K], yield func(Range[K], V) bool) {
	m.mustBeMade()
	if !m.valid(r) {
		return
	}
	var end *K
	if !r.Unbounded {
		end = &r.Hi
	}
	m.walkBack("Backward", &r.Lo, end, yield)
}

// walkBack yields, on behalf of method, the ranges that start below end and end above lo, the last
// one first; nil means no bound. It reads a leaf while pinned and yields it when not pinned.
//
// It seeks the leaf before by the start of the last range. A range that was inserted since, and
// ends above that start, is passed over: it would overlap a range that was yielded. A range that
// is attached during the whole walk is never passed over, because it is disjoint from those that
// were yielded.
func (m *Map[K, V]) walkBack(method string, lo, end *K, yield func(Range[K], V) bool) {
	var p page[K, V]
	m.readBack(&p, lo, end, false)
	if debug && p.n > 0 {
		m.handsOut(method)
	}
	for ; p.n > 0; m.readBack(&p, lo, end, true) {
		for i := p.n - 1; i >= 0; i-- {
			if it := &p.items[i]; !yield(it.r, it.v) {
				return
			}
		}
		end = &p.items[0].r.Lo
	}
}

// readBack reads ranges of one leaf, while pinned. If below is set they must end at or below end.
func (m *Map[K, V]) readBack(p *page[K, V], lo, end *K, below bool) {
	pin := m.domain.Pin()
	defer pin.Unpin() // compare may panic
	var buf [rangetree.LeafCap]*rangetree.Entry[K]
	p.fill(m.leafBelow(buf[:0], lo, end, below))
}

// leafBelow appends to buf the ranges of one leaf that start below end and end above lo, where nil
// means no bound. It takes the last leaf that has such ranges. If below is set they must also end
// at or below end.
//
// Preconditions: the caller is pinned.
func (m *Map[K, V]) leafBelow(buf []*rangetree.Entry[K], lo, end *K, below bool) []*rangetree.Entry[K] {
	seq := m.pub.Load()
	var c rangetree.Cursor[K]
	there := m.tree.SeekBelow(&c, end)
	var found []*rangetree.Entry[K]
	if there {
		found = m.tree.RestBelow(&c, lo, buf)
	}
	invariants.At("rangelock: leaf read backwards")
	foreign := func(e *rangetree.Entry[K]) bool {
		return lo != nil && m.endsBy(headerOf[K, V](e), *lo) || end != nil &&
			(m.compare(e.Lo, *end) >= 0 || below && !m.endsBy(headerOf[K, V](e), *end))
	}
	if m.proveMiss(seq) == missed {
		if len(found) == 0 {
			return found
		}
		if found = slices.DeleteFunc(found, foreign); len(found) > 0 {
			return found
		}
	}
	if end == nil {
		m.tree.SeekBelow(&c, nil)
	} else {
		m.tree.SeekLeaf(&c, *end)
	}
	for more := true; more; {
		found, more = m.tree.SettledBelow(&c, buf)
		if len(found) > 0 && lo != nil && m.endsBy(headerOf[K, V](found[0]), *lo) {
			more = false // all ranges before it end below lo, too
		}
		if found = slices.DeleteFunc(found, foreign); len(found) > 0 {
			return found
		}
	}
	return buf
}
