package rangelock

import (
	"context"
	"errors"
	"fmt"
	rdebug "runtime/debug"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/seam"
)

// loader is what AcquireOrLoad calls on a miss.
type loader[K, V any] = func(ctx context.Context, key K) (Range[K], V, error)

// loadCall is one call of a loader, with the callers that wait for it. It does steps 4 to 8 of
// load.go, on a goroutine of its own. It is in loads.list from its start until it completes.
// Completing fixes the set of waiters: no caller can join or leave afterwards.
type loadCall[K, V any] struct {
	m        *Map[K, V]
	key      K                  // of the first caller; never changes
	claim    Range[K]           // LoadRange(key); never changes
	cancel   context.CancelFunc // ends the context of load; never changes
	ancestry *ancestry          // never changes

	// A writer changes these, with sem and loads.mu held (stale.go). A goroutine that holds sem
	// in either mode may read them.
	window  window[K]
	planned effect[K] // by the last planStale

	// loads.mu protects these. After the call has completed they belong to its own goroutine.
	waiters   []*loadWaiter[K, V]
	givenUp   bool // all waiters have left once, which has ended the context
	closing   bool // Close has ended the context
	stale     bool // its key was invalidated, which has ended the context
	completed bool

	// settled is the waiters when the call completed. The call's goroutine writes and reads it.
	settled []*loadWaiter[K, V]
}

// loadWaiter is a caller that waits for a load call.
type loadWaiter[K, V any] struct {
	key    K
	since  time.Time // when it came
	parker *seam.Parker

	// own says that the load is for this key, or for the same range of LoadRange. The two were
	// compared when the waiter joined.
	own bool

	// late says that the waiter joined after all others had left, or after an invalidation
	// beside the call's key. In the first case the load may fail because its context has ended;
	// in the second case what it fails with may have been read before the invalidation.
	late bool

	// What the call has decided. The call writes this after it has completed; the caller reads
	// it after parker has been woken.
	guard    Guard[K, V]
	err      error
	panicked *loadPanic
	again    bool // nothing is decided for this key; search again
	stale    bool // again is set because the key's own load was stale
}

// ancestry says which load a context was made for. It holds none of the user's values, because
// the user may keep the context for long.
type ancestry struct {
	from *ancestry // the load in which this one was asked for
}

// origin is the key of the ancestry in a load's context.
type origin struct{}

// newLoadCall returns a call with its first waiter, and the context for its load.
func newLoadCall[K, V any](ctx context.Context, m *Map[K, V], w *loadWaiter[K, V], claim Range[K]) (*loadCall[K, V], context.Context) {
	from, _ := ctx.Value(origin{}).(*ancestry)
	w.own = true
	c := &loadCall[K, V]{m: m, key: w.key, claim: claim, ancestry: &ancestry{from}, waiters: []*loadWaiter[K, V]{w}}
	ctx = context.WithValue(context.WithoutCancel(ctx), origin{}, c.ancestry)
	ctx, c.cancel = context.WithCancel(ctx)
	return c, ctx
}

// errGoexit is what callers get when load does not return.
var errGoexit = errors.New("rangelock: load has ended its goroutine (runtime.Goexit)")

// loadPanic is a panic of load, as its callers see it.
type loadPanic struct {
	value any
	stack []byte
}

// Error returns the value and the stack.
func (p *loadPanic) Error() string {
	return fmt.Sprintf("rangelock: panic in a load: %v\n\n%s", p.value, p.stack)
}

// Unwrap returns the value if it is an error.
func (p *loadPanic) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// failure says why a call has inserted no range. The zero failure is none.
type failure struct {
	err      error
	panicked *loadPanic

	// ofLoad says that the failure comes from load, and so from what load has read, and not from
	// what is in the map.
	ofLoad bool
}

// run does steps 4 to 8: it calls load, inserts what load returns, and wakes the waiters. It is
// the call's goroutine. The waiters are woken however load ends: by a return, by a panic, or by
// runtime.Goexit.
func (c *loadCall[K, V]) run(ctx context.Context, load loader[K, V]) {
	why := failure{err: errGoexit, ofLoad: true}
	defer func() {
		c.cancel()
		c.deliver(why)
	}()
	defer func() {
		if x := recover(); x != nil {
			why.panicked = &loadPanic{x, rdebug.Stack()}
		}
	}()
	r, v, err := load(ctx, c.key)
	if err != nil {
		why.err = err
		return
	}
	invariants.At("rangelock: a load has returned")
	why = c.insert(r, v)
	invariants.At("rangelock: a load has been brought")
}

