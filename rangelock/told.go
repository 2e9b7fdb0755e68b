package rangelock

import (
	"context"
	rtrace "runtime/trace"
	"time"

	"github.com/spanlock/spanlock/internal/seam"
)

// This file is what a map does for Options.Trace, for its counters and for runtime/trace when
// it comes to a slow path.

// subject is what a call is about: its method, named as WaitInfo.Op says, and the key or the
// range that it was given. Slow paths pass it by value: a pointer to a key would move the keys
// of all calls to the heap.
type subject[K any] struct {
	op    string
	key   K
	keyed bool
	r     Range[K] // the zero Range where there is none
}

// aboutKey is the subject of a call that was given a key.
func aboutKey[K any](op string, key K) subject[K] { return subject[K]{op: op, key: key, keyed: true} }

// region begins a region of runtime/trace around a wait. Its End belongs to the goroutine that
// began it, so it stands in a defer right behind: a wait may panic, or end its goroutine. While
// nobody traces it costs a load and a call.
func region(ctx context.Context, name string) *rtrace.Region { return rtrace.StartRegion(ctx, name) }

// tells returns what the trace is to be told of a wait of a call, if it comes to one; nil if
// the trace asks for none.
//
//go:noinline
func (m *Map[K, V]) waitInfo(ctx context.Context, of subject[K], what WaitFor) *WaitInfo[K] {
	if !m.traced {
		return nil
	}
	w := new(WaitInfo[K])
	w.Context, w.Op, w.For, w.Range = ctx, of.op, what, of.r
	if of.keyed {
		key := of.key // &of.key would move of to the heap, also where there is no trace
		w.Key = &key
	}
	return w
}

// waitStart tells that the wait begins. With nil it does nothing.
//
//go:noinline
func (m *Map[K, V]) waitStart(w *WaitInfo[K]) {
	if w == nil {
		return
	}
	if w.Since.IsZero() {
		w.Since = time.Now()
	}
	if f := m.options.Trace.WaitStart; f != nil {
		f(*w)
	}
}

// waitDone tells that the wait is over. With nil it does nothing, and for a call that has not
// come to wait.
//
//go:noinline
func (m *Map[K, V]) waitDone(w *WaitInfo[K], waited time.Duration, err error) {
	if w == nil || w.Since.IsZero() {
		return
	}
	w.Waited, w.Err = waited, err
	if f := m.options.Trace.WaitDone; f != nil {
		f(*w)
	}
}

// afterWait is the end of a wait for what, which began at since: it tells the trace, and returns a
// WaitError if ok is false, because ctx has ended. For OnRetire and for room that names the ranges
// that still have guards: those that overlap over, or all if that is nil.
func (m *Map[K, V]) afterWait(ctx context.Context, t *WaitInfo[K], what WaitFor, since time.Time, ok bool, over *Range[K]) error {
	waited := time.Since(since)
	if ok {
		m.waitDone(t, waited, nil)
		return nil
	}
	err := &WaitError[K]{For: what, Waited: waited, ended: endedBy(ctx)}
	if over != nil {
		err.Range, err.ranged = *over, true
	}
	if what == ForRetire || what == ForRoom {
		err.Held = m.heldRanges(over)
	}
	m.waitDone(t, waited, err)
	return err
}

// parkUnlocked gives mu to others, calls begin, and parks in a region of that name until p is
// woken, or ctx ends. It has mu again when it returns, also if begin panics.
func parkUnlocked(ctx context.Context, mu *seam.Mutex, p *seam.Parker, name string, begin func()) (woken bool) {
	mu.Unlock()
	defer mu.Lock()
	begin()
	defer region(ctx, name).End()
	return p.Park(ctx.Done())
}

// holding is a call that keeps others out of the map's lock or of a range, and since when.
type holding struct {
	ctx   context.Context // of a transaction
	op    string
	since time.Time
}

// behind notes x, which may be nil, as what is in the way.
func (w *WaitInfo[K]) behind(x *holding) {
	if x != nil {
		w.Holder, w.HolderSince = x.op, x.since
	}
}

// began notes what has the lock for writing, if the trace asks for that.
//
// Preconditions: the caller holds sem for writing, and there is a trace.
//
//go:noinline
func (m *Map[K, V]) began(op string, r Range[K]) {
	if m.traced || m.options.Trace.Unlocked != nil {
		m.txn.held, m.txn.given = &holding{m.txn.ctx, op, time.Now()}, r
		m.holder.Store(m.txn.held)
	}
}

