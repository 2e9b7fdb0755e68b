package rangelock

import (
	"fmt"
	"math"
	"math/bits"
)

// An operation weighs the ranges that are to leave before it changes anything, and fails with
// ErrBacklog if they would exceed Options.MaxPending together with what is pending already. weigh
// keeps the cost of a range in its header until the range has been through OnRetire.

// total is a sum of costs. A cost is an int64 that is not negative, but the sum of many may need
// more than 64 bits. An int64 would wrap, and then bound nothing; one that stops at its largest
// value would be wrong when costs are subtracted.
type total struct{ hi, lo uint64 }

// add adds a cost.
func (t *total) add(cost int64) {
	var carry uint64
	t.lo, carry = bits.Add64(t.lo, uint64(cost), 0)
	t.hi += carry
}

// sub subtracts a cost that was added before.
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

// weigh sets the cost of each of hs, which are to leave. If bounded is true it returns ErrBacklog
// if together they would exceed MaxPending. r is the operation's range, for the error.
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

// weighParts returns ErrBacklog if the parts of the ranges in m.scratch that lie in r would
// exceed MaxPending.
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

// bearable returns ErrBacklog if sum, the cost of the ranges over r that are to leave, and the
// cost of what is pending exceed MaxPending.
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

// costOf returns the cost of a pending range. It panics if Options.Cost returns a negative one.
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
