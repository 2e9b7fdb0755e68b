package inspect

import (
	"math"
	"math/bits"
)

// A window is the places from lo to last, including both; lo <= last. The tempting representation
// ends with the place after the last one. Then no window has the last of the 2^64 places, and a
// range there is in no listing.
type window struct{ lo, last uint64 }

// has reports whether one of the places from a to z is in w.
func (w window) has(a, z uint64) bool { return a <= w.last && z >= w.lo }

// clamp returns the place in w that is nearest to p.
func (w window) clamp(p uint64) uint64 { return max(w.lo, min(p, w.last)) }

// size returns the number of places in w, at most 2^64.
func (w window) size() float64 { return float64(w.last-w.lo) + 1 }

// divide returns the 128-bit number hi, lo divided by the size of w. The quotient must be less
// than 2^64.
func (w window) divide(hi, lo uint64) uint64 {
	size := w.last - w.lo + 1
	if size == 0 { // the size is 2^64
		return hi
	}
	q, _ := bits.Div64(hi, lo, size)
	return q
}

// parts returns into how many equal parts w can be divided, at most n, so that each has a place.
func (w window) parts(n int) int {
	if w.last-w.lo < uint64(n) {
		return int(w.last-w.lo) + 1
	}
	return n
}

// cells returns in which of n equal parts of w the places from a to z begin and end. a and z are
// in w. A part counts if it has any share of a place.
func (w window) cells(a, z uint64, n int) (first, last int) {
	hi, lo := bits.Mul64(a-w.lo, uint64(n))
	first = int(w.divide(hi, lo))
	hi, lo = bits.Mul64(z-w.lo, uint64(n))
	lo, carry := bits.Add64(lo, uint64(n)-1, 0)
	last = int(w.divide(hi+carry, lo))
	return first, last
}

// part returns part i of n equal parts: the places that begin in it. n is at most w.parts(n).
func (w window) part(i, n int) window {
	p := window{w.edge(i, n), w.last}
	if i+1 < n {
		p.last = w.edge(i+1, n) - 1
	}
	return p
}

// edge returns the first place that begins in part i of n.
func (w window) edge(i, n int) uint64 {
	// The size of w times i, divided by n and rounded up.
	hi, lo := bits.Mul64(w.last-w.lo, uint64(i))
	lo, carry := bits.Add64(lo, uint64(i+n-1), 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(n))
	return w.lo + q
}

// span returns where the places from a to z begin and end in w, from 0 to 1. Places outside of w
// are left out.
func (w window) span(a, z uint64) (from, to float64) {
	a, z = w.clamp(a), w.clamp(z)
	return float64(a-w.lo) / w.size(), (float64(z-w.lo) + 1) / w.size()
}

// cut returns the part of w between two shares a < b, limited to whole. The shares may lie
// outside of 0 to 1. A part outside of whole is moved inside. A place counts if any share of it
// is in the part.
func (w window) cut(a, b float64, whole window) window {
	// Move each end by a float. To compute the places in floats is tempting, but far from zero
	// they are rounded, and the last one is cut off.
	n := w.size()
	lo, last := math.Floor(a*n), math.Ceil((b-1)*n)
	if n+last-lo >= whole.size() {
		return whole
	}
	if over := -lo - float64(w.lo-whole.lo); over > 0 {
		lo, last = lo+over, last+over
	} else if over := last - float64(whole.last-w.last); over > 0 {
		lo, last = lo-over, last-over
	}
	c := window{whole.move(w.lo, lo), whole.move(w.last, last)}
	return window{c.lo, max(c.lo, c.last)}
}

// move returns the place that is by places after p, or before it if by is negative, limited to w.
// p is in w.
func (w window) move(p uint64, by float64) uint64 {
	switch {
	case by >= float64(w.last-p):
		return w.last
	case -by >= float64(p-w.lo):
		return w.lo
	case by < 0:
		return p - uint64(-by)
	}
	return p + uint64(by)
}
