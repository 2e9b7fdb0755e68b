package rangelock

import (
	"iter"
	"slices"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
)

// AllIn is [Map.All] for the ranges that overlap r, the whole of each. If r is not valid it
// yields nothing.
func (m *Map[K, V]) AllIn(r Range[K]) iter.Seq2[Range[K], V] {
	return func(yield func(Range[K], V) bool) { m.overlapping(r, holder[K, V]{}, yield) }
}

// Backward is [Map.AllIn] from the last range to the first. Of what is put in during the walk it
// passes over what would overlap a range that it has yielded.
func (m *Map[K, V]) Backward(r Range[K]) iter.Seq2[Range[K], V] {
	return func(yield func(Range[K], V) bool) { m.backward(r, yield) }
}

// First returns the first range and its value, and whether there is one: the first that
// [Map.All] would yield. It never waits, and leaves no guard.
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

// walkBack yields, for method, the ranges that start below end and end above lo, the last one
// first; nil is no bound. It reads a leaf while pinned and yields it when not.
//
// The leaf before is sought by where the last range began. What has been put there since and
// ends above that is passed over: it would overlap what was yielded. A range that is
// attached during the whole walk is not, since it is disjoint from each of those.
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

// readBack reads ranges of one leaf, while pinned; below says that they have to end by end.
func (m *Map[K, V]) readBack(p *page[K, V], lo, end *K, below bool) {
	pin := m.domain.Pin()
	defer pin.Unpin() // compare may panic
	var buf [rangetree.LeafCap]*rangetree.Entry[K]
	p.fill(m.leafBelow(buf[:0], lo, end, below))
}

// leafBelow appends to buf the ranges of one leaf that start below end and end above lo, if those
// are not nil, the last such leaf that has some. With below they must end by end, too.
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
			more = false // what is before that ends below lo, too
		}
		if found = slices.DeleteFunc(found, foreign); len(found) > 0 {
			return found
		}
	}
	return buf
}
