package rangelock

import (
	"iter"
	"time"

	"github.com/spanlock/spanlock/internal/announce"
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
)

// RangeState is how one range stood when [Map.Survey] read it.
type RangeState struct {
	// Guards is how many guards are held; now and then one more, of a reader that is
	// just being refused.
	Guards int

	// Excluded says that a writer keeps readers out, or is waiting until the guards
	// are released, or has just inserted the range and not ended its transaction. It is
	// true of all ranges that have left.
	Excluded bool

	// Announced is how many of the guards stand in lines of their readers. The others are
	// counted in the range.
	Announced int

	// Exclusive says that the guard on it is one that admits no other, and Waiting how many
	// wait for it.
	Exclusive bool
	Waiting   int

	// Since is when the oldest of those came that wait for the range now: the writer that
	// has excluded it, or the first in its line. If nobody waits it is the zero Time.
	Since time.Time

	// Detached says that the range has left the map, at Left, and only lives on for
	// its guards. For ranges in the map it is false, and Left the zero Time.
	Detached bool
	Left     time.Time
}

// surveyed is a range as it was read, to be yielded when nothing is held.
type surveyed[K any] struct {
	r    Range[K]
	word word
	left time.Time
}

// word is what the state word of a range says, and what stands beside it.
type word struct {
	guards, announced, waiting    int
	since                         time.Time
	excluded, exclusive, detached bool
}

// readWord tells how h stands; the values that its word can have are listed in
// header.go. What stands beside the word may be from a moment later.
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

// look is a look at the lines, once for the ranges of a leaf.
type look struct {
	taken bool
	marks []uint64
}

// count returns how often mark stands in the lines.
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

// guardsOn returns how many guards are held on h, or were a moment ago; now and then it
// counts a reader that is just being refused.
func (m *Map[K, V]) guardsOn(h *header[K, V]) int {
	n, _ := m.guardsIn(h, h.State.Load(), new(look))
	return n
}

// guardsIn is guardsOn for a range whose word was seen as s, and says how many of the guards
// are announced.
func (m *Map[K, V]) guardsIn(h *header[K, V], s uint64, l *look) (n, announcedOnes int) {
	n = int(s & readerMask)
	if s&exclusiveHeld != 0 {
		n -= limit - 1 // it counts as limit
	}
	if s&announced != 0 {
		announcedOnes = l.count(m.lines.Load(), h.mark(s))
	}
	return n + announcedOnes, announcedOnes
}

// maxPendingSeen is how many of the ranges that have left a survey looks at.
const maxPendingSeen = 1024

// Survey yields the ranges that have left the map and still have guards, in no order
// and 1024 at most, and then the attached ranges in key order, each with the state it
// was in when it was read. It is for looking at a map from outside, as package inspect
// does.
//
// It takes no guard, and no lock that a reader or a writer waits for long: it reads a
// leaf of the tree while pinned and yields it when not, as [Map.All] does, whose
// guarantees are those of Survey; a range that leaves meanwhile may be yielded
// twice, attached and detached, or not at all. It never waits, whatever a writer does.
//
// It allocates a table for ranges that have left if there are more than a few of them, and
// one for guards that are announced; apart from these it allocates as [Map.All] does, and
// panics as that does.
//
// Survey synchronizes nothing.
func (m *Map[K, V]) Survey() iter.Seq2[Range[K], RangeState] {
	return func(yield func(Range[K], RangeState) bool) { m.survey(nil, yield) }
}

// SurveyIn is [Map.Survey] for the ranges that overlap r, the whole of each. Of those that
// have left it yields what overlaps r among the 1024 that Survey would look at. If r is not
// valid it yields nothing.
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

// survey is the loop of Survey, for the ranges that overlap in, or for all if that is nil.
// It goes from leaf to leaf as walk does.
func (m *Map[K, V]) survey(in *Range[K], yield func(Range[K], RangeState) bool) {
	m.mustBeMade()
	var room [rangetree.LeafCap]surveyed[K]
	var l look
	if !yieldAll(m.readPending(room[:0], in, &l), yield) {
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

// surveyLeaf appends to buf the ranges of one leaf from at on that start below end, if that is
// not nil, but for those that are just leaving. It returns the last one's bounds, also if it is left out, and whether there is
// one.
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

// Bounds returns the first range and the last one, and whether there are any. It gives no
// values, so nothing has to be held for it, also where there is an OnRetire. The two are not
// read at one instant. It is as quick as two searches, and waits for nobody. It panics as
// [Map.All] does, and synchronizes nothing.
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
