package rangelock

import (
	"slices"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// freed is where ranges go that are detached and have no guard any more. Who
// finishes a range pushes it, be it the writer or the last reader; one batch at a
// time then goes to the domain, and after a grace period through OnRetire.
type freed[K, V any] struct {
	// stack is a stack that is only pushed to and taken whole, so a compare-and-
	// swap cannot mistake one state for another.
	stack seam.Pointer[header[K, V]]

	// busy is true from the moment somebody has taken it on to hand a batch over
	// until the last batch is through. Who set it owns batch.
	busy  seam.Bool
	batch *header[K, V] // what is left of it, first freed first
}

// free hands over a range whose finishing the caller has won.
func (m *Map[K, V]) free(h *header[K, V]) {
	f := &m.freed
	for {
		old := f.stack.Load()
		h.next = old
		if f.stack.CompareAndSwap(old, h) {
			break
		}
	}
	invariants.At("rangelock: freed")
	if f.busy.CompareAndSwap(false, true) {
		m.handOver()
	}
	// Else somebody is busy, and looks at the stack again before it stops.
}

// handOver gives what is in the stack to the domain. Every range in it was
// unlinked from the tree before it was detached, and detached before it was
// pushed, so the stamp that Retire takes now is after each unlink.
//
// Preconditions: the caller has set busy.
func (m *Map[K, V]) handOver() {
	f := &m.freed
	for {
		if f.batch = inOrder(f.stack.Swap(nil)); f.batch != nil {
			m.domain.Retire(m.reapFn)
			return
		}
		invariants.At("rangelock: nothing to hand over")
		f.busy.Store(false)
		// Look again: a push that saw busy true relies on us. Pairs with free.
		if f.stack.Load() == nil || !f.busy.CompareAndSwap(false, true) {
			return
		}
	}
}

// reap runs OnRetire for a batch after its grace period, in the order in which the
// ranges became free, recycles the headers and takes the next batch. It is the
// domain's callback; busy is set.
func (m *Map[K, V]) reap() {
	f := &m.freed
	through := false
	defer func() {
		if !through {
			// OnRetire has ended this goroutine (runtime.Goexit, as testing.T.FailNow
			// does). The rest of the batch goes to another.
			m.domain.Retire(m.reapFn)
		}
	}()
	for f.batch != nil {
		h := f.batch
		f.batch = h.next
		m.bury(h)
	}
	through = true
	m.handOver()
}

// bury runs OnRetire for one range and recycles its header.
func (m *Map[K, V]) bury(h *header[K, V]) {
	defer func() {
		if !h.moved() {
			m.countRetired(h)
		}
		m.through(h)
		m.recycle(h)
	}()
	if m.options.OnRetire != nil && !h.moved() {
		m.options.OnRetire(h.bounds(), h.value)
	}
}

// inOrder turns a stack into the order in which it was pushed.
func inOrder[K, V any](h *header[K, V]) (first *header[K, V]) {
	for h != nil {
		next := h.next
		h.next = first
		first, h = h, next
	}
	return first
}

// recycle puts a cleared header that nobody can reach into the free list.
func (m *Map[K, V]) recycle(h *header[K, V]) {
	m.limbo.mu.Lock()
	if m.limbo.clean.n < maxSpareHeaders {
		m.limbo.clean.push(h)
	}
	m.limbo.mu.Unlock()
}

// detach is detachAll for one range, h.
func (m *Map[K, V]) detach(h *header[K, V]) {
	marks := noMarks
	if m.shutOut(h) {
		marks = nil
	}
	m.leave(h, marks)
}

// noMarks is what stands in lines that nobody need look at.
var noMarks = []uint64{}

// detachAll takes the ranges in m.scratch, which are no longer in the tree, out of the
// readers' reach, tries to finish each, and returns how many there are.
//
// The order is the protocol: the tree first, then the bits excluded, then one look at the lines
// for all of them, then the bits detached, then the finishing. With detached first the last
// guard could finish a range, and a grace period could pass, while new readers still find the
// header in the tree.
//
// Preconditions: the caller holds sem for writing and has published the tree without them.
func (m *Map[K, V]) detachAll() int {
	if len(m.scratch) == 1 {
		m.detach(m.scratch[0])
		return 1
	}
	look := false
	for _, h := range m.scratch {
		look = m.shutOut(h) || look
	}
	marks := noMarks
	if look {
		marks = m.lines.Load().Append(make([]uint64, 0, 8))
		slices.Sort(marks)
	}
	for _, h := range m.scratch {
		m.leave(h, marks)
	}
	return len(m.scratch)
}

// shutOut keeps readers out of h if they announce themselves, for the look at the lines that
// comes then, and reports whether that is necessary. If this transaction has excluded h before,
// it has waited, and nobody is in it.
func (m *Map[K, V]) shutOut(h *header[K, V]) bool {
	s := h.State.Load()
	return s&(announced|excluded) == announced && h.State.Or(excluded)&announced != 0
}

// leave takes h out of the readers' reach and tries to finish it. The marks are what stood in
// the lines after shutOut, in order, or nil: then leave looks itself.
func (m *Map[K, V]) leave(h *header[K, V], marks []uint64) {
	m.length.Add(-1)
	invariants.At("rangelock: before a range leaves")
	before := h.State.Load()
	in := before&readerMask != 0
	if !in && before&announced != 0 {
		// Without excluded the flag has come since shutOut, and no look would prove anything.
		in = before&excluded == 0 || m.marked(h, before, marks)
	}
	if !in && (m.options.OnRetire == nil || h.moved()) && before&reserved == 0 {
		// Nobody is told, and nobody is in it, so it is finished here and now, and the header
		// only has to wait for readers that are still looking at it.
		invariants.At("rangelock: before a range is finished at once")
		if h.State.CompareAndSwap(before, before|excluded|detached|retired) {
			m.dead.push(h)
			if !h.moved() {
				m.countRetired(h)
			}
			return
		}
		in = true // perhaps
	}
	slot := m.pending.add(h, in)
	h.Word.Store(slot)
	invariants.At("rangelock: before the bits of detachment")
	// From the bits on the last guard may finish the range at any time, and it may be
	// buried: of h only the word is ours to look at, and whether it is buried yet.
	s := h.State.Or(excluded|detached) | excluded | detached
	invariants.At("rangelock: detached")
	if s&reserved != 0 {
		// From here on nobody sets it any more: that takes a word without excluded.
		m.sendBack(h)
		s &^= reserved
	}
	switch {
	case !in && (s^before)&(announced|readerMask) == 0:
		m.finishAt(h, s)
	case !m.occupied(h):
		m.finish(h, s&^lowMask) // whoever was in it may have left before the bits
	case !in:
		// The last to leave, which came after the look, sees the bits, and finishes it.
		invariants.At("rangelock: a range lingers")
		m.pending.lingers(slot, h)
	}
}

// marked reports whether somebody announces h in the life of the word s, by the marks or, if
// they are nil, by a look at the lines.
func (m *Map[K, V]) marked(h *header[K, V], s uint64, marks []uint64) bool {
	if marks == nil {
		return m.shown(h, s)
	}
	_, in := slices.BinarySearch(marks, h.mark(s))
	return in
}

// vacate is detach for a range whose value has moved into another.
//
// Preconditions: those of detach; nobody holds a guard on h.
func (m *Map[K, V]) vacate(h *header[K, V]) {
	h.move()
	m.detach(h)
}

// move notes that the value of h, which is leaving, goes on in another range.
func (h *header[K, V]) move() {
	h.cost = 0
	h.Flags.Store(h.Flags.Load() | moved)
}
