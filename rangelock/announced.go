package rangelock

import (
	"runtime"

	"github.com/spanlock/spanlock/internal/announce"
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/raw"
)

// Readers that count in one state word pass its cache line from processor to processor. Where
// readers meet, the range becomes announced: its readers write a mark, which stands for the range
// in its present life, into a slot of a line of their own (internal/announce), and only load the
// state word. This file makes, writes and searches the lines, sets the flag announced, and counts
// a reader whose line is full.
//
//  1. A reader that finds another reader in the state word, or finds that the word changed before
//     its add, sets the flag announced. It does so by a swap from a state in which no flag keeps
//     readers out; if the swap fails nothing has happened. The first such reader of a map makes
//     the lines. From then on the first reader of every range sets the flag: readers of this map
//     do meet, and two readers that use one range in turn pass its cache line back and forth
//     even if they never collide. The flag stays until the header's next life.
//  2. A reader that finds the flag writes the mark for the state word that it has loaded, and then
//     loads the state word again. If flags and life are the same, the guard is held, and the
//     bounds that the reader compared in between are those of the range. If not, it removes the
//     mark as in step 4. If all slots of its line are taken it counts instead.
//  3. A goroutine that keeps readers out (a writer that excludes or detaches the range, an
//     exclusive guard, a queue) first sets its flag: excluded, reserved or exclusiveHeld. If the
//     state word then shows announced it looks at all lines, and in every case at the count. A
//     reader that this look misses has announced itself after the look. So it sees the flag when
//     it loads the state word again. If the state word does not show announced at that time, no
//     reader can set announced any more.
//  4. A release removes the mark and then loads the state word. If a flag keeps readers out, it
//     does what the last release of a count does: it wakes the writer, grants the head of the
//     queue, or finishes the range. By then the header may be in another life, so what the
//     release must do depends only on the state word that it loads.
//
// So no goroutine needs the number of readers at one instant: while a flag keeps readers out, a
// mark that was once not seen belongs to no reader that stays.

// mark returns what readers of h announce in the life of the state s. It is made of the address,
// which identifies the header because an object in the heap does not move, and which the guard,
// the tree or the pending table keeps reachable. It also has sixteen bits of the life, so that a
// second release of a guard does not remove the mark of a later one. No protocol relies on these
// bits.
func (h *header[K, V]) mark(s uint64) uint64 {
	return raw.Address(h)<<13 | s<<13>>48
}

// placeMask is where the life of an announced guard has the place of its slot.
const placeMask = announce.Places - 1

// enterAnnounced takes a guard on h. The caller has seen h in state s, with announced and without
// a flag that keeps readers out. If the guard is refused, n is the state that refused it.
//
// Preconditions: the caller has compared the bounds after it loaded s, or is pinned.
func (m *Map[K, V]) enterAnnounced(h *header[K, V], s uint64) (g Guard[K, V], n uint64, ok bool) {
	l, mark := m.lines.Load(), h.mark(s)
	place := l.Own()
	if !l.Announce(place, mark) {
		if place, ok = l.AnnounceBehind(place, mark); !ok {
			return m.enterCounted(h, s)
		}
	}
	invariants.At("rangelock: announced")
	// Pairs with every goroutine that keeps readers out: it sets its flag, and then looks at the
	// lines.
	if n = h.State.Load(); (n^s)&^readerMask == 0 {
		return Guard[K, V]{h: h, life: s&^readerMask | uint64(place)}, n, true
	}
	return g, m.takeBack(h, place, mark), false
}

// takeBack removes an announcement that was refused, and returns the state.
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

// releaseAnnounced releases an announced guard of the given life.
func (m *Map[K, V]) releaseAnnounced(h *header[K, V], life uint64) {
	if !m.lines.Load().Retract(uint32(life&placeMask), h.mark(life)) {
		notHeld(life&^lowMask, h.State.Load())
	}
	invariants.At("rangelock: announcement taken back")
	// Pairs with every goroutine that keeps readers out: it sets its flag, and then looks at the
	// lines. The header may be in another life by now, so only this state counts.
	if s := h.State.Load(); s&barred != 0 {
		m.left(h, s&^lowMask, s)
	}
}

// shown reports whether a mark announces h in the life of the state s: of a guard, or of a reader
// that is about to be refused. If s has a flag that keeps readers out, a false stays true. After a
// true, the owner of the mark is going to remove it, and does then what a release must do.
func (m *Map[K, V]) shown(h *header[K, V], s uint64) bool {
	return s&announced != 0 && m.lines.Load().Shows(h.mark(s))
}

// announcing makes h, on which the caller has a guard, an announced range, unless a flag keeps
// readers out of it. The first call in a map makes the lines. That is the only allocation of an
// acquire that does not wait.
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
	// A swap and not an Or: a goroutine that keeps readers out relies on it that announced is not
	// set afterwards. If the swap fails, a later meeting of readers will try again.
	h.State.CompareAndSwap(s, s|announced)
}
