package rangelock

import (
	"context"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// A range has a queue of waiters while a goroutine waits for an exclusive guard on it, or for a
// guard beside one. Few ranges ever have one, so the queues lie beside the headers, in a table.
// It works like the semaphore's queue; the flag reserved plays the role of rwsem's waiters bit:
//
//  1. A goroutine that finds the range in use sets reserved, by a swap from a state without
//     excluded, and joins the queue at the end. From then on readers enter only when they are
//     granted, so readers that keep coming cannot starve a waiter.
//  2. Then it tries once to grant the head itself: the last holder may have left before the
//     flag told it of the queue. Without this step both could wait for each other.
//  3. A goroutine that takes the last count from the state word, or a mark from a line, and
//     sees reserved, tries to grant the head. It may be the release of a guard, or a refused
//     reader that takes its count back. Granted is one exclusive guard, or all shared ones up
//     to the next exclusive, so neither kind starves the other. The last grant clears reserved.
//  4. A waiter whose context ends leaves the queue and tries to grant the head: those behind it
//     may have waited only for it. If it was granted meanwhile it keeps the guard.
//  5. While a transaction excludes the range no waiter is granted. When it readmits readers it
//     tries to grant the head; the queue has kept its order, and reserved.
//  6. A transaction that detaches the range takes all waiters out of the queue. They wait for
//     the semaphore and search again. No goroutine can join after that, because step 1 needs a
//     state without excluded; so the state word comes to the value that finishing swaps from.
//
// reserved is set and cleared only with mu held, and is set exactly while the range has a
// queue.

// waitQueues has the queues of the map's ranges.
type waitQueues[K, V any] struct {
	mu      seam.Mutex
	byRange map[*header[K, V]]*waitQueue[K, V]

	// exclusives says which calls hold exclusive guards, by range. It is empty where no trace
	// asks for it. The protocol does not use it.
	exclusives map[*header[K, V]]*holding
}

// waitQueue is the waiters of one range, first come first served. waitQueues.mu protects it.
type waitQueue[K, V any] struct {
	head, tail *waiter[K, V]
	n          int // length
}

// waiter is one goroutine in a queue.
type waiter[K, V any] struct {
	h         *header[K, V]
	gen       uint64 // the life of h, in which it is attached
	exclusive bool
	since     time.Time    // when it came
	ahead     int          // how many waiters stood before it then
	parker    *seam.Parker // woken once, when it is out of the queue

	// The rest is protected by waitQueues.mu.
	state waiterState
	next  *waiter[K, V]
}

type waiterState int

const (
	waiting  waiterState = iota
	granted              // out of the queue; its guard is counted
	requeued             // out of the queue, to search again
)

// enqueue joins the queue of h, in the life gen, and returns the waiter. If nothing is in the
// way it returns a guard instead. If a transaction excludes the range, or h is in another life,
// it returns neither.
func (q *waitQueues[K, V]) enqueue(h *header[K, V], gen uint64, exclusive bool) (Guard[K, V], *waiter[K, V]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		s := h.State.Load()
		if s&^lowMask != gen || s&excluded != 0 {
			return Guard[K, V]{}, nil
		}
		if s&(reserved|exclusiveHeld) == 0 {
			if g, ok := h.m.claim(h, s, exclusive); ok {
				return g, nil
			}
		}
		invariants.At("rangelock: before the line")
		// A swap and not an Or: the flag must not be set on a range that a transaction has
		// excluded meanwhile, because it would never be cleared.
		if s&reserved != 0 || h.State.CompareAndSwap(s, s|reserved) {
			break
		}
	}
	t := &waiter[K, V]{h: h, gen: gen, exclusive: exclusive, since: time.Now(), parker: seam.NewParker()}
	l := q.byRange[h]
	if l == nil {
		if q.byRange == nil {
			q.byRange = make(map[*header[K, V]]*waitQueue[K, V])
		}
		l = new(waitQueue[K, V])
		q.byRange[h] = l
	}
	l.push(t)
	invariants.At("rangelock: in line")
	q.grantLocked(h, gen)
	return Guard[K, V]{}, t
}

// claim tries to take a guard on h, whose state was s: without an exclusive guard and without a
// queue. It reports whether it has.
func (m *Map[K, V]) claim(h *header[K, V], s uint64, exclusive bool) (Guard[K, V], bool) {
	gen := s &^ lowMask
	if !exclusive {
		return Guard[K, V]{h: h, life: gen}, s&readerMask < limit && h.State.CompareAndSwap(s, s+1)
	}
	if s&readerMask != 0 || !h.State.CompareAndSwap(s, s+exclusiveUnit) {
		return Guard[K, V]{}, false
	}
	invariants.At("rangelock: alone, before the look at the lines")
	// exclusiveHeld refuses announced readers, too. A guard in the lines was there before the
	// swap; if it was cloned since, the clone is counted in the state word.
	if m.shown(h, s) || s&announced != 0 && h.State.Load()&readerMask != limit {
		m.releaseSlow(h, gen, h.State.Add(^uint64(exclusiveUnit)+1))
		return Guard[K, V]{}, false
	}
	return Guard[K, V]{h: h, life: gen | exclusiveUnit}, true
}

