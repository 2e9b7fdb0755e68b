package rangelock

import (
	"context"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// A range has a line of goroutines while somebody waits for an exclusive guard on it,
// or for a guard beside one. Few ranges ever have one, so it lies beside the header, in
// a table. It works as the semaphore's queue does, with the flag reserved in the part
// of the waiters bit:
//
//  1. Who finds the range in use sets the flag, by a swap from a word without excluded,
//     and stands at the end. From then on nobody enters but by his turn.
//  2. Then he tries to grant the head himself, once: the last holder may have left
//     before the flag told him of the line.
//  3. Whoever takes the last count from the word, or a mark from a line, be it a guard or
//     a reader in passing, and sees the flag, tries to grant the head: one exclusive
//     guard, or all shared ones up to the next exclusive. The flag goes with the last.
//  4. So does whoever leaves the line because his context has ended: he may have been
//     what those behind him waited for. If he was granted meanwhile he keeps the guard.
//  5. While a transaction has the range excluded nobody is granted. When it lets the
//     range in again it tries to grant the head; the line has kept its order.
//  6. When a transaction detaches the range it sends everybody in line back to the
//     semaphore, to search again behind it.
//
// The flag is set and cleared only under turns.mu, and is set exactly while there is a
// line.
type turns[K, V any] struct {
	mu    seam.Mutex
	lines map[*header[K, V]]*line[K, V]

	// alone is which calls have exclusive guards, by range. It is empty where no trace asks
	// for it, and no protocol depends on it.
	alone map[*header[K, V]]*holding
}

// line is who waits for one range, first come first. turns.mu protects it.
type line[K, V any] struct {
	head, tail *turn[K, V]
	n          int // how many
}

// turn is one goroutine in line.
type turn[K, V any] struct {
	h         *header[K, V]
	gen       uint64 // the life of h, in which it is attached
	exclusive bool
	since     time.Time    // when it came
	ahead     int          // how many stood in line then
	parker    *seam.Parker // woken once, when it is out of line

	// The rest is under turns.mu.
	state turnState
	next  *turn[K, V]
}

type turnState int

const (
	waiting  turnState = iota
	granted            // out of line; its count is taken
	sentBack           // out of line, without the range
)

// lineUp stands in line for h, in the life gen, and returns the turn. Where nobody is in
// the way it returns a guard instead, and if a transaction has the range, or h is in
// another life, neither.
func (m *Map[K, V]) lineUp(h *header[K, V], gen uint64, exclusive bool) (Guard[K, V], *turn[K, V]) {
	q := &m.turns
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		s := h.State.Load()
		if s&^lowMask != gen || s&excluded != 0 {
			return Guard[K, V]{}, nil
		}
		if s&(reserved|alone) == 0 {
			if g, ok := m.claim(h, s, exclusive); ok {
				return g, nil
			}
		}
		invariants.At("rangelock: before the line")
		// A swap and not an Or: the flag must not be set on a range that a transaction
		// has taken meanwhile, because nobody would clear it.
		if s&reserved != 0 || h.State.CompareAndSwap(s, s|reserved) {
			break
		}
	}
	t := &turn[K, V]{h: h, gen: gen, exclusive: exclusive, since: time.Now(), parker: seam.NewParker()}
	l := q.lines[h]
	if l == nil {
		if q.lines == nil {
			q.lines = make(map[*header[K, V]]*line[K, V])
		}
		l = new(line[K, V])
		q.lines[h] = l
	}
	l.push(t)
	invariants.At("rangelock: in line")
	m.grantLocked(h, gen)
	return Guard[K, V]{}, t
}

// claim takes a guard on h, seen in state s, in which nobody is alone or in line, and
// reports whether it has.
func (m *Map[K, V]) claim(h *header[K, V], s uint64, exclusive bool) (Guard[K, V], bool) {
	gen := s &^ lowMask
	if !exclusive {
		return Guard[K, V]{h: h, life: gen}, s&readerMask < limit && h.State.CompareAndSwap(s, s+1)
	}
	if s&readerMask != 0 || !h.State.CompareAndSwap(s, s+sole) {
		return Guard[K, V]{}, false
	}
	invariants.At("rangelock: alone, before the look at the lines")
	// The flag alone refuses those that announce, too. A guard in the lines was there before;
	// or is counted by now, if it was cloned.
	if m.shown(h, s) || s&announced != 0 && h.State.Load()&readerMask != limit {
		m.releaseSlow(h, gen, h.State.Add(^uint64(sole)+1))
		return Guard[K, V]{}, false
	}
	return Guard[K, V]{h: h, life: gen | sole}, true
}

