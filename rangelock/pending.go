package rangelock

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spanlock/spanlock/internal/seam"
)

// pending counts ranges that have left the map and have not been through OnRetire,
// and what they cost.
//
// Each range is counted in a phase, and a Drain waits for phases, not for ranges: it
// opens a new one for the ranges to come, as SRCU does with its readers, and waits
// until those up to its own are empty. So there is no list of ranges, and ranges that
// leave while it waits do not prolong it.
type pending struct {
	mu     seam.Mutex
	first  uint16 // the oldest phase that is counted; phases wrap, and are compared by difference
	counts []int  // by phase, from first on; new ranges join the last
	cost   total  // of all
	line   []*drainer
	rooms  []*roomer // calls of Room in line, first come first served
}

// maxPhases is how many phases there can be; it keeps their differences well inside
// the numbers. With that many Drains under way, each since another range, one more
// may be prolonged by ranges that leave later.
const maxPhases = 1 << 14

// drainer is a Drain that waits until the phases up to last are empty.
type drainer struct {
	last   uint16
	since  time.Time
	parker *seam.Parker
}

// add counts a range that is about to be detached and returns its phase.
//
// Preconditions: the caller holds sem for writing.
func (p *pending) add(cost int64) uint16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.counts) == 0 {
		p.counts = append(p.counts, 0)
	}
	at := len(p.counts) - 1
	p.counts[at]++
	p.cost.add(cost)
	return p.first + uint16(at)
}

// sub takes a range out of the count again, after its OnRetire.
func (p *pending) sub(phase uint16, cost int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[phase-p.first]--
	p.cost.sub(cost)
	p.grantLocked()
	empty := 0
	for empty < len(p.counts)-1 && p.counts[empty] == 0 {
		empty++
	}
	p.counts = slices.Delete(p.counts, 0, empty)
	p.first += uint16(empty)
	if p.counts[0] == 0 || empty > 0 {
		for _, d := range p.line {
			if p.emptyLocked(d.last) {
				d.parker.Wake()
			}
		}
	}
}

// sum returns how many ranges are counted, and their cost, at most the largest int64.
func (p *pending) sum() (n int, cost int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.counts {
		n += c
	}
	return n, p.cost.int64()
}

// emptyLocked reports whether all ranges of the phases up to last are through.
//
// Preconditions: the caller holds mu.
func (p *pending) emptyLocked(last uint16) bool {
	return int16(last-p.first) < 0 || last == p.first && (len(p.counts) == 0 || p.counts[0] == 0)
}

// wait waits until every range counted before the call is through, and reports whether
// they are; if not, ctx has ended.
func (p *pending) wait(ctx context.Context) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.counts)
	if n == 0 {
		return true
	}
	d := &drainer{last: p.first + uint16(n-1), parker: seam.NewParker()}
	if p.emptyLocked(d.last) {
		return true
	}
	d.since = time.Now()
	switch {
	case p.counts[n-1] == 0:
		d.last-- // nothing has come since the last Drain opened this phase
	case n < maxPhases:
		p.counts = append(p.counts, 0) // what comes from now on is not waited for
	}
	p.line = append(p.line, d)
	p.mu.Unlock()
	ok := d.parker.Park(ctx.Done())
	p.mu.Lock()
	p.line = slices.DeleteFunc(p.line, func(o *drainer) bool { return o == d })
	return ok || p.emptyLocked(d.last)
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
	return m.bearable(sum, r)
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
	return m.bearable(sum, r)
}

// bearable returns ErrBacklog if sum, the cost of what is to leave of r, is too much beside what
// is pending.
func (m *Map[K, V]) bearable(sum total, r Range[K]) error {
	max := m.options.MaxPending
	if max == 0 {
		return nil
	}
	m.pending.mu.Lock()
	there := m.pending.cost
	m.pending.mu.Unlock()
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