// wait parks until t is out of the queue. It returns t's guard; or the zero Guard if t was
// requeued, and must search again; or a WaitError if ctx ended first.
func (q *waitQueues[K, V]) wait(ctx context.Context, of subject[K], t *waiter[K, V]) (Guard[K, V], error) {
	m := t.h.m
	defer region(ctx, "rangelock.Turn").End()
	w := m.queueInfo(ctx, of, t)
	m.waitStart(w)
	t.parker.Park(ctx.Done())
	q.mu.Lock()
	if t.state == waiting {
		// Still in the queue, so the range is attached and its bounds may be read.
		err := &WaitError[K]{For: ForTurn, Range: t.h.bounds(), Guards: m.guardsOn(t.h), of: of}
		q.leaveLocked(t)
		q.mu.Unlock()
		err.Waited, err.ended = time.Since(t.since), endedBy(ctx)
		m.queueWaited(w, err.Waited, err)
		return Guard[K, V]{}, err
	}
	// If granted it keeps the guard, also if ctx has ended: it is counted already.
	state := t.state
	q.mu.Unlock()
	m.queueWaited(w, time.Since(t.since), nil)
	if state == requeued {
		return Guard[K, V]{}, nil
	}
	if t.exclusive {
		return Guard[K, V]{h: t.h, life: t.gen | exclusiveUnit}, nil
	}
	return Guard[K, V]{h: t.h, life: t.gen}, nil
}

// leaveLocked takes t out of its queue, without a guard.
//
// Preconditions: the caller holds mu; t is waiting, so its range is in the same life.
func (q *waitQueues[K, V]) leaveLocked(t *waiter[K, V]) {
	q.byRange[t.h].remove(t)
	q.grantLocked(t.h, t.gen)
}

// grantNext is grantLocked for a caller that does not hold mu.
func (q *waitQueues[K, V]) grantNext(h *header[K, V], gen uint64) {
	q.mu.Lock()
	q.grantLocked(h, gen)
	q.mu.Unlock()
}

// grantLocked grants h to the head of its queue if that is possible, and removes an empty queue.
//
// It may grant nothing because of a refused reader that is about to take its count back: that
// calls grantNext later. It does nothing if h is in another life than gen, or excluded. It never
// grants an exclusive guard beside another guard, or a shared one beside an exclusive one.
//
// Preconditions: the caller holds mu.
func (q *waitQueues[K, V]) grantLocked(h *header[K, V], gen uint64) {
	for {
		s := h.State.Load()
		if s&^lowMask != gen || s&reserved == 0 || s&excluded != 0 {
			return
		}
		l := q.byRange[h]
		n, to, ok := l.grant(s)
		if !ok || to&exclusiveHeld > s&exclusiveHeld && h.m.shown(h, s) {
			return // the last to leave calls grantNext
		}
		// With mu held no other goroutine grants. A reader that comes or goes meanwhile makes
		// the swap fail.
		if h.State.CompareAndSwap(s, to) {
			for range n {
				l.pop(granted)
			}
			if l.head == nil {
				delete(q.byRange, h)
			}
			return
		}
	}
}

// grant decides for a range in state s how many waiters from the head are granted, and the
// state that follows. It reports false if the head cannot be granted.
func (l *waitQueue[K, V]) grant(s uint64) (n int, to uint64, ok bool) {
	t := l.head
	switch {
	case t == nil:
		return 0, s &^ reserved, true
	case t.exclusive:
		if s&readerMask != 0 {
			return 0, 0, false
		}
		n, to, t = 1, s+exclusiveUnit, t.next
	case s&exclusiveHeld != 0:
		return 0, 0, false
	default:
		room := limit - int(s&readerMask)
		for ; t != nil && !t.exclusive && n < room; t = t.next {
			n++
		}
		if n == 0 {
			return 0, 0, false
		}
		to = s + uint64(n)
	}
	if t == nil {
		to &^= reserved
	}
	return n, to, true
}

// requeueAll empties and removes the queue of h, which is detached: its waiters search again.
func (q *waitQueues[K, V]) requeueAll(h *header[K, V]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := q.byRange[h]; l != nil {
		for l.head != nil {
			l.pop(requeued)
		}
		delete(q.byRange, h)
		h.State.And(^uint64(reserved))
	}
}

// push appends t.
func (l *waitQueue[K, V]) push(t *waiter[K, V]) {
	t.ahead = l.n
	l.n++
	if l.tail == nil {
		l.head = t
	} else {
		l.tail.next = t
	}
	l.tail = t
}

// pop removes the head, puts it into the state s and wakes it.
func (l *waitQueue[K, V]) pop(s waiterState) {
	t := l.head
	l.n--
	if l.head = t.next; l.head == nil {
		l.tail = nil
	}
	t.next, t.state = nil, s
	t.parker.Wake()
}

// remove removes t from any position.
func (l *waitQueue[K, V]) remove(t *waiter[K, V]) {
	l.n--
	var before *waiter[K, V]
	for x := l.head; x != t; x = x.next {
		before = x
	}
	if before == nil {
		l.head = t.next
	} else {
		before.next = t.next
	}
	if l.tail == t {
		l.tail = before
	}
	t.next = nil
}