// awaitTurn parks until t is out of line. It returns its guard, or the zero Guard if it
// was sent back, or a WaitError if ctx ended first.
func (m *Map[K, V]) awaitTurn(ctx context.Context, of subject[K], t *turn[K, V]) (Guard[K, V], error) {
	defer region(ctx, "rangelock.Turn").End()
	w := m.tellsTurn(ctx, of, t)
	m.waitStart(w)
	t.parker.Park(ctx.Done())
	m.turns.mu.Lock()
	if t.state == waiting {
		// In line, so its range is attached and its bounds may be read.
		err := &WaitError[K]{For: ForTurn, Range: t.h.bounds(), Guards: m.guardsOn(t.h)}
		m.leaveLocked(t)
		m.turns.mu.Unlock()
		err.Waited, err.ended = time.Since(t.since), endedBy(ctx)
		m.turnWaited(w, err.Waited, err)
		return Guard[K, V]{}, err
	}
	// Granted, also if ctx has ended meanwhile: the count is taken in our name.
	state := t.state
	m.turns.mu.Unlock()
	m.turnWaited(w, time.Since(t.since), nil)
	if state == sentBack {
		return Guard[K, V]{}, nil
	}
	if t.exclusive {
		return Guard[K, V]{h: t.h, life: t.gen | sole}, nil
	}
	return Guard[K, V]{h: t.h, life: t.gen}, nil
}

// leaveLocked takes t out of line, without the range. It still waits, so its range is in
// the same life, and there is a line.
//
// Preconditions: the caller holds turns.mu.
func (m *Map[K, V]) leaveLocked(t *turn[K, V]) {
	m.turns.lines[t.h].remove(t)
	m.grantLocked(t.h, t.gen)
}

// nextTurn is grantLocked for those who do not hold turns.mu.
func (m *Map[K, V]) nextTurn(h *header[K, V], gen uint64) {
	m.turns.mu.Lock()
	m.grantLocked(h, gen)
	m.turns.mu.Unlock()
}

// grantLocked gives h to the head of its line if it can be given, and ends a line in
// which nobody stands.
//
// It may do nothing because of a reader in passing, whose undo comes here after us. It
// does nothing if h is in another life than gen, or if a transaction has it. It never
// grants an exclusive guard beside anybody, or a shared one beside an exclusive one.
//
// Preconditions: the caller holds turns.mu.
func (m *Map[K, V]) grantLocked(h *header[K, V], gen uint64) {
	for {
		s := h.State.Load()
		if s&^lowMask != gen || s&reserved == 0 || s&excluded != 0 {
			return
		}
		l := m.turns.lines[h]
		n, to, ok := l.grant(s)
		if !ok || to&alone > s&alone && m.shown(h, s) {
			return // who leaves last comes here
		}
		// Nobody else grants, and what readers do meanwhile fails the swap.
		if h.State.CompareAndSwap(s, to) {
			for range n {
				l.pop(granted)
			}
			if l.head == nil {
				delete(m.turns.lines, h)
			}
			return
		}
	}
}

// grant says what becomes of a range in state s: how many turns from the head are
// granted, and the state that follows; or that nobody's turn has come.
func (l *line[K, V]) grant(s uint64) (n int, to uint64, ok bool) {
	t := l.head
	switch {
	case t == nil:
		return 0, s &^ reserved, true
	case t.exclusive:
		if s&readerMask != 0 {
			return 0, 0, false
		}
		n, to, t = 1, s+sole, t.next
	case s&alone != 0:
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

// sendBack ends the line of h, if there is one, for the writer that has detached it.
func (m *Map[K, V]) sendBack(h *header[K, V]) {
	q := &m.turns
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := q.lines[h]; l != nil {
		for l.head != nil {
			l.pop(sentBack)
		}
		delete(q.lines, h)
		h.State.And(^uint64(reserved))
	}
}

// push puts t at the end.
func (l *line[K, V]) push(t *turn[K, V]) {
	t.ahead = l.n
	l.n++
	if l.tail == nil {
		l.head = t
	} else {
		l.tail.next = t
	}
	l.tail = t
}

// pop takes the head out, in the given state, and wakes it.
func (l *line[K, V]) pop(s turnState) {
	t := l.head
	l.n--
	if l.head = t.next; l.head == nil {
		l.tail = nil
	}
	t.next, t.state = nil, s
	t.parker.Wake()
}

// remove takes t out, wherever it stands.
func (l *line[K, V]) remove(t *turn[K, V]) {
	l.n--
	var before *turn[K, V]
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
