package rangelock

import (
	"math"
	"math/bits"
)

// total is a sum of costs. Each is an int64 that is not negative, and there can be more
// ranges than the sum of which fits into 64 bits: an int64 wraps, and then bounds
// nothing; one that stays at its largest value does not come down again.
type total struct{ hi, lo uint64 }

// add adds a cost.
func (t *total) add(cost int64) {
	var carry uint64
	t.lo, carry = bits.Add64(t.lo, uint64(cost), 0)
	t.hi += carry
}

// sub takes off a cost that was added.
func (t *total) sub(cost int64) {
	var borrow uint64
	t.lo, borrow = bits.Sub64(t.lo, uint64(cost), 0)
	t.hi -= borrow
}

// plus returns the sum of t and o.
func (t total) plus(o total) total {
	lo, carry := bits.Add64(t.lo, o.lo, 0)
	return total{t.hi + o.hi + carry, lo}
}

// within reports whether t is at most max, which is not negative.
func (t total) within(max int64) bool { return t.hi == 0 && t.lo <= uint64(max) }

// int64 returns t, or the largest int64 if t is larger.
func (t total) int64() int64 {
	if !t.within(math.MaxInt64) {
		return math.MaxInt64
	}
	return int64(t.lo)
}