// letGo is the rest of Unlock and Downgrade where began has noted x: it lets the semaphore go
// with unlock. It clears the note before that, so that no call that waits for the next holder
// takes this one for it.
//
//go:noinline
func (m *Map[K, V]) letGo(x *holding, unlock func()) {
	r := m.txn.given
	m.txn.held, m.txn.given = nil, Range[K]{}
	m.holder.Store(nil)
	unlock()
	if f := m.options.Trace.Unlocked; f != nil {
		f(UnlockedInfo[K]{Context: x.ctx, Op: x.op, Range: r, Held: time.Since(x.since)})
	}
}

// fellBack counts a fall-back and tells the trace.
func (m *Map[K, V]) fellBack(ctx context.Context, of subject[K], a outcome) {
	reason := Busy
	switch a {
	case unproved:
		reason = Miss
	case gone:
		reason = Gone
	}
	m.counters.addFellBack(reason)
	if t := m.options.Trace; t != nil && t.FellBack != nil {
		key := of.key // as in tells
		t.FellBack(FellBackInfo[K]{Context: ctx, Op: of.op, Key: &key, Reason: reason})
	}
}

// lockWaiting waits for the semaphore with wait, which takes it for writing or for
// reading, and counts and tells how long that takes.
func (m *Map[K, V]) lockWaiting(ctx context.Context, of subject[K], writer bool, wait func(context.Context) error) error {
	name := "rangelock.RLock"
	if writer {
		name = "rangelock.Lock"
	}
	defer region(ctx, name).End()
	t := m.waitInfo(ctx, of, ForLock)
	if t != nil {
		t.Exclusive = writer
		t.behind(m.holder.Load())
	}
	m.waitStart(t)
	start := time.Now()
	err := wait(ctx)
	waited := time.Since(start)
	if err != nil {
		err = &WaitError[K]{For: ForLock, Waited: waited, ended: endedBy(ctx)}
	}
	m.counters.addLockWait(waited)
	m.waitDone(t, waited, err)
	return err
}

// tellsExclusion is tells for a writer that is about to park until nobody is in h.
func (m *Map[K, V]) exclusionInfo(h *header[K, V]) *WaitInfo[K] {
	t := m.waitInfo(m.txn.ctx, subject[K]{op: m.txn.op.name, r: h.bounds()}, ForGuards)
	if t != nil {
		t.Exclusive = true
		t.Guards = m.guardsOn(h)
	}
	return t
}

// excludeWaited counts a wait of the writer that is over, and tells the trace.
func (m *Map[K, V]) excludeWaited(t *WaitInfo[K], waited time.Duration, err error) {
	m.counters.addExcludeWait(waited)
	m.waitDone(t, waited, err)
}

// tellsTurn is tells for a reader that is about to park in a range's line.
func (m *Map[K, V]) queueInfo(ctx context.Context, of subject[K], x *waiter[K, V]) *WaitInfo[K] {
	t := m.waitInfo(ctx, of, ForTurn)
	if t == nil {
		return nil
	}
	t.Exclusive, t.Since, t.Ahead = x.exclusive, x.since, x.ahead
	m.queues.mu.Lock()
	defer m.queues.mu.Unlock()
	if x.state != waiting {
		return t // its range may be gone
	}
	h := x.h
	t.Range, t.Guards = h.bounds(), m.guardsOn(h)
	t.behind(m.queues.exclusives[h]) // a transaction that excludes h has nobody come to the line
	return t
}

// turnWaited counts a wait in a range's line that is over, and tells the trace.
func (m *Map[K, V]) queueWaited(t *WaitInfo[K], waited time.Duration, err error) {
	m.counters.addTurnWait(waited)
	m.waitDone(t, waited, err)
}

// isAlone notes that a call has taken g, an exclusive guard.
//
//go:noinline
func (m *Map[K, V]) exclusiveTaken(op string, g Guard[K, V]) {
	q := &m.queues
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.exclusives == nil {
		q.exclusives = make(map[*header[K, V]]*holding)
	}
	q.exclusives[g.h] = &holding{op: op, since: time.Now()}
}

// notAlone takes that note away, before the guard is given back: afterwards there may be
// another one.
//
//go:noinline
func (m *Map[K, V]) exclusiveEnded(h *header[K, V]) {
	m.queues.mu.Lock()
	delete(m.queues.exclusives, h)
	m.queues.mu.Unlock()
}

// countRetired counts a range that is through, and tells the trace.
//
// Preconditions: h is not recycled yet.
func (m *Map[K, V]) countRetired(h *header[K, V]) {
	m.counters.addRetired()
	if t := m.options.Trace; t != nil && t.Retired != nil {
		t.Retired(RetiredInfo[K]{Range: h.bounds(), Cost: h.cost})
	}
}
