package rangelock

import (
	"iter"

	"github.com/spanlock/spanlock/internal/rangetree"
)

// This file finds what is beside a key, for a Writer and a Reader: the ranges before and after it,
// and gaps. It only reads the tree.

// Before returns the last range that ends at or below key and its value, and whether there is one.
// It does not wait. Before, Find and After together tell what is below a key, what covers it, and
// what is above it.
func (w Writer[K, V]) Before(key K) (Range[K], V, bool) { return w.check("Before").lastBelow(key) }

// After returns the first range that starts above key and its value, and whether there is one. It
// does not wait.
func (w Writer[K, V]) After(key K) (Range[K], V, bool) { return w.check("After").firstAbove(key) }

// Gaps yields the parts of r that no range covers, in key order. It sees what the transaction has
// done so far. The body may go on with the transaction; [Writer.Overlapping] says what it then
// sees. If r is not valid Gaps yields nothing.
func (w Writer[K, V]) Gaps(r Range[K]) iter.Seq[Range[K]] {
	m := w.check("Gaps")
	return func(yield func(Range[K]) bool) { m.gaps(r, holder[K, V]{w: w}, yield) }
}

// Before is like [Writer.Before].
func (r Reader[K, V]) Before(key K) (Range[K], V, bool) { return r.check("Before").lastBelow(key) }

// After is like [Writer.After].
func (r Reader[K, V]) After(key K) (Range[K], V, bool) { return r.check("After").firstAbove(key) }

// Gaps yields the parts of o that no range covers, in key order. They belong to one state of the
// map. The body must not unlock the Reader and continue. If o is not valid Gaps yields nothing.
func (r Reader[K, V]) Gaps(o Range[K]) iter.Seq[Range[K]] {
	m := r.check("Gaps")
	return func(yield func(Range[K]) bool) { m.gaps(o, holder[K, V]{r: r}, yield) }
}

// lastBelow is Before.
//
// Preconditions: the caller holds the semaphore.
func (m *Map[K, V]) lastBelow(key K) (r Range[K], v V, ok bool) {
	if !m.valid(From(key)) {
		return r, v, false // NaN
	}
	var c rangetree.Cursor[K]
	m.tree.Seek(&c, key)
	h := headerOf[K, V](c.Back())
	if h != nil && !m.endsBy(h, key) {
		h = headerOf[K, V](c.Back())
	}
	return h.found()
}

// firstAbove is After.
//
// Preconditions: the caller holds the semaphore.
func (m *Map[K, V]) firstAbove(key K) (r Range[K], v V, ok bool) {
	if !m.valid(From(key)) {
		return r, v, false
	}
	var c rangetree.Cursor[K]
	m.tree.Seek(&c, key)
	return headerOf[K, V](c.Entry()).found()
}

// gaps is the loop of Gaps.
func (m *Map[K, V]) gaps(r Range[K], o holder[K, V], yield func(Range[K]) bool) {
	if !m.valid(r) {
		return
	}
	gap := r
	ended := false
	m.overlapping(r, o, func(there Range[K], _ V) bool {
		if m.compare(gap.Lo, there.Lo) < 0 && !yield(Span(gap.Lo, there.Lo)) {
			ended = true
			return false
		}
		ended = there.Unbounded
		gap.Lo = there.Hi
		return !ended
	})
	if !ended && m.valid(gap) {
		yield(gap)
	}
}
