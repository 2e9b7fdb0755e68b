package rwsem

import (
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// What a waiter waits for.
type wanted bool

const (
	forRead  wanted = false
	forWrite wanted = true
)

// waiter is one goroutine in the queue.
type waiter struct {
	want   wanted       // set before it is queued
	parker *seam.Parker // where it sleeps; woken once, by the grant
	since  time.Time    // when it came; set before it is queued

	// The rest is under Sem.mu.
	granted    bool // it has left the queue with the lock in its hand
	next, prev *waiter
}

// queue is a list of waiters in the order of their coming. Sem.mu protects it.
type queue struct {
	head, tail *waiter
}

func (q *queue) empty() bool { return q.head == nil }

// push puts w at the end.
func (q *queue) push(w *waiter) {
	w.prev = q.tail
	if q.tail == nil {
		q.head = w
	} else {
		q.tail.next = w
	}
	q.tail = w
}

// remove takes w out, wherever it stands.
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

// readers counts the readers that stand at the head, up to the next writer, and
// says whether that is the whole queue.
func (q *queue) readers() (n uint64, all bool) {
	w := q.head
	for ; w != nil && w.want == forRead; w = w.next {
		n++
	}
	return n, w == nil
}

// wait queues, and parks until the lock is granted, and reports true; or until done
// is closed, and reports false, with everything as it was before.
func (s *Sem) wait(want wanted, done <-chan struct{}) bool {
	w := &waiter{want: want, parker: seam.NewParker(), since: time.Now()}
	s.mu.Lock()
	if s.queue.empty() {
		s.state.Add(waiters) // it is not set: see grantLocked and dropLocked
	}
	s.queue.push(w)
	invariants.Yield()
	// The holders may have left between our refusal and the moment when the waiters
	// bit told them of us. Without this look we would sleep with the lock free.
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
	// 1. w is still queued. It leaves, and since it may have been the head, and
	//    what stands behind it may be grantable at once (readers behind a writer
	//    that waited for readers), it does what a release does.
	// 2. w was granted since. The lock is held in its name, so it keeps it and
	//    reports success; dropping the grant would lock everybody out for ever.
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.granted {
		return true
	}
	s.dropLocked(w)
	return false
}

// dropLocked takes a waiter out of the queue without the lock.
//
// Preconditions: mu is held and w is queued.
func (s *Sem) dropLocked(w *waiter) {
	s.queue.remove(w)
	if s.queue.empty() {
		s.state.Add(^waiters + 1) // it is set: wait did it
	}
	s.grantLocked()
}

// grant is grantLocked for those who do not hold mu.
func (s *Sem) grant() {
	s.mu.Lock()
	s.grantLocked()
	s.mu.Unlock()
}

// grantLocked hands the lock to the head of the queue if that is possible: to one
// writer, or to all readers up to the next writer. Everybody comes here who gives
// up the lock, a refused add, or a place in the queue, and everybody who has just
// queued.
//
// It may do nothing because of a count that is about to be undone: then whoever
// undoes it comes here after us. It never grants a writer beside anybody, or a reader
// beside a writer.
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
		// From exactly waiters: no writer, no count. The bit goes with the last
		// waiter in the same operation.
		if s.state.CompareAndSwap(waiters, to) {
			s.queue.remove(w)
			w.granted = true
			w.parker.Wake()
		}
		return
	}
	// The waiters bit is set and we hold mu: nobody else can set the writer bit, so
	// if it is clear it stays so until the add.
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
