package rwsem

import (
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// The protocol.
//
//  1. A writer enters without queueing by a compare-and-swap of the whole state, from
//     unlocked.
//  2. A reader adds one to the state, and enters if the result has no other bit.
//     Otherwise it takes the one back, by the same code as a release.
//  3. A goroutine that is refused queues under mu, sets the waiters bit, tries once to
//     grant the head of the queue, which may be itself, and parks.
//  4. To grant is: if the head is a writer and the lock is free, make it the writer; if
//     the head is a reader and no writer holds the lock, admit all readers up to the
//     next writer, in one add. The grant of the last waiter clears the waiters bit.
//  5. A goroutine that releases the lock, or takes back a refused add, grants if it finds
//     the lock grantable and the waiters bit set.
//  6. A goroutine that leaves the queue because its context ended grants too: readers
//     behind a writer may go at once when that writer gives up. A goroutine that was
//     granted the lock before it could leave keeps the lock and reports success.
//  7. The holder of the write lock adds one to the sequence when it has entered, and one
//     before it releases or downgrades. So the sequence is odd while a writer is at
//     work, and only one goroutine writes it at a time.
//
// From 3 and 5: while the waiters bit is set, a goroutine enters only by a grant. So
// waiters are served in the order in which they queued, and readers that keep coming
// cannot starve a writer.

// wanted is the lock that a waiter waits for.
type wanted bool

const (
	forRead  wanted = false
	forWrite wanted = true
)

// waiter is a goroutine in the queue.
type waiter struct {
	want   wanted       // set before it is queued
	parker *seam.Parker // where it sleeps; woken once, by the grant
	since  time.Time    // when it began to wait; set before it is queued

	// The fields below are under Sem.mu.
	granted    bool // it has left the queue and holds the lock
	next, prev *waiter
}

// queue is a list of waiters in order of arrival. Sem.mu protects it.
type queue struct {
	head, tail *waiter
}

func (q *queue) empty() bool { return q.head == nil }

// push puts w at the tail.
func (q *queue) push(w *waiter) {
	w.prev = q.tail
	if q.tail == nil {
		q.head = w
	} else {
		q.tail.next = w
	}
	q.tail = w
}

// remove takes w out, wherever it is in the list.
func (q *queue) remove(w *waiter) {
	if w.prev == nil {
		q.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.next, w.prev = nil, nil
}

// readers counts the readers at the head, up to the next writer, and reports whether
// they are the whole queue.
func (q *queue) readers() (n uint64, all bool) {
	w := q.head
	for ; w != nil && w.want == forRead; w = w.next {
		n++
	}
	return n, w == nil
}

// wait queues and parks. It reports true once the lock is granted, and false, without
// any effect, if done is closed before that.
func (s *Sem) wait(want wanted, done <-chan struct{}) bool {
	w := &waiter{want: want, parker: seam.NewParker(), since: time.Now()}
	s.mu.Lock()
	if s.queue.empty() {
		s.state.Add(waiters) // it is not set: see grantLocked and dropLocked
	}
	s.queue.push(w)
	invariants.Yield()
	// The holders may have released after we were refused and before they could see the
	// waiters bit. Without this attempt we would sleep with the lock free.
	s.grantLocked()
	granted := w.granted
	s.mu.Unlock()
	if granted || w.parker.Park(done) {
		if !granted {
			s.waitOver(w.since)
		}
		return true
	}
	s.waitOver(w.since)

	// The context has ended. There are two cases.
	//
	// 1. w is still queued. It leaves the queue and does what a release does. It may
	//    have been the head, and the waiters behind it may be grantable at once (readers
	//    behind a writer that waited for readers).
	// 2. w has been granted the lock meanwhile. The lock is held in its name, so w keeps
	//    it and reports success. Dropping the grant would lock out every goroutine for
	//    ever.
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.granted {
		return true
	}
	s.dropLocked(w)
	return false
}

// dropLocked takes w, which was not granted the lock, out of the queue.
//
// Preconditions: mu is held and w is queued.
func (s *Sem) dropLocked(w *waiter) {
	s.queue.remove(w)
	if s.queue.empty() {
		s.state.Add(^waiters + 1) // it is set: wait set it
	}
	s.grantLocked()
}

// grant is grantLocked for a caller that does not hold mu.
func (s *Sem) grant() {
	s.mu.Lock()
	s.grantLocked()
	s.mu.Unlock()
}

// grantLocked grants the lock to the head of the queue if that is possible: to one
// writer, or to all readers up to the next writer. It is called by every goroutine that
// gives up the lock, a refused add or a place in the queue, or that has just queued.
//
// It may do nothing because of a count that is about to be undone; then the goroutine
// that undoes it calls this later. It never grants a writer beside another holder, nor
// a reader beside a writer.
//
// Preconditions: mu is held.
func (s *Sem) grantLocked() {
	w := s.queue.head
	if w == nil {
		return
	}
	if w.want == forWrite {
		to := writer
		if w.next != nil {
			to |= waiters
		}
		// From exactly waiters: no writer, no count. The same operation clears the bit
		// if this is the last waiter.
		if s.state.CompareAndSwap(waiters, to) {
			s.queue.remove(w)
			w.granted = true
			w.parker.Wake()
		}
		return
	}
	// The waiters bit is set and we hold mu, so no other goroutine can set the writer
	// bit: if it is clear, it stays clear until the add.
	if s.state.Load()&writer != 0 {
		return
	}
	n, all := s.queue.readers()
	delta := n
	if all {
		delta -= waiters
	}
	// One add for the whole batch, before any of them wakes.
	after := s.state.Add(delta)
	if invariants.Enabled {
		invariants.Check(after&writer == 0 && (after&waiters == 0) == all,
			"rwsem: %d readers granted, state now %#x: %s", n, after, describe(after))
	}
	for ; n > 0; n-- {
		w := s.queue.head
		s.queue.remove(w)
		w.granted = true
		w.parker.Wake()
	}
}
