package rangelock

import (
	"iter"
	"reflect"
	"time"
)

// RangeState is what [Map.Survey] found of one range, as of one instant.
type RangeState struct {
	// Lo and Hi are the range's bounds, [Lo, Hi), as values of the map's key type; Hi
	// means nothing where Unbounded. They stand in memory that the survey uses again:
	// who wants a bound when the body has returned takes its Interface. So a survey of
	// a million ranges makes no garbage for those that nobody looks at twice.
	Lo, Hi    reflect.Value
	Unbounded bool

	// Guards is how many guards are held; now and then one more, of a reader that is
	// just being refused.
	Guards int

	// Excluded says that a writer keeps readers out, or is waiting until the guards
	// are released, or has just inserted the range and not ended its transaction.
	Excluded bool

	// Exclusive says that the guard on it is one that admits no other, Hot that its
	// readers count in several places, and Waiting how many wait for it.
	Exclusive bool
	Hot       bool
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
	guards, waiting                    int
	since                              time.Time
	excluded, exclusive, hot, detached bool
}

// readWord tells how h stands; the values that its word can have are listed in
// header.go. What is counted beside the word may be from a moment later.
//
// Preconditions: h is not recycled meanwhile.
func (m *Map[K, V]) readWord(h *header[K, V]) word {
	s := h.state.Load()
	w := word{
		guards:    m.guardsIn(h, s),
		excluded:  s&excluded != 0,
		exclusive: s&alone != 0,
		detached:  s&(detached|retired) != 0,
		hot:       s&hot != 0,
	}
	if s&(reserved|excluded) != 0 && !w.detached {
		w.since, w.waiting = m.waitingSince(h, s)
	}
	return w
}

// guardsOn returns how many guards are held on h, or were a moment ago; now and then it
// counts a reader that is just being refused.
func (m *Map[K, V]) guardsOn(h *header[K, V]) int { return m.guardsIn(h, h.state.Load()) }

// guardsIn is guardsOn for a range whose word was seen as s.
func (m *Map[K, V]) guardsIn(h *header[K, V], s uint64) int {
	n := int(s & readerMask)
	if s&alone != 0 {
		n -= limit - 1 // it counts as limit
	}
	if at := h.heat.Load(); at&promoted != 0 {
		there, _ := m.pool.sets[at&setMask].sum()
		n += int(there)
	}
	return n
}

// maxLingering is how many ranges that have left a survey yields.
const maxLingering = 1024

// Survey yields the ranges that have left the map and still have guards, in no order
// and 1024 at most, and then the attached ranges in key order, each with the state it
// was in when it was read. It is for looking at a map from outside, as package inspect
// does.
//
// It takes no guard, and no lock that a reader or a writer waits for long: it reads a
// leaf of the tree while pinned and yields it when not, as [Map.All] does, whose
// guarantees are those of Survey; a range that leaves meanwhile may be yielded
// twice, attached and detached, or not at all. It never waits, whatever a writer does.
// The RangeState that it yields is the same each time, with other contents.
//
// It allocates that RangeState, which the body might keep, and a table for ranges that
// have left if there are more than a few of them. It panics as [Map.All] does.
//
// Survey synchronizes nothing.
func (m *Map[K, V]) Survey() iter.Seq[*RangeState] {
	return func(yield func(*RangeState) bool) { m.survey(yield) }
}

// shown is what a survey yields, with the memory that its bounds stand in.
type shown[K any] struct {
	state RangeState
	at    Range[K]
}

// newShown returns the one that a survey uses for all ranges.
func newShown[K any]() *shown[K] {
	s := new(shown[K])
	s.state.Lo, s.state.Hi = reflect.ValueOf(&s.at.Lo).Elem(), reflect.ValueOf(&s.at.Hi).Elem()
	return s
}

// each yields the ranges in buf and reports whether to go on.
func (s *shown[K]) each(buf []surveyed[K], yield func(*RangeState) bool) bool {
	x := &s.state
	for i := range buf {
		w := &buf[i].word
		s.at = buf[i].r
		x.Unbounded, x.Guards, x.Waiting, x.Excluded = s.at.Unbounded, w.guards, w.waiting, w.excluded
		x.Exclusive, x.Hot, x.Detached, x.Left = w.exclusive, w.hot, w.detached, buf[i].left
		x.Since = w.since
		if !yield(x) {
			return false
		}
	}
	return true
}

// survey is the loop of Survey. It goes from leaf to leaf as walk does.
func (m *Map[K, V]) survey(yield func(*RangeState) bool) {
	m.mustBeMade()
	var room [leafCap]surveyed[K]
	s := newShown[K]()
	if !s.each(m.readLingering(room[:0], maxLingering), yield) {
		return
	}
	var last Range[K]
	for started := false; ; started = true {
		buf := m.surveyLeaf(room[:0], last.Hi, started)
		if len(buf) == 0 {
			return
		}
		next := buf[len(buf)-1].r
		if started {
			m.mustRise(last, next)
		}
		if last = next; !s.each(buf, yield) || last.Unbounded {
			return
		}
	}
}

// surveyLeaf appends to buf the ranges of one leaf from the first that starts at or after
// from, or from the first of all if not started, but for those that are just leaving.
func (m *Map[K, V]) surveyLeaf(buf []surveyed[K], from K, started bool) []surveyed[K] {
	pin := m.domain.Pin()
	defer pin.Unpin() // compare may panic
	var c cursor[K, V]
	if started {
		m.seekFrom(&c, m.root.Load(), from)
	} else {
		c.first(m.root.Load())
	}
	for h := c.header(); h != nil; h = c.header() {
		if w := m.readWord(h); !w.detached {
			buf = append(buf, surveyed[K]{r: h.bounds(), word: w})
		}
		// A leaf of nothing but ranges that are leaving must not look like the end.
		if c.i++; c.i >= c.leaf.n && len(buf) > 0 {
			break
		}
	}
	return buf
}

// Extent returns the bound at which the first attached range begins and that at which
// the last one ends, or begins if it is unbounded, which it then reports too. Of an
// empty map both are zero Values. The two are not read at one instant. It is as quick
// as two searches, and waits for nobody.
func (m *Map[K, V]) Extent() (lo, hi reflect.Value, unbounded bool) {
	m.mustBeMade()
	pin := m.domain.Pin()
	defer pin.Unpin()
	var c cursor[K, V]
	c.first(m.root.Load())
	first := c.header()
	if first == nil {
		return lo, hi, false
	}
	// The rightmost way of one root: its child pointers may change, its number of
	// children cannot, and no leaf below it is empty.
	in := m.root.Load()
	for in.level > 1 {
		in = in.kids[in.n-1].Load()
	}
	leaf := in.leaves[in.n-1].Load()
	if leaf.n == 0 {
		return lo, hi, false // the map has become empty since
	}
	last := leaf.ranges[leaf.n-1].Load().bounds()
	end := last.Hi
	if last.Unbounded {
		end = last.Lo
	}
	return reflect.ValueOf(&Range[K]{Lo: first.lo}).Elem().Field(0), reflect.ValueOf(&Range[K]{Lo: end}).Elem().Field(0), last.Unbounded
}
