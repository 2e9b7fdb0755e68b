package rangelock

import (
	"fmt"
	"slices"
	"time"
)

// This file lists the waits under way, for Stats and Survey. How a reader waits is in wait.go, and
// the error of a wait that a context has ended in waiterror.go.
//
// The map keeps no list of waits. Each kind of wait stands in the queue that serves it, and the
// list is read from there:
//
//	ForGuards          Map.excluder, at most one
//	ForTurn            the queues of waitqueue.go
//	ForLoad            the waiters of each load call (loadcall.go)
//	ForRetire, ForRoom the queues of pending.go
//	ForLock            not listed: Stats.Sem counts them

// maxWaits is the largest number of waits that Stats lists.
const maxWaits = 16

// Wait is a wait under way, as [Stats] lists it.
type Wait struct {
	For    WaitFor       // what the call waits for
	Range  string        // the range that it waits for, as written by Range.String; empty if there is none
	Guards int           // number of guards on Range
	Waited time.Duration // how long the wait has lasted
}

// String returns what the call waits for and how long it has waited.
func (w Wait) String() string {
	switch {
	case w.Range == "":
		return fmt.Sprintf("%v for %v", w.For, w.Waited)
	case w.For == ForRetire:
		return fmt.Sprintf("%v over %s for %v", w.For, w.Range, w.Waited)
	case w.For == ForGuards:
		return fmt.Sprintf("%s on %s for %v", guards(w.Guards), w.Range, w.Waited)
	}
	return fmt.Sprintf("%v at %s, which has %s, for %v", w.For, w.Range, guards(w.Guards), w.Waited)
}

// waitSeen is a wait as it was found in its queue. The text of its range is made later, when no
// mutex is held, because it may call methods of the user's key type.
type waitSeen[K any] struct {
	what   WaitFor
	r      Range[K]
	ranged bool
	guards int
	since  time.Time
}

// waits returns how many calls wait now, except for the semaphore, how long the oldest has
// waited, and the oldest of them, at most maxWaits.
func (m *Map[K, V]) waits() (n int, oldest time.Duration, list []Wait) {
	var seen []waitSeen[K]
	if x := m.excluder.Load(); x != nil {
		seen = append(seen, waitSeen[K]{ForGuards, x.r, true, m.guardsOn(x.h), x.since})
	}
	m.queues.mu.Lock()
	for h, l := range m.queues.byRange { // a range with a queue is attached
		for t := l.head; t != nil; t = t.next {
			seen = append(seen, waitSeen[K]{ForTurn, h.bounds(), true, m.guardsOn(h), t.since})
		}
	}
	m.queues.mu.Unlock()
	m.loads.mu.Lock()
	for _, f := range m.loads.list {
		for _, p := range f.waiters {
			seen = append(seen, waitSeen[K]{what: ForLoad, since: p.since})
		}
	}
	m.loads.mu.Unlock()
	m.pending.mu.Lock()
	for _, d := range m.pending.drains {
		seen = append(seen, waitSeen[K]{what: ForRetire, since: d.since, r: d.r, ranged: d.ranged})
	}
	for _, x := range m.pending.rooms {
		seen = append(seen, waitSeen[K]{what: ForRoom, since: x.since})
	}
	m.pending.mu.Unlock()
	if len(seen) == 0 {
		return 0, 0, nil
	}
	slices.SortFunc(seen, func(a, b waitSeen[K]) int { return a.since.Compare(b.since) })
	now := time.Now()
	for _, s := range seen[:min(len(seen), maxWaits)] {
		w := Wait{For: s.what, Guards: s.guards, Waited: now.Sub(s.since)}
		if s.ranged {
			w.Range = s.r.String()
		}
		list = append(list, w)
	}
	return len(seen), list[0].Waited, list
}

// waitingSince returns when the oldest wait for h began, or the zero time if there is none, and
// how many waiters the queue of h has. s is the state word of h.
//
// Preconditions: h is not recycled meanwhile.
func (m *Map[K, V]) waitingSince(h *header[K, V], s uint64) (since time.Time, inLine int) {
	if s&reserved != 0 {
		m.queues.mu.Lock()
		// The queue is empty if its last waiter has left while a transaction has excluded h.
		if l := m.queues.byRange[h]; l != nil && l.head != nil {
			since, inLine = l.head.since, l.n
		}
		m.queues.mu.Unlock()
	}
	if s&excluded != 0 {
		if x := m.excluder.Load(); x != nil && x.h == h && (since.IsZero() || x.since.Before(since)) {
			since = x.since
		}
	}
	return since, inLine
}
