package rangelock

import (
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
	m.lingering.remove(h)
	defer func() {
		phase, cost := h.phase(), h.cost
		moved := h.moved()
		m.recycle(h)
		if !moved {
			m.countRetired(1)
		}
		m.pending.sub(phase, cost)
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

// recycle puts a header that nobody can reach into the free list.
func (m *Map[K, V]) recycle(h *header[K, V]) {
	h.next = nil // also if there is no room: it must not keep those that left behind it
	if h.Word.Load()&promoted != 0 {
		m.coolDown(h)
	}
	m.clearHeader(h)
	m.limbo.mu.Lock()
	if m.limbo.clean.n < maxSpareHeaders {
		m.limbo.clean.push(h)
	}
	m.limbo.mu.Unlock()
}

// detach takes h, which is no longer in the tree, out of the readers' reach and
// tries to finish it.
//
// The order is the protocol: the tree first, then the bits, then the finishing.
// With the bits first the last guard could finish the range, and a grace period
// could pass, while new readers still find the header in the tree.
//
// Preconditions: the caller holds sem for writing and has published the tree
// without h.
func (m *Map[K, V]) detach(h *header[K, V]) {
	m.length.Add(-1)
	s := h.State.Load()
	gen := s &^ lowMask
	if m.options.OnRetire == nil || h.moved() {
		// Nobody is told. If nobody is in it, in line for it or in stripes of it, it is
		// finished here and now, and the header only has to wait for readers that are
		// still looking at it.
		if s&^excluded == gen && h.Word.Load()&promoted == 0 && h.State.CompareAndSwap(s, gen|excluded|detached|retired) {
			m.dead.push(h)
			if !h.moved() {
				m.countRetired(1)
			}
			return
		}
	}
	h.setPhase(m.pending.add(h.cost))
	invariants.At("rangelock: before the bits of detachment")
	leaves := !h.moved()
	// From the bits on the last guard may finish the range at any time, and it may be
	// buried: of h only the word is ours to look at.
	s = h.State.Or(excluded | detached)
	if leaves && m.occupied(h) {
		invariants.At("rangelock: a range lingers")
		m.lingering.add(h)
	}
	invariants.At("rangelock: detached")
	if s&(reserved|hot) != 0 {
		// From here on nobody sets them any more: who does it wants excluded clear.
		m.sendBack(h)
		h.State.And(^uint64(hot))
	}
	m.finish(h, gen)
}

// vacate is detach for a range whose value has moved into another.
//
// Preconditions: those of detach; nobody holds a guard on h.
func (m *Map[K, V]) vacate(h *header[K, V]) {
	h.cost = 0
	h.Flags.Store(h.Flags.Load() | moved)
	m.detach(h)
}
