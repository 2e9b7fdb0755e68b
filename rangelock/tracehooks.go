package rangelock

import (
	"context"
	rtrace "runtime/trace"
	"time"

	"github.com/spanlock/spanlock/internal/seam"
)

// A slow path reports here what it does: to the hooks of Options.Trace (trace.go), to the
// counters behind Stats (stats.go), and to runtime/trace, where each wait is a region. A wait
// goes like this:
//
//  1. waitInfo makes the WaitInfo, or returns nil if no hook asks for waits. exclusionInfo and
//     queueInfo add what is known about a range.
//  2. waitStart calls the hook WaitStart.
//  3. The caller waits.
//  4. excludeWaited or queueWaited counts the wait, and waitDone calls the hook WaitDone. The
//     other kinds of waits end in afterWait; they have no counters.
//
// lockWaiting does all four steps for the map's lock.
//
// WaitInfo.Holder comes from notes that are kept only for a trace: Map.holder for the
// transaction under way, and waitQueues.exclusives for exclusive guards. A note is stored after
// the lock or the guard is taken and cleared before it is given back. So a waiter may see no
// note, but never takes a holder that has left for the one that is in its way.

// subject is what a call is about: its method, named as in WaitInfo.Op, and the key or the
// range that it was given. Slow paths pass it by value, because a pointer to a key would move
// the keys of all calls to the heap.
type subject[K any] struct {
	op    string
	key   K
	keyed bool
	r     Range[K] // the zero Range where there is none
}

// aboutKey returns the subject of a call that was given a key.
func aboutKey[K any](op string, key K) subject[K] { return subject[K]{op: op, key: key, keyed: true} }

// region begins a region of runtime/trace around a wait. The goroutine that began it must end
// it, so callers defer its End at once: a wait may panic, or end its goroutine. While tracing is
// off it costs a load and a call.
func region(ctx context.Context, name string) *rtrace.Region { return rtrace.StartRegion(ctx, name) }

// waitInfo returns what the trace is told about a wait of a call, should the call have to wait.
// It returns nil if no hook asks for waits.
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

// waitStart tells the trace that the wait begins. If w is nil it does nothing.
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

// waitDone tells the trace that the wait is over. It does nothing if w is nil, or if waitStart
// was not called because the call did not have to wait.
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

// afterWait ends a wait for what, which began at since: it tells the trace. If ok is false, which
// means that ctx has ended, it returns a WaitError. After a wait for OnRetire or for room the error
// names ranges that have left the map and still have guards: those that overlap over, or any if over
// is nil.
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
		err.Held = m.pending.heldRanges(over)
	}
	m.waitDone(t, waited, err)
	return err
}

// parkUnlocked unlocks mu, calls begin, and parks in a region of that name until p is woken or
// ctx ends. It locks mu again before it returns, also if begin panics.
func parkUnlocked(ctx context.Context, mu *seam.Mutex, p *seam.Parker, name string, begin func()) (woken bool) {
	mu.Unlock()
	defer mu.Lock()
	begin()
	defer region(ctx, name).End()
	return p.Park(ctx.Done())
}

// holding is the note of a call that holds the map's lock, or an exclusive guard on a range.
type holding struct {
	ctx   context.Context // of a transaction
	op    string
	since time.Time
}

// behind records in w that x is in the way. x may be nil.
func (w *WaitInfo[K]) behind(x *holding) {
	if x != nil {
		w.Holder, w.HolderSince = x.op, x.since
	}
}

// began stores the note of the transaction that op has just begun, about the range r, if the
// trace needs it.
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

// letGo is the rest of Unlock or Downgrade if began has stored the note x. It calls unlock, which
// gives the semaphore up. It clears the note before that: a call that waits for the next holder
// must not take this one for it.
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

// fellBack counts a reader that falls back from the fast path because of a, and tells the trace.
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
		key := of.key // as in waitInfo
		t.FellBack(FellBackInfo[K]{Context: ctx, Op: of.op, Key: &key, Reason: reason})
	}
}

// lockWaiting takes the semaphore with wait, for writing or for reading. It counts the wait and
// tells the trace.
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
		err = &WaitError[K]{For: ForLock, Waited: waited, ended: endedBy(ctx), of: of}
	}
	m.counters.addLockWait(waited)
	m.waitDone(t, waited, err)
	return err
}

// exclusionInfo is waitInfo for a writer that is about to park until no guard is held on h.
func (m *Map[K, V]) exclusionInfo(h *header[K, V]) *WaitInfo[K] {
	t := m.waitInfo(m.txn.ctx, subject[K]{op: m.txn.op.name, r: h.bounds()}, ForGuards)
	if t != nil {
		t.Exclusive = true
		t.Guards = m.guardsOn(h)
	}
	return t
}

// excludeWaited counts a wait of the writer that has ended, and tells the trace.
func (m *Map[K, V]) excludeWaited(t *WaitInfo[K], waited time.Duration, err error) {
	m.counters.addExcludeWait(waited)
	m.waitDone(t, waited, err)
}

// queueInfo is waitInfo for a reader that is about to park in the queue of a range.
func (m *Map[K, V]) queueInfo(ctx context.Context, of subject[K], x *waiter[K, V]) *WaitInfo[K] {
	t := m.waitInfo(ctx, of, ForTurn)
	if t == nil {
		return nil
	}
	t.Exclusive, t.Since, t.Ahead = x.exclusive, x.since, x.ahead
	m.queues.mu.Lock()
	defer m.queues.mu.Unlock()
	if x.state != waiting {
		return t // x is out of the queue, so its range may be gone
	}
	h := x.h
	t.Range, t.Guards = h.bounds(), m.guardsOn(h)
	t.behind(m.queues.exclusives[h]) // not a transaction: no goroutine joins the queue of an excluded range
	return t
}

// queueWaited counts a wait in the queue of a range that has ended, and tells the trace.
func (m *Map[K, V]) queueWaited(t *WaitInfo[K], waited time.Duration, err error) {
	m.counters.addTurnWait(waited)
	m.waitDone(t, waited, err)
}

// exclusiveTaken stores the note that the method op has taken g, an exclusive guard.
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

// exclusiveEnded deletes that note. It is called before the guard is given back, because after
// that another exclusive guard may be noted.
//
//go:noinline
func (m *Map[K, V]) exclusiveEnded(h *header[K, V]) {
	m.queues.mu.Lock()
	delete(m.queues.exclusives, h)
	m.queues.mu.Unlock()
}

// countRetired counts a range that is retired, and tells the trace.
//
// Preconditions: h is not recycled yet.
func (m *Map[K, V]) countRetired(h *header[K, V]) {
	m.counters.addRetired()
	if t := m.options.Trace; t != nil && t.Retired != nil {
		t.Retired(RetiredInfo[K]{Range: h.bounds(), Cost: h.cost})
	}
}
