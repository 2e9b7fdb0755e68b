package rangelock

import (
	"fmt"
	"slices"
	"time"
)

// A wait has no list of its own: each kind stands in the queue in which it is granted,
// and Stats looks there.
//
//	ForGuards          Map.waiter, one at most
//	ForTurn            the queues of waitqueue.go
//	ForLoad            those aboard in loadcall.go
//	ForRetire, ForRoom the lines of pending.go
//	ForLock            the semaphore's own statistics have it: Stats.Sem

// maxWaits is how many waits Stats lists.
const maxWaits = 16

// Wait is a wait under way, as [Stats] shows it.
type Wait struct {
	For    WaitFor
	Range  string        // which range, as Range.String writes it; empty where there is none
	Guards int           // held on it
	Waited time.Duration // so far
}

// String says what is waited for, and for how long.
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

// waitSeen is a wait as it was found in its queue. Its range is made into text later,
// when nothing is held, because that may call the user's code.
type waitSeen[K any] struct {
	what   WaitFor
	r      Range[K]
	ranged bool
	guards int
	since  time.Time
}

// waits returns how many calls wait now, but for those in the semaphore's queue, since
// when the oldest does, and the oldest of them, maxWaits at most.
func (m *Map[K, V]) waits() (n int, oldest time.Duration, list []Wait) {
	var seen []waitSeen[K]
	if x := m.excluder.Load(); x != nil {
		seen = append(seen, waitSeen[K]{ForGuards, x.r, true, m.guardsOn(x.h), x.since})
	}
	m.queues.mu.Lock()
	for h, l := range m.queues.byRange { // attached, as long as they have a line
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
	for _, d := range m.pending.line {
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

// waitingSince returns when the oldest of those that wait for h came, or the zero time; s
// is the word of h. If h has a line it returns how many stand in it, too.
//
// Preconditions: h is not recycled meanwhile.
func (m *Map[K, V]) waitingSince(h *header[K, V], s uint64) (since time.Time, inLine int) {
	if s&reserved != 0 {
		m.queues.mu.Lock()
		// A line can be empty: the last has left it while a transaction has the range.
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
