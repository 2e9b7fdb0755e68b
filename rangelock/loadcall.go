package rangelock

import (
	"context"
	"errors"
	"fmt"
	rdebug "runtime/debug"
	"slices"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/seam"
)

// loader is what AcquireOrLoad calls on a miss.
type loader[K, V any] = func(ctx context.Context, key K) (Range[K], V, error)

// flights is the loads of a map that are under way.
type loads[K, V any] struct {
	mu   seam.Mutex
	list []*loadCall[K, V]

	// n is the length of list. It is stored under mu. A writer loads it without, and
	// has no load to think of where it is 0: list grows only under sem for reading.
	n seam.Int64

	// line is the calls of Close that wait for list to be empty. When there is one
	// the map is closed, so list does not grow any more.
	line []*seam.Parker
}

// flight is one load, with those who wait for it aboard. It is in loads.list from
// its start until it lands; in that instant its passengers are decided upon, and
// nobody boards or leaves any more.
type loadCall[K, V any] struct {
	key      K                  // of the first caller; never changes
	claim    Range[K]           // what LoadRange says of key; never changes
	cancel   context.CancelFunc // ends the context of load; never changes
	ancestry *ancestry          // never changes

	// A writer changes them, with sem and loads.mu (stale.go). A holder of sem in either
	// mode may read them.
	window  window[K]
	planned effect[K] // by the last planStale

	// Under loads.mu. When the flight has landed only its own goroutine has them.
	waiters   []*loadWaiter[K, V]
	givenUp   bool // everybody has left once, and the context has ended for it
	closing   bool // Close has ended the context
	stale     bool // its key was invalidated, and the context has ended for it
	completed bool

	// told is who was aboard when the flight landed. The flight's goroutine writes
	// and reads it.
	settled []*loadWaiter[K, V]
}

// passenger is a caller that waits for a flight.
type loadWaiter[K, V any] struct {
	key    K
	since  time.Time // when it came
	parker *seam.Parker

	// own says that the load is for this key, or for the same range of LoadRange. It
	// was compared when the passenger boarded.
	own bool

	// late says that the passenger came when the flight had been given up, or after an
	// invalidation beside the flight's key. How load fails may come of the one, or be
	// from before the other.
	late bool

	// What becomes of it: written by the flight when it has landed, read by the
	// caller after parker has been woken.
	guard    Guard[K, V]
	err      error
	panicked *loadPanic
	again    bool // nothing is decided for this key; look again
	stale    bool // so it is because the key's own load was stale
}

// journey says in which load a context was given out. It has none of the user's
// values: the context may be kept for long.
type ancestry struct {
	from *ancestry // the load in which this one was asked for
}

// origin is the key under which a load's context has its journey.
type origin struct{}

// newLoadCall returns a call with its first waiter, and the context for its load.
func newLoadCall[K, V any](ctx context.Context, p *loadWaiter[K, V], claim Range[K]) (*loadCall[K, V], context.Context) {
	from, _ := ctx.Value(origin{}).(*ancestry)
	p.own = true
	f := &loadCall[K, V]{key: p.key, claim: claim, ancestry: &ancestry{from}, waiters: []*loadWaiter[K, V]{p}}
	ctx = context.WithValue(context.WithoutCancel(ctx), origin{}, f.ancestry)
	ctx, f.cancel = context.WithCancel(ctx)
	return f, ctx
}

// leave takes p off a flight that has not landed, and reports whether it could. The
// last to leave ends the load's context.
func (ls *loads[K, V]) leave(f *loadCall[K, V], p *loadWaiter[K, V]) bool {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if f.completed {
		return false
	}
	f.waiters = slices.DeleteFunc(f.waiters, func(o *loadWaiter[K, V]) bool { return o == p })
	if len(f.waiters) == 0 {
		f.givenUp = true
		f.cancel()
	}
	return true
}

// start puts a flight into the list.
//
// Preconditions: the caller holds mu, and the map's sem for reading.
func (ls *loads[K, V]) start(f *loadCall[K, V]) {
	ls.list = append(ls.list, f)
	ls.n.Store(int64(len(ls.list)))
}

