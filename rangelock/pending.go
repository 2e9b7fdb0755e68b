package rangelock

import (
	"slices"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// pending is the ranges that have left the map and have not been through OnRetire, and what
// they cost.
//
// Each stands in a slot of a table, from just before its detachment until OnRetire has
// returned. So a survey finds those that still have guards, and DrainRange those that it has
// to wait for. Each is counted in a phase, too, and a Drain waits for phases, not for ranges:
// it opens a new one for the ranges to come, as SRCU does with its readers, and waits until
// those up to its own are empty. Ranges that leave while it waits do not prolong it.
//
// A slot is written with mu held, and so is the header in it cleared: with mu held its bounds
// stay.
type pending[K, V any] struct {
	m      *Map[K, V]
	mu     seam.Mutex
	free   uint32 // the first free slot, and one; 0 if there is none
	first  uint16 // the oldest phase that is counted; phases wrap, and are compared by difference
	n      int    // slots in use
	cost   total  // of all
	table  []slot[K, V]
	counts []int // by phase, from first on; new ranges join the last
	line   []*drainer[K]
	rooms  []*roomWaiter // room.go

	// watches are the calls of DrainRange that wait for the range in a slot.
	watches map[uint32][]*drainer[K]
}

// slot is the place of a pending range.
type slot[K, V any] struct {
	h     *header[K, V] // nil if the slot is free
	left  time.Time     // when h left, if somebody had a guard on it then
	phase uint16
	next  uint32 // as free, of a slot that is free
}

const (
	// maxPhases is how many phases there can be; it keeps their differences well inside
	// the numbers. With that many Drains under way, each since another range, one more
	// may be prolonged by ranges that leave later.
	maxPhases = 1 << 14

	// maxSpareSlots is how large a table is kept when nothing is in it.
	maxSpareSlots = 1024

	// slotsAtOnce is how many slots are looked at before mu is given to others.
	slotsAtOnce = 256
)

// add enters h, which is about to be detached, and returns its slot. If held, somebody has a
// guard on it.
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

// lingers notes that h, which add has put into slot i, has left while somebody had a guard on
// it. It may be through meanwhile: then there is nothing to note.
//
// Preconditions: the caller is the writer that has detached h, so h begins no other life
// meanwhile.
func (p *pending[K, V]) noteHeld(i uint32, h *header[K, V]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if int(i) < len(p.table) && p.table[i].h == h {
		p.table[i].left = time.Now()
	}
}

// through takes h out, after its OnRetire, and clears it. From then on nobody comes to h.
func (p *pending[K, V]) retireDone(h *header[K, V]) {
	i, cost := h.Word.Load(), h.cost
	h.next = nil // it must not keep those that left behind it; and its line is here before the mutex
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
		for _, d := range p.line {
			if !d.ranged && p.emptyLocked(d.last) {
				d.parker.Wake()
			}
		}
	}
}

// wakeLocked tells those that watch slot i that its range is through.
//
// Preconditions: the caller holds mu; so for the next three.
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

// emptyLocked reports whether all ranges of the phases up to last are through.
func (p *pending[K, V]) emptyLocked(last uint16) bool {
	return int16(last-p.first) < 0 || last == p.first && (len(p.counts) == 0 || p.counts[0] == 0)
}

// turnLocked returns the phase of the range that has left last, and sees to it that those to
// come are in a later one.
func (p *pending[K, V]) turnLocked() (last uint16) {
	n := len(p.counts)
	last = p.first + uint16(n-1)
	switch {
	case n == 0 || p.counts[n-1] == 0:
		last-- // nothing has come since this phase was opened
	case n < maxPhases:
		p.counts = append(p.counts, 0)
	}
	return last
}

// sum returns how many ranges are counted, and their cost, at most the largest int64.
func (p *pending[K, V]) sum() (n int, cost int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n, p.cost.int64()
}

// eachLocked calls yield for the slots that are in use, until it returns false. Now and then
// it gives mu to others. Of the ranges that were in when it was called it shows those that
// have not gone through meanwhile.
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

// readPending appends to buf, which is empty, ranges that have left and still have a guard, in no
// order. It looks at maxPendingSeen of them, and returns those that overlap in, or all if that is
// nil.
func (p *pending[K, V]) held(buf []surveyed[K], in *Range[K], look *look) []surveyed[K] {
	buf = p.allHeld(buf, look)
	if in == nil {
		return buf
	}
	return slices.DeleteFunc(buf, func(x surveyed[K]) bool { return !p.m.overlap(x.r, *in) })
}

// pendingGuards is the look of readPending. It compares nothing: it has a mutex.
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

// heldRanges returns the ranges that have left the map and still have guards, those that
// left first come first, maxHeld at most: of all, or of those that overlap r.
func (p *pending[K, V]) heldRanges(r *Range[K]) []Range[K] {
	buf := p.held(nil, r, new(look))
	slices.SortFunc(buf, func(a, b surveyed[K]) int { return a.left.Compare(b.left) })
	held := make([]Range[K], 0, min(len(buf), maxHeld))
	for _, x := range buf[:min(len(buf), maxHeld)] {
		held = append(held, x.r)
	}
	return held
}
