package rangelock

import (
	"runtime"

	"github.com/spanlock/spanlock/internal/announce"
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/raw"
)

// Readers of one range that count in its word pass a cache line around. Where readers meet,
// the range becomes an announced one: its readers write a mark, which stands for the range in
// one life, into lines of their own (internal/announce), and only read the word.
//
//  1. A reader that finds somebody else in the word, or finds it changed by its add, sets the
//     flag announced, by a swap from a word in which nobody keeps readers out; if the swap
//     fails nothing has happened. The first such reader of a map makes the lines. From then on
//     the first reader of every range sets its flag: readers of the map do meet, and two that
//     take turns at one range pass its cache line around although they never collide. The
//     flag stays until the header's next life.
//  2. A reader that meets the flag writes the mark of the word that it has loaded, and then
//     loads the word again. If it finds the same flags and the same life, the guard is held,
//     and the bounds that it compared in between are the range's. Otherwise it takes the
//     mark away again, which is a release like any other. If its line is full it counts.
//  3. Whoever keeps readers out sets a flag (excluded, reserved or alone) first. If the word
//     shows announced then, it looks at the lines, and in any case at the count. A reader
//     that this look has missed announced later, and so sees the flag when it loads the word
//     again. If the word did not show announced, nobody can set that any more.
//  4. A releaser takes the mark away and then loads the word. If somebody keeps readers out it
//     does what the last release of a count does. Its range may be in another life by then:
//     what it owes goes by the word that it finds.
//
// So nobody needs the number of readers at one instant: while readers are kept out, a mark
// that was once not seen belongs to no reader that stays.

// mark is what readers of h announce in the life of the word s. An object in the heap does not
// move, so the address says which header it is; the guard, the tree, or the table of ranges
// that linger keeps that reachable. The life is there so that a second release of a guard takes
// away nothing of a later one. Of it sixteen bits remain; no protocol relies on them.
func (h *header[K, V]) mark(s uint64) uint64 {
	return raw.Address(h)<<13 | s<<13>>48
}

// place is where in the life of an announced guard its slot stands.
const placeMask = announce.Places - 1

// enterAnnounced takes a guard on h, which the caller has seen in state s, with announced and
// without a flag that keeps readers out. If it cannot, n is the word that it found.
//
// The caller has compared the bounds after it loaded s, or is pinned.
func (m *Map[K, V]) enterAnnounced(h *header[K, V], s uint64) (g Guard[K, V], n uint64, ok bool) {
	l, mark := m.lines.Load(), h.mark(s)
	place := l.Own()
	if !l.Announce(place, mark) {
		if place, ok = l.AnnounceBehind(place, mark); !ok {
			return m.enterCounted(h, s)
		}
	}
	invariants.At("rangelock: announced")
	// Pairs with whatever keeps readers out: it sets its flag, and then looks at the lines.
	if n = h.State.Load(); (n^s)&^readerMask == 0 {
		return Guard[K, V]{h: h, life: s&^readerMask | uint64(place)}, n, true
	}
	return g, m.takeBack(h, place, mark), false
}

// takeBack is the rest of an announcement that was refused. It returns the word.
//
//go:noinline
func (m *Map[K, V]) takeBack(h *header[K, V], place uint32, mark uint64) (n uint64) {
	invariants.At("rangelock: refused in a line")
	m.lines.Load().Retract(place, mark)
	n = h.State.Load()
	m.left(h, n&^lowMask, n)
	return n
}

// enterCounted is enterAnnounced for a reader whose line is full.
//
//go:noinline
func (m *Map[K, V]) enterCounted(h *header[K, V], s uint64) (g Guard[K, V], n uint64, ok bool) {
	n = h.State.Add(1)
	if admits(n, s) {
		return Guard[K, V]{h: h, life: n &^ lowMask}, n, true
	}
	m.undo(h)
	return g, n, false
}

// releaseAnnounced releases a guard that is announced; life is its life.
func (m *Map[K, V]) releaseAnnounced(h *header[K, V], life uint64) {
	if !m.lines.Load().Retract(uint32(life&placeMask), h.mark(life)) {
		notHeld(life&^lowMask, h.State.Load())
	}
	invariants.At("rangelock: announcement taken back")
	// Pairs with whatever keeps readers out: it sets its flag, and then looks at the lines. The
	// range may be in another life by now, so what is due goes by this word.
	if s := h.State.Load(); s&barred != 0 {
		m.left(h, s&^lowMask, s)
	}
}

// shown reports whether somebody announces h in the life of the word s: a guard, or a reader
// in passing. Where s keeps readers out, a false stays true; with true, somebody is going to
// take the mark away, and will do then what that owes to others.
func (m *Map[K, V]) shown(h *header[K, V], s uint64) bool {
	return s&announced != 0 && m.lines.Load().Shows(h.mark(s))
}

// announcing makes h, on which the caller has a guard, a range whose readers announce, unless
// somebody keeps readers out of it. The first range of a map has the lines made: that is the
// only allocation that an acquire makes without waiting.
//
//go:noinline
func (m *Map[K, V]) announcing(h *header[K, V]) {
	s := h.State.Load()
	if s&(barred|announced) != 0 {
		return
	}
	if m.lines.Load() == nil {
		m.lines.CompareAndSwap(nil, announce.New(runtime.GOMAXPROCS(0)))
	}
	invariants.At("rangelock: before a range is announced")
	// A swap and not an Or: whatever keeps readers out relies on it that the flag does not
	// come later. If it fails there will be another meeting.
	h.State.CompareAndSwap(s, s|announced)
}