// deliver completes the call if it has not completed, decides what each waiter gets, and wakes
// the waiters. A waiter that asked for another key or range than the load was for searches again
// after any failure, because it may find what it wants. All of them search again if the load was
// stale.
func (c *loadCall[K, V]) deliver(why failure) {
	for _, w := range c.m.loads.complete(c) {
		switch {
		case w.guard.h != nil:
		case why.err == ErrClosed && !why.ofLoad:
			w.err = ErrClosed
		case c.closing && why.ofLoad && why.panicked == nil:
			w.err = &closedError{why.err}
		case c.stale:
			w.again, w.stale = true, w.own
		case w.again:
		case !w.own, w.late && why.ofLoad:
			w.again = true
		default:
			w.err, w.panicked = why.err, why.panicked
		}
	}
	invariants.At("rangelock: a flight tells")
	for _, w := range c.settled {
		w.parker.Wake()
	}
}

// insert does steps 5 to 7 and ends the transaction: it inserts what load has returned. Each
// waiter with a key in r gets a guard, which is counted before the transaction ends, so that a
// writer that retires the range next finds the guards. If insert returns a failure, or panics,
// the value is on its way to OnRetire.
//
// The call completes inside the transaction in every case. After the transaction would be too
// late: a writer could remove the range that is in the way of r, and then a caller could join
// the call and be told that this range is in the way.
func (c *loadCall[K, V]) insert(r Range[K], v V) (why failure) {
	const op = "AcquireOrLoad"
	m := c.m
	w := m.lockUnended(op, r)
	defer w.Unlock()
	defer m.loads.complete(c)
	kept := false
	defer func() {
		if !kept {
			c.dispose(r, v)
		}
	}()
	if m.closed.Load() {
		return failure{err: ErrClosed}
	}
	if err := c.check(r); err != nil {
		return failure{err: err, ofLoad: true}
	}
	// With sem held for writing no other goroutine makes it stale from here on.
	if c.stale = c.stale || !c.fresh(r); c.stale {
		return failure{}
	}
	var s rangetree.Slot[K]
	m.txn.op.name = op
	err := m.place(&s, r)
	if err == nil {
		err = m.roomFor(1, r)
	}
	if err != nil {
		c.decide(func(key K) bool { return !m.contains(r, key) || m.find(key) != nil })
		return failure{err: err}
	}
	c.decide(func(key K) bool { return !m.contains(r, key) })

	// All of the user's code has run. From here on nothing fails.
	kept = true
	h := m.newHeader(r, v)
	c.admitAll(h, m.loads.complete(c))
	m.publishing()
	m.attach(&s, h)
	m.done()
	invariants.At("rangelock: a load is inserted")
	return failure{}
}

// check refuses a range that load should not have returned.
func (c *loadCall[K, V]) check(r Range[K]) error {
	m := c.m
	switch {
	case !m.valid(r):
		return m.refuse(ErrBadRange, r)
	case !m.contains(r, c.key):
		return &loadedError[K]{RangeError[K]{Op: "AcquireOrLoad", Range: r, Err: ErrBadRange}, c.key}
	case m.options.LoadRange != nil && !m.same(r, c.claim):
		of := RangeError[K]{Op: "AcquireOrLoad", Range: r, Other: c.claim, Err: ErrBadRange, how: "is not Options.LoadRange's"}
		return &loadedError[K]{of, c.key}
	}
	return nil
}

// decide notes which waiters have to search again.
func (c *loadCall[K, V]) decide(again func(key K) bool) {
	ls := &c.m.loads
	ls.mu.Lock()
	defer ls.mu.Unlock() // compare may panic
	for _, w := range c.waiters {
		w.again = again(w.key)
	}
}

// admitAll gives a guard on h to each waiter that need not search again.
//
// Preconditions: the caller holds sem for writing, no other goroutine sees h, and the call has
// completed with these waiters.
func (c *loadCall[K, V]) admitAll(h *header[K, V], ws []*loadWaiter[K, V]) {
	n := uint64(0)
	for _, w := range ws {
		if !w.again {
			n++
		}
	}
	invariants.Check(n < limit, "%d waiters of one load", n)
	gen := h.State.Add(n) &^ lowMask
	for _, w := range ws {
		if !w.again {
			w.guard = Guard[K, V]{h: h, life: gen}
		}
	}
}

// dispose retires a value that never was in the map, as if its range had been inserted and
// retired in this transaction. If Cost panics, or returns a negative cost, which panics, the
// value is retired all the same, at no cost.
//
// Preconditions: the caller holds sem for writing.
func (c *loadCall[K, V]) dispose(r Range[K], v V) {
	m := c.m
	if m.options.OnRetire == nil {
		return
	}
	h := m.newHeader(r, v)
	h.cost = 0
	defer m.done()
	defer func() {
		m.length.Add(1) // detach subtracts it again
		m.detach(h)
	}()
	h.cost = m.costOf(r, v) // MaxPending cannot refuse it
}
