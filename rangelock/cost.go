package rangelock

import (
	"fmt"
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

// weigh sets the cost of each of hs, which are to leave, and returns ErrBacklog if they are
// too heavy together.
//
// Preconditions: the caller holds sem for writing and has changed nothing.
func (m *Map[K, V]) weigh(hs []*header[K, V], r Range[K], bounded bool) error {
	var sum total
	for _, h := range hs {
		cost := m.costOf(h.bounds(), h.value)
		h.cost = cost
		sum.add(cost)
	}
	if !bounded {
		return nil
	}
	return m.pending.bearable(sum, r)
}

// weighParts returns ErrBacklog if those parts of the ranges in m.scratch that lie in r are too
// heavy together.
//
// Preconditions: those of weigh.
func (m *Map[K, V]) weighParts(r Range[K]) error {
	if m.options.MaxPending == 0 {
		return nil
	}
	var sum total
	for _, h := range m.scratch {
		part := h.bounds()
		if m.compare(part.Lo, r.Lo) < 0 {
			part.Lo = r.Lo
		}
		if !r.Unbounded && !m.endsBy(h, r.Hi) {
			part = Span(part.Lo, r.Hi)
		}
		sum.add(m.costOf(part, h.value))
	}
	return m.pending.bearable(sum, r)
}

// bearable returns ErrBacklog if sum, the cost of what is to leave of r, is too much beside what
// is pending.
func (p *pending[K, V]) bearable(sum total, r Range[K]) error {
	max := p.m.options.MaxPending
	if max == 0 {
		return nil
	}
	p.mu.Lock()
	there := p.cost
	p.mu.Unlock()
	if !there.plus(sum).within(max) {
		return &BacklogError[K]{Range: r, Cost: sum.int64(), Pending: there.int64(), MaxPending: max}
	}
	return nil
}

// costOf returns what a range weighs while it is pending. It panics if that is negative.
func (m *Map[K, V]) costOf(r Range[K], v V) int64 {
	if m.options.Cost == nil {
		return 1
	}
	cost := m.options.Cost(r, v)
	if cost < 0 {
		panic(fmt.Sprintf("rangelock: Options.Cost returned %d for %v", cost, r))
	}
	return cost
}
