package rangelock

import "fmt"

// This file compares ranges and keys in the map's order. It changes nothing.

// validFunc reports whether r is a valid range under compare, and panics if compare contradicts
// itself on its bounds. It is the only check of compare, and costs one or three calls for each
// range.
func validFunc[K any](compare func(a, b K) int, r Range[K]) bool {
	if c := compare(r.Lo, r.Lo); c != 0 {
		panic(fmt.Sprintf("rangelock: compare is no order: compare(%v, %v) = %d, want 0 for the same key", r.Lo, r.Lo, c))
	}
	if r.Unbounded {
		return true
	}
	there, back := compare(r.Lo, r.Hi), compare(r.Hi, r.Lo)
	if sign(there) != -sign(back) {
		panic(fmt.Sprintf("rangelock: compare is no order: compare(%v, %v) = %d but compare(%v, %v) = %d",
			r.Lo, r.Hi, there, r.Hi, r.Lo, back))
	}
	return there < 0
}

// sign returns -1, 0 or 1.
func sign(c int) int {
	switch {
	case c < 0:
		return -1
	case c > 0:
		return 1
	}
	return 0
}

// endsBy reports whether h ends at or before key.
func (m *Map[K, V]) endsBy(h *header[K, V], key K) bool {
	return !h.Unbounded() && m.compare(h.Hi, key) <= 0
}

// startsAfter reports whether h starts at or after the end of r.
func (m *Map[K, V]) startsAfter(h *header[K, V], r Range[K]) bool {
	return !r.Unbounded && m.compare(r.Hi, h.Lo) <= 0
}

// overlap reports whether a and b have a key in common. Both must be valid.
func (m *Map[K, V]) overlap(a, b Range[K]) bool {
	return m.before(a.Lo, b) && m.before(b.Lo, a)
}

// covers reports whether h lies completely in r.
func (m *Map[K, V]) covers(r Range[K], h *header[K, V]) bool {
	if m.compare(r.Lo, h.Lo) > 0 {
		return false
	}
	return r.Unbounded || !h.Unbounded() && m.compare(h.Hi, r.Hi) <= 0
}

// before reports whether key is before the end of r.
func (m *Map[K, V]) before(key K, r Range[K]) bool {
	return r.Unbounded || m.compare(key, r.Hi) < 0
}

// contains reports whether key lies in r.
func (m *Map[K, V]) contains(r Range[K], key K) bool {
	return m.compare(r.Lo, key) <= 0 && m.before(key, r)
}

// same reports whether a and b have the same bounds.
func (m *Map[K, V]) same(a, b Range[K]) bool {
	return m.compare(a.Lo, b.Lo) == 0 && a.Unbounded == b.Unbounded && (a.Unbounded || m.compare(a.Hi, b.Hi) == 0)
}