// land takes f out of the list and returns who is aboard. From here on their fate is
// the caller's to decide: they do not leave, but wait to be told. Landing twice is
// landing once.
//
// Preconditions: the caller is the flight's goroutine.
func (ls *loads[K, V]) complete(f *loadCall[K, V]) []*loadWaiter[K, V] {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if f.completed {
		return f.settled
	}
	f.completed = true
	f.settled, f.waiters = f.waiters, nil
	ls.list = slices.DeleteFunc(ls.list, func(o *loadCall[K, V]) bool { return o == f })
	ls.n.Store(int64(len(ls.list)))
	if len(ls.list) == 0 {
		for _, p := range ls.line {
			p.Wake()
		}
	}
	return f.settled
}

// ground ends the contexts of all loads and waits until they have landed, and what
// they have brought is counted as pending. It reports whether they have; if not, ctx has
// ended. It calls begin before it parks.
//
// Preconditions: the map is closed.
func (ls *loads[K, V]) cancelAll(ctx context.Context, begin func()) bool {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if len(ls.list) == 0 {
		return true
	}
	for _, f := range ls.list {
		f.closing = true
		f.cancel()
	}
	p := seam.NewParker()
	ls.line = append(ls.line, p)
	defer func() { ls.line = slices.DeleteFunc(ls.line, func(o *seam.Parker) bool { return o == p }) }()
	return parkUnlocked(ctx, &ls.mu, p, "rangelock.Load", begin) || len(ls.list) == 0
}

// errGoexit is what callers get when load does not return.
var errGoexit = errors.New("rangelock: load has ended its goroutine (runtime.Goexit)")

// loadPanic is a panic of load as its callers see it.
type loadPanic struct {
	value any
	stack []byte
}

// Error tells the value and the stack.
func (p *loadPanic) Error() string {
	return fmt.Sprintf("rangelock: panic in a load: %v\n\n%s", p.value, p.stack)
}

// Unwrap returns the value if it is an error.
func (p *loadPanic) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// failure is how a flight ends that has brought no range. The zero failure is none.
type failure struct {
	err      error
	panicked *loadPanic

	// ofLoad says that it comes of load and of what load has read, and not of what is
	// in the map.
	ofLoad bool
}

// fly calls load, brings what it returns into the map, and tells the passengers. It
// is the flight's goroutine. However load or what it calls ends, by a return, a panic
// or a Goexit, the passengers are told.
func (m *Map[K, V]) runLoad(ctx context.Context, f *loadCall[K, V], load loader[K, V]) {
	why := failure{err: errGoexit, ofLoad: true}
	defer func() {
		f.cancel()
		m.deliver(f, why)
	}()
	defer func() {
		if x := recover(); x != nil {
			why.panicked = &loadPanic{x, rdebug.Stack()}
		}
	}()
	r, v, err := load(ctx, f.key)
	if err != nil {
		why.err = err
		return
	}
	invariants.At("rangelock: a load has returned")
	why = m.insertLoaded(f, r, v)
	invariants.At("rangelock: a load has been brought")
}

// tell lets the flight land if it has not, and wakes the passengers with what has
// become of them. Those that asked for something else than the load was for look again,
// whatever it is: they may find what they want. So do all when the load was stale.
func (m *Map[K, V]) deliver(f *loadCall[K, V], why failure) {
	for _, p := range m.loads.complete(f) {
		switch {
		case p.guard.h != nil:
		case why.err == ErrClosed && !why.ofLoad:
			p.err = ErrClosed
		case f.closing && why.ofLoad && why.panicked == nil:
			p.err = &closedError{why.err}
		case f.stale:
			p.again, p.stale = true, p.own
		case p.again:
		case !p.own, p.late && why.ofLoad:
			p.again = true
		default:
			p.err, p.panicked = why.err, why.panicked
		}
	}
	invariants.At("rangelock: a flight tells")
	for _, p := range f.settled {
		p.parker.Wake()
	}
}

