package rangelock

import (
	"slices"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// pending has the ranges that have left the map and have not been through OnRetire, and the sum
// of their costs.
//
// Each range has a slot in a table, from just before its detachment until OnRetire has returned.
// By the slots a survey finds the ranges that still have guards, and DrainRange those that it has
// to wait for.
//
// Each range is counted in a phase, too. A Drain waits for phases, not for ranges: it opens a new
// phase for the ranges to come, as SRCU does with its readers, and waits until the phases up to
// its own are empty. So ranges that leave while it waits do not prolong it.
//
// A slot is written with mu held, and the header in it is cleared with mu held. So with mu held
// the bounds of a pending range stay.
type pending[K, V any] struct {
	m *Map[K, V] // set by the constructor

	mu     seam.Mutex
	free   uint32 // the index of the first free slot, plus one; 0 if there is none
	first  uint16 // the oldest phase in counts; phases wrap, and are compared by difference
	n      int    // slots in use
	cost   total  // of all
	table  []slot[K, V]
	counts []int         // ranges by phase, from first on; new ranges are counted in the last
	drains []*drainer[K] // calls of Drain and DrainRange that wait
	rooms  []*roomWaiter // calls of Room that wait, first come first served

	// watches has, by slot, the calls of DrainRange that wait for the range in it.
	watches map[uint32][]*drainer[K]
}

// slot is the place of a pending range in the table.
type slot[K, V any] struct {
	h     *header[K, V] // nil if the slot is free
	left  time.Time     // when h left the map, if it had a guard then; otherwise zero
	phase uint16
	next  uint32 // in a free slot: the next one, as in pending.free
}

const (
	// maxPhases is the largest number of phases. It keeps their differences well inside an int16.
	// If that many Drains are under way, each begun after another range has left, ranges that
	// leave later may prolong one more Drain.
	maxPhases = 1 << 14

	// maxSpareSlots is the largest table that is kept when it is empty.
	maxSpareSlots = 1024

	// slotsAtOnce is how many slots are examined before mu is given to others.
	slotsAtOnce = 256
)

// add enters h, which is about to be detached, and returns its slot. held says whether a guard is
// held on it.
//
// Preconditions: the caller holds sem for writing.
func (p *pending[K, V]) add(h *header[K, V], held bool) uint32 {
	var left time.Time
	if held {
		left = time.Now()
	}
	cost := h.cost
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.counts) == 0 {
		p.counts = append(p.counts, 0)
	}
	at := len(p.counts) - 1
	p.counts[at]++
	p.n++
	p.cost.add(cost)
	i := p.free
	if i == 0 {
		p.table = append(p.table, slot[K, V]{})
		i = uint32(len(p.table))
	} else {
		p.free = p.table[i-1].next
	}
	p.table[i-1] = slot[K, V]{h: h, left: left, phase: p.first + uint16(at)}
	return i - 1
}

// noteHeld notes that h, which add has put into slot i, had a guard when it left. It does nothing
// if h has been through OnRetire meanwhile.
//
// Preconditions: the caller is the writer that has detached h, so h does not begin another life
// meanwhile.
func (p *pending[K, V]) noteHeld(i uint32, h *header[K, V]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if int(i) < len(p.table) && p.table[i].h == h {
		p.table[i].left = time.Now()
	}
}

// retireDone removes h after its OnRetire, and clears it. After that no goroutine reaches h.
func (p *pending[K, V]) retireDone(h *header[K, V]) {
	i, cost := h.Word.Load(), h.cost
	h.next = nil // h must not keep alive the headers behind it; this also loads its cache line before mu is held
	p.mu.Lock()
	defer p.mu.Unlock()
	phase := p.table[i].phase
	p.cost.sub(cost)
	p.m.clearHeader(h)
	p.table[i] = slot[K, V]{next: p.free}
	p.free = i + 1
	if p.n--; p.n == 0 && len(p.table) > maxSpareSlots {
		p.table, p.free = nil, 0
	}
	p.wakeLocked(i)
	p.grantLocked()
	p.counts[phase-p.first]--
	empty := 0
	for empty < len(p.counts)-1 && p.counts[empty] == 0 {
		empty++
	}
	p.counts = slices.Delete(p.counts, 0, empty)
	p.first += uint16(empty)
	if p.counts[0] == 0 || empty > 0 {
		for _, d := range p.drains {
			if !d.ranged && p.emptyLocked(d.last) {
				d.parker.Wake()
			}
		}
	}
}

