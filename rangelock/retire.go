package rangelock

import (
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// retireQueue holds the ranges that are detached and have no guard any more, until OnRetire
// has been called for them. The goroutine that finishes a range enqueues it: the writer, or the
// reader that releases the last guard. One batch at a time is submitted to the epoch domain,
// which runs it after a grace period.
//
// It owns the field next of each header in it.
type retireQueue[K, V any] struct {
	m     *Map[K, V]
	runFn func() // run, made once so that submitting it allocates nothing

	// stack has the ranges of the next batch. Ranges are pushed one by one and taken all at
	// once, so a compare-and-swap cannot mistake one state for another.
	stack seam.Pointer[header[K, V]]

	// busy is true from the moment a goroutine begins to submit a batch until the last batch
	// has been run. The goroutine that has set it owns batch.
	busy  seam.Bool
	batch *header[K, V] // the rest of the batch under way, in the order of enqueueing
}

// init makes q the queue of m. It is called once, by the constructor.
func (q *retireQueue[K, V]) init(m *Map[K, V]) { q.m, q.runFn = m, q.run }

// enqueue takes over a range that the caller has finished: it alone has set the flag retired.
func (q *retireQueue[K, V]) enqueue(h *header[K, V]) {
	for {
		old := q.stack.Load()
		h.next = old
		if q.stack.CompareAndSwap(old, h) {
			break
		}
	}
	invariants.At("rangelock: freed")
	if q.busy.CompareAndSwap(false, true) {
		q.submit()
	}
	// Otherwise another goroutine is busy. It looks at the stack again before it stops.
}

// submit hands the ranges in the stack to the domain as one batch. Each of them was unlinked
// from the tree before it was detached, and detached before it was pushed, so the stamp that
// Retire takes now comes after each unlink.
//
// Preconditions: the caller has set busy.
func (q *retireQueue[K, V]) submit() {
	for {
		if q.batch = inOrder(q.stack.Swap(nil)); q.batch != nil {
			q.m.domain.Retire(q.runFn)
			return
		}
		invariants.At("rangelock: nothing to hand over")
		q.busy.Store(false)
		// Look again: a goroutine that pushed while busy was true relies on it. Pairs with
		// enqueue.
		if q.stack.Load() == nil || !q.busy.CompareAndSwap(false, true) {
			return
		}
	}
}

// run calls OnRetire for each range of a batch after the grace period, in the order in which
// they were enqueued, recycles the headers, and submits the next batch. It is the domain's
// callback; busy is set.
func (q *retireQueue[K, V]) run() {
	through := false
	defer func() {
		if !through {
			// OnRetire has ended this goroutine by runtime.Goexit, as testing.T.FailNow
			// does. Another one runs the rest of the batch.
			q.m.domain.Retire(q.runFn)
		}
	}()
	for q.batch != nil {
		h := q.batch
		q.batch = h.next
		q.callOnRetire(h)
	}
	through = true
	q.submit()
}

// callOnRetire calls OnRetire for one range and recycles its header, also if OnRetire panics.
// It is not called for a range whose value has moved into another.
func (q *retireQueue[K, V]) callOnRetire(h *header[K, V]) {
	m := q.m
	defer func() {
		if !h.moved() {
			m.countRetired(h)
		}
		m.pending.retireDone(h)
		m.recycle(h)
	}()
	if m.options.OnRetire != nil && !h.moved() {
		m.options.OnRetire(h.bounds(), h.value)
	}
}

// inOrder reverses a stack: the range that was pushed first comes first.
func inOrder[K, V any](h *header[K, V]) (first *header[K, V]) {
	for h != nil {
		next := h.next
		h.next = first
		first, h = h, next
	}
	return first
}
