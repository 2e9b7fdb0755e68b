package rangelock

import (
	"slices"

	"github.com/spanlock/spanlock/internal/invariants"
)

// Detaching takes a range out of the readers' reach after the writer has taken it out of the
// tree. The order is the protocol:
//
//  1. The tree is changed. New searches do not find the range.
//  2. excluded is set on each range whose readers announce themselves. A reader that found the
//     range before step 1 and announces itself after this sees the flag and withdraws.
//  3. One look at the lines, for all ranges of the operation, finds the announced readers.
//  4. excluded and detached are set together. A reader that adds itself to the count after this
//     withdraws.
//  5. The writer tries to finish the range, which is to set retired by a compare-and-swap. If
//     readers are in it the swap is not tried or fails, and the last of them finishes it. The
//     one that succeeds enqueues it to be retired (retire.go).
//
// With step 4 before step 1 the last guard could finish a range, and a grace period could pass,
// while searches still find the header. Without the generation in the comparison of step 5 a
// slow finisher could retire the header's next life (guard.go, finish).
//
// After step 4 the last guard may finish the range at any time, and the header may be recycled.
// From there on the writer reads only the state word, and asks the pending table whether the
// range is still there.

// detach detaches h, which is no longer in the tree.
//
// Preconditions: those of detachAll.
func (m *Map[K, V]) detach(h *header[K, V]) {
	marks := noMarks
	if m.closeAnnounced(h) {
		marks = nil
	}
	m.detachClosed(h, marks)
}

// noMarks stands for lines that need no look: no range of the operation was announced.
var noMarks = []uint64{}

// detachAll detaches the ranges in m.scratch, which are no longer in the tree, and returns how
// many there are. It does not wait. A range without guards is finished when it returns; for each
// of the others the last guard does that.
//
// Preconditions: the caller holds sem for writing and has published the tree without them.
func (m *Map[K, V]) detachAll() int {
	if len(m.scratch) == 1 {
		m.detach(m.scratch[0])
		return 1
	}
	look := false
	for _, h := range m.scratch {
		look = m.closeAnnounced(h) || look
	}
	marks := noMarks
	if look {
		marks = m.lines.Load().Append(make([]uint64, 0, 8))
		slices.Sort(marks)
	}
	for _, h := range m.scratch {
		m.detachClosed(h, marks)
	}
	return len(m.scratch)
}

// closeAnnounced sets excluded on h if its readers announce themselves (step 2), and reports
// whether the lines must be looked at. They need not if this transaction had excluded h before:
// then it has also waited until no reader was in it.
func (m *Map[K, V]) closeAnnounced(h *header[K, V]) bool {
	s := h.State.Load()
	return s&(announced|excluded) == announced && h.State.Or(excluded)&announced != 0
}

// detachClosed does steps 4 and 5 for h. The marks are those that stood in the lines after
// closeAnnounced, sorted; if they are nil it looks at the lines itself.
func (m *Map[K, V]) detachClosed(h *header[K, V], marks []uint64) {
	m.length.Add(-1)
	invariants.At("rangelock: before a range leaves")
	before := h.State.Load()
	in := before&readerMask != 0
	if !in && before&announced != 0 {
		// Without excluded, a reader has set announced since closeAnnounced, and the look at
		// the lines proves nothing.
		in = before&excluded == 0 || m.marked(h, before, marks)
	}
	if !in && (m.options.OnRetire == nil || h.moved()) && before&reserved == 0 {
		// There is no OnRetire to call and no reader in it, so it is finished at once. Its
		// header only waits for the readers that are still looking at it.
		invariants.At("rangelock: before a range is finished at once")
		if h.State.CompareAndSwap(before, before|excluded|detached|retired) {
			m.dead.push(h)
			if !h.moved() {
				m.countRetired(h)
			}
			return
		}
		in = true // a reader may have come
	}
	slot := m.pending.add(h, in)
	h.Word.Store(slot)
	invariants.At("rangelock: before the bits of detachment")
	// Once the bits are set, the last guard may finish and recycle h at any time. From here
	// on only h.State may be read.
	s := h.State.Or(excluded|detached) | excluded | detached
	invariants.At("rangelock: detached")
	if s&reserved != 0 {
		// reserved is not set again: enqueue sets it only where excluded is clear.
		m.queues.requeueAll(h)
		s &^= reserved
	}
	switch {
	case !in && (s^before)&(announced|readerMask) == 0:
		m.finishAt(h, s)
	case !m.occupied(h):
		m.finish(h, s&^lowMask) // the readers that were in it may have left before the bits
	case !in:
		// A reader has come after the look. The last one to leave sees the bits and finishes
		// the range.
		invariants.At("rangelock: a range lingers")
		m.pending.noteHeld(slot, h)
	}
}

// marked reports whether a reader announces h in the life that s shows, according to the marks
// or, if they are nil, to a look at the lines.
func (m *Map[K, V]) marked(h *header[K, V], s uint64, marks []uint64) bool {
	if marks == nil {
		return m.shown(h, s)
	}
	_, in := slices.BinarySearch(marks, h.mark(s))
	return in
}

// detachMoved is detach for a range whose value has moved into another: OnRetire is not called
// for it.
//
// Preconditions: those of detach; no guard is held on h.
func (m *Map[K, V]) detachMoved(h *header[K, V]) {
	h.move()
	m.detach(h)
}

// move records that the value of h, which is about to be detached, lives on in another range.
func (h *header[K, V]) move() {
	h.cost = 0
	h.Flags.Store(h.Flags.Load() | moved)
}