// wakeLocked tells the calls that watch slot i that its range has been through OnRetire.
//
// Preconditions: the caller holds mu. This holds for the next two methods.
func (p *pending[K, V]) wakeLocked(i uint32) {
	if len(p.watches) == 0 {
		return
	}
	for _, d := range p.watches[i] {
		if d.count--; d.count == 0 && d.parker != nil {
			d.parker.Wake()
		}
	}
	delete(p.watches, i)
}

// emptyLocked reports whether all ranges of the phases up to last have been through OnRetire.
func (p *pending[K, V]) emptyLocked(last uint16) bool {
	return int16(last-p.first) < 0 || last == p.first && (len(p.counts) == 0 || p.counts[0] == 0)
}

// nextPhaseLocked opens a new phase for the ranges to come, unless the last one is still unused,
// and returns the phase of the range that left last.
func (p *pending[K, V]) nextPhaseLocked() (last uint16) {
	n := len(p.counts)
	last = p.first + uint16(n-1)
	switch {
	case n == 0 || p.counts[n-1] == 0:
		last-- // no range has left since this phase was opened
	case n < maxPhases:
		p.counts = append(p.counts, 0)
	}
	return last
}

// sum returns how many ranges are pending, and their cost, which is at most the largest int64.
func (p *pending[K, V]) sum() (n int, cost int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n, p.cost.int64()
}

// eachLocked calls yield for the slots that are in use, until yield returns false. Now and then
// it gives mu to others. Of the ranges that were pending at the call it yields those that are
// still pending when it comes to them.
//
// Preconditions: the caller holds mu.
func (p *pending[K, V]) eachLocked(yield func(i uint32, s *slot[K, V]) bool) {
	end := len(p.table)
	for i := 0; i < min(end, len(p.table)); i++ {
		if i > 0 && i%slotsAtOnce == 0 {
			p.mu.Unlock()
			invariants.At("rangelock: between two looks at what is pending")
			p.mu.Lock()
			if i >= len(p.table) {
				return
			}
		}
		if s := &p.table[i]; s.h != nil && !yield(uint32(i), s) {
			return
		}
	}
}

// held appends to buf, which is empty, ranges that have left the map and still have a guard, in
// no order. It finds at most maxPendingSeen, and returns those that overlap in, or all of them if
// in is nil.
func (p *pending[K, V]) held(buf []surveyed[K], in *Range[K], look *look) []surveyed[K] {
	buf = p.allHeld(buf, look)
	if in == nil {
		return buf
	}
	return slices.DeleteFunc(buf, func(x surveyed[K]) bool { return !p.m.overlap(x.r, *in) })
}

// allHeld is held without in. It compares no keys, because it holds mu.
func (p *pending[K, V]) allHeld(buf []surveyed[K], look *look) []surveyed[K] {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.eachLocked(func(_ uint32, s *slot[K, V]) bool {
		if s.left.IsZero() || s.h.moved() || s.h.State.Load()&detached == 0 {
			return true
		}
		if w := p.m.readWord(s.h, look); w.guards > 0 {
			buf = append(buf, surveyed[K]{s.h.bounds(), w, s.left})
		}
		return len(buf) < maxPendingSeen
	})
	return buf
}

// heldRanges returns the ranges that have left the map and still have guards, at most maxHeld,
// the one that left first at the beginning. If r is not nil it returns only those that overlap r.
func (p *pending[K, V]) heldRanges(r *Range[K]) []Range[K] {
	buf := p.held(nil, r, new(look))
	slices.SortFunc(buf, func(a, b surveyed[K]) int { return a.left.Compare(b.left) })
	held := make([]Range[K], 0, min(len(buf), maxHeld))
	for _, x := range buf[:min(len(buf), maxHeld)] {
		held = append(held, x.r)
	}
	return held
}
