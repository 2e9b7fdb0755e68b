package rangelock

import (
	"iter"
	"time"

	"github.com/spanlock/spanlock/internal/announce"
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
)

// A survey reads the ranges of a map from outside. It takes no guard and changes no state word.
//
//  1. It copies the ranges that have left the map and still have guards, out of the table of
//     pending ranges (pending.go), under that table's mutex. Then it yields them.
//  2. It copies the ranges of one leaf of the tree while it is pinned. Ranges that are just
//     leaving are left out. Then it yields them, with nothing held.
//  3. It goes on with the leaf of the first range that starts at or above the end of the last one
//     that it has read.
//
// A range that leaves between two steps may be yielded twice or not at all.

// RangeState is the state of a range when [Map.Survey] read it.
type RangeState struct {
	// Guards is the number of guards that are held on the range. It may be one too high for
	// each reader that is just being refused.
	Guards int

	// Excluded reports whether the range admits no readers: because a writer has excluded it,
	// or waits until its guards are released, or has inserted it in a transaction that has not
	// ended. It is true for all ranges that have left the map.
	Excluded bool

	// Announced is the number of those guards that are announced in cache lines of their
	// readers, as happens where readers have met. The others are counted in the range.
	Announced int

	// Exclusive reports whether the range has an exclusive guard. Waiting is the number of
	// waiters in the queue of the range.
	Exclusive bool
	Waiting   int

	// Since is when the oldest wait for the range began: that of the writer that has excluded
	// it, or that of the first waiter in its queue. It is the zero Time if nothing waits.
	Since time.Time

	// Detached reports whether the range has left the map and is kept by its guards. Left is
	// when it left. For a range in the map Left is the zero Time.
	Detached bool
	Left     time.Time
}

// surveyed is a copy of a range, to be yielded when nothing is held.
type surveyed[K any] struct {
	r    Range[K]
	word word
	left time.Time
}

// word is what the state word of a range says, with what the map knows about the range beside it.
type word struct {
	guards, announced, waiting    int
	since                         time.Time
	excluded, exclusive, detached bool
}

// readWord reads the state of h. The values of a state word are listed in header.go. What does
// not come from the state word may be from a moment later.
//
// Preconditions: h is not recycled meanwhile.
func (m *Map[K, V]) readWord(h *header[K, V], l *look) word {
	s := h.State.Load()
	w := word{
		excluded:  s&excluded != 0,
		exclusive: s&exclusiveHeld != 0,
		detached:  s&(detached|retired) != 0,
	}
	w.guards, w.announced = m.guardsIn(h, s, l)
	if s&(reserved|excluded) != 0 && !w.detached {
		w.since, w.waiting = m.waitingSince(h, s)
	}
	return w
}

// look is a copy of the marks in the lines (announced.go). One copy serves all ranges of a leaf.
type look struct {
	taken bool // marks is valid
	marks []uint64
}

// count returns how often mark stands in the lines. It copies the lines if that is not done yet.
func (x *look) count(l *announce.Lines, mark uint64) (n int) {
	if !x.taken {
		x.taken, x.marks = true, l.Append(x.marks[:0])
	}
	for _, y := range x.marks {
		if y == mark {
			n++
		}
	}
	return n
}

// guardsOn returns how many guards are held on h, or were a moment ago. It also counts readers
// that are just being refused.
func (m *Map[K, V]) guardsOn(h *header[K, V]) int {
	n, _ := m.guardsIn(h, h.State.Load(), new(look))
	return n
}

// guardsIn is guardsOn for a range whose state was s. It also returns how many of the guards are
// announced.
func (m *Map[K, V]) guardsIn(h *header[K, V], s uint64, l *look) (n, announcedOnes int) {
	n = int(s & readerMask)
	if s&exclusiveHeld != 0 {
		n -= limit - 1 // an exclusive guard adds limit to the count
	}
	if s&announced != 0 {
		announcedOnes = l.count(m.lines.Load(), h.mark(s))
	}
	return n + announcedOnes, announcedOnes
}

// maxPendingSeen is the largest number of ranges that have left the map in one survey.
const maxPendingSeen = 1024