// bring inserts what load has returned, in a transaction of its own, and lets the
// flight land in it. Each passenger in r gets a guard, which is counted before the
// transaction ends: a writer that retires the range at once after it finds the
// guards there. If bring returns a failure, or panics, the value is on its way to
// OnRetire.
//
// It lands in the transaction in either case. Landing after it would be too late: a
// writer could take away what is in the way of r, and then a caller could board and be
// told that it is there.
func (m *Map[K, V]) insertLoaded(f *loadCall[K, V], r Range[K], v V) (why failure) {
	const op = "AcquireOrLoad"
	w := m.lockUnended(op, r)
	defer w.Unlock()
	defer m.loads.complete(f)
	kept := false
	defer func() {
		if !kept {
			m.dispose(r, v)
		}
	}()
	if m.closed.Load() {
		return failure{err: ErrClosed}
	}
	if err := m.checkLoaded(f, r); err != nil {
		return failure{err: err, ofLoad: true}
	}
	// Only this goroutine makes it stale from here on, since it has sem.
	if f.stale = f.stale || !m.fresh(&f.window, r); f.stale {
		return failure{}
	}
	var s rangetree.Slot[K]
	m.txn.op.name = op
	err := m.place(&s, r)
	if err == nil {
		err = m.roomFor(1, r)
	}
	if err != nil {
		m.decide(f, func(key K) bool { return !m.contains(r, key) || m.find(key) != nil })
		return failure{err: err}
	}
	m.decide(f, func(key K) bool { return !m.contains(r, key) })

	// All of the user's code has run; from here on nothing fails.
	kept = true
	h := m.newHeader(r, v)
	m.admitAll(h, m.loads.complete(f))
	m.publishing()
	m.attach(&s, h)
	m.done()
	invariants.At("rangelock: a load is inserted")
	return failure{}
}

// checkLoaded refuses a range that load should not have returned.
func (m *Map[K, V]) checkLoaded(f *loadCall[K, V], r Range[K]) error {
	switch {
	case !m.valid(r):
		return m.refuse(ErrBadRange, r)
	case !m.contains(r, f.key):
		return &loadedError[K]{RangeError[K]{Op: "AcquireOrLoad", Range: r, Err: ErrBadRange}, f.key}
	case m.options.LoadRange != nil && !m.same(r, f.claim):
		of := RangeError[K]{Op: "AcquireOrLoad", Range: r, Other: f.claim, Err: ErrBadRange, how: "is not Options.LoadRange's"}
		return &loadedError[K]{of, f.key}
	}
	return nil
}

// decide notes who has to look again.
func (m *Map[K, V]) decide(f *loadCall[K, V], again func(key K) bool) {
	m.loads.mu.Lock()
	defer m.loads.mu.Unlock() // compare may panic
	for _, p := range f.waiters {
		p.again = again(p.key)
	}
}

// admitAll gives a guard on h to each passenger that need not look again.
//
// Preconditions: the caller holds sem for writing, nobody else sees h, and the
// passengers have landed.
func (m *Map[K, V]) admitAll(h *header[K, V], ps []*loadWaiter[K, V]) {
	n := uint64(0)
	for _, p := range ps {
		if !p.again {
			n++
		}
	}
	invariants.Check(n < limit, "%d passengers", n)
	gen := h.State.Add(n) &^ lowMask
	for _, p := range ps {
		if !p.again {
			p.guard = Guard[K, V]{h: h, life: gen}
		}
	}
}

// dispose retires a value that never was in the map, as if its range had been
// inserted and had left in the same transaction. If Cost panics, or is negative and so
// makes it panic, the value is retired all the same, at no cost.
//
// Preconditions: the caller holds sem for writing.
func (m *Map[K, V]) dispose(r Range[K], v V) {
	if m.options.OnRetire == nil {
		return
	}
	h := m.newHeader(r, v)
	h.cost = 0
	defer m.done()
	defer func() {
		m.length.Add(1) // detach takes it off again
		m.detach(h)
	}()
	h.cost = m.costOf(r, v) // MaxPending cannot refuse it
}