// Survey yields first the ranges that have left the map and still have guards, in no order and at
// most 1024, and then the attached ranges in key order. With each range it yields the state that
// the range was in when it was read. It is for tools that look at a map from outside, such as
// package inspect.
//
// It takes no guard, and takes no lock for long that readers or writers wait for. It never waits
// for a writer. Like [Map.All] it reads one leaf of the tree while it is pinned and yields it when
// it is not, and it guarantees what All does. A range that leaves the map meanwhile may be yielded
// twice, as attached and as detached, or not at all.
//
// It allocates a table if more than a few ranges have left the map, and one if guards are
// announced. Apart from these it allocates, and panics, as [Map.All] does.
//
// Survey synchronizes nothing.
func (m *Map[K, V]) Survey() iter.Seq2[Range[K], RangeState] {
	return func(yield func(Range[K], RangeState) bool) { m.survey(nil, yield) }
}

// SurveyIn is like [Map.Survey], but yields only the ranges that overlap r, each as a whole. Of
// the ranges that have left the map it considers only the 1024 that Survey would yield. If r is
// not valid it yields nothing.
func (m *Map[K, V]) SurveyIn(r Range[K]) iter.Seq2[Range[K], RangeState] {
	return func(yield func(Range[K], RangeState) bool) { m.surveyIn(r, yield) }
}

// surveyIn is the loop of SurveyIn.
func (m *Map[K, V]) surveyIn(r Range[K], yield func(Range[K], RangeState) bool) {
	m.mustBeMade()
	if m.valid(r) {
		m.survey(&r, yield)
	}
}

// survey is the loop of Survey, for the ranges that overlap in, or for all if in is nil. It goes
// from leaf to leaf as walk does (all.go).
func (m *Map[K, V]) survey(in *Range[K], yield func(Range[K], RangeState) bool) {
	m.mustBeMade()
	var room [rangetree.LeafCap]surveyed[K]
	var l look
	if !yieldAll(m.pending.held(room[:0], in, &l), yield) {
		return
	}
	var last Range[K]
	at, key, end := fromFirst, last.Hi, (*K)(nil)
	if in != nil {
		at, key = fromOverlap, in.Lo
		if !in.Unbounded {
			end = &in.Hi
		}
	}
	for {
		buf, next, ok := m.surveyLeaf(room[:0], at, key, end, &l)
		if !ok {
			return
		}
		if at == fromStart {
			m.mustRise(last, next)
		}
		if last = next; !yieldAll(buf, yield) || last.Unbounded {
			return
		}
		at, key = fromStart, last.Hi
	}
}

// yieldAll yields the ranges in buf and reports whether to go on.
func yieldAll[K any](buf []surveyed[K], yield func(Range[K], RangeState) bool) bool {
	for i := range buf {
		w := &buf[i].word
		if !yield(buf[i].r, RangeState{
			Guards: w.guards, Excluded: w.excluded, Announced: w.announced, Exclusive: w.exclusive,
			Waiting: w.waiting, Since: w.since, Detached: w.detached, Left: buf[i].left,
		}) {
			return false
		}
	}
	return true
}

// surveyLeaf appends to buf the ranges of one leaf from at and key on, except those that are just
// leaving the map. If end is not nil it stops at the first range that starts at or above *end. It
// returns the bounds of the last range that it has read, also if that one was left out, and whether
// there was one.
func (m *Map[K, V]) surveyLeaf(buf []surveyed[K], at from, key K, end *K, l *look) ([]surveyed[K], Range[K], bool) {
	pin := m.domain.Pin()
	defer pin.Unpin() // compare may panic
	var room [rangetree.LeafCap]*rangetree.Entry[K]
	var last Range[K]
	es := m.leafFrom(room[:0], at, key, end)
	invariants.At("rangelock: leaf found")
	l.taken = false
	for _, e := range es {
		h := headerOf[K, V](e)
		last = h.bounds()
		if w := m.readWord(h, l); !w.detached {
			buf = append(buf, surveyed[K]{r: last, word: w})
		}
	}
	return buf, last, len(es) > 0
}

// Bounds returns the first range and the last range of the map, and whether there are any. The two
// are not read at the same instant. Because it returns no values it needs no guard, also in a map
// with an OnRetire. It never waits, and takes as long as two searches. It panics as [Map.All] does.
//
// Bounds synchronizes nothing.
func (m *Map[K, V]) Bounds() (first, last Range[K], ok bool) {
	m.mustBeMade()
	pin := m.domain.Pin()
	defer pin.Unpin()
	var c rangetree.Cursor[K]
	m.tree.First(&c)
	lo, hi := c.Entry(), m.tree.Last()
	if lo == nil || hi == nil {
		return first, last, false
	}
	return headerOf[K, V](lo).bounds(), headerOf[K, V](hi).bounds(), true
}
