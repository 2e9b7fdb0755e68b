package rangelock

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
)

// Writer is a transaction: the right to change the set of ranges, from Lock to
// Unlock or Downgrade. It may be copied and handed to another goroutine, but one
// goroutine at a time may use it. The zero Writer is of no use and panics when used.
//
// What the transaction does becomes visible to Acquire, TryAcquire and Get all
// together, when it ends. A range that it has inserted, excluded, replaced or taken
// out makes them wait until then (TryAcquire reports busy), and so, once it has
// changed anything, does a key without a range; ranges that it has not touched are
// acquired as ever. There is no rollback: an operation that fails has no effect,
// those before it stand.
//
// Remove, Extract, Replace, Update, Split, Merge and Resize exclude what they touch, and Put
// what it trims, and so wait for the guards on those ranges; Retire, Evict, Swap and Clear
// never wait for a reader. The context of LockContext ends every wait inside the
// transaction; an operation that need not wait succeeds also when that context is done.
//
// During its transaction a goroutine uses the Writer's methods and TryAcquire of the
// map: Acquire, Get, Lock and the one-operation forms may wait for the transaction,
// and so for their own caller.
//
// A Writer that is used after its Unlock or Downgrade panics, also when another
// transaction is under way. On a closed map every operation that would change it
// returns [ErrClosed].
type Writer[K, V any] struct {
	m   *Map[K, V]
	seq uint64 // the semaphore's sequence, odd, that only this transaction sees
}

// transaction is what the map keeps for the writer that holds sem.
type transaction[K, V any] struct {
	ctx     context.Context // ends waits; nil between transactions
	begun   bool            // pub is odd
	touched []*header[K, V] // excluded and not yet let go
	op      operation       // the operation under way
	load    *bulk[K, V]     // what Load has built and nobody sees yet, or nil
	held    *holding        // as Map.holder
	given   Range[K]        // where held is not nil, the range that the call was given
}

// maxTouched is how long a list of headers the map keeps for the next transaction.
const maxTouched = 1024

// Lock begins a transaction. It waits until no other transaction and no [Reader] is
// under way; those that wait are served in the order in which they came. It waits
// for no guard, and Acquire of a range is not delayed by it. A goroutine that holds a
// guard of the map must not call it; see [Map].
//
// On a closed map it returns a Writer that can look, but every change is
// [ErrClosed].
func (m *Map[K, V]) Lock() Writer[K, V] {
	m.mustBeMade()
	return m.lockUnended("Lock", Range[K]{})
}

// lockUnended is Lock for the method op, which is about r.
func (m *Map[K, V]) lockUnended(op string, r Range[K]) Writer[K, V] {
	ctx := context.Background()
	if debug {
		m.mayWait("Lock", toLock)
	}
	if !m.sem.TryLock() {
		m.lockWaiting(ctx, subject[K]{op: op, r: r}, true, m.sem.LockContext)
	}
	return m.begin(ctx, op, r)
}

// LockContext is like [Map.Lock], but gives up when ctx is done, also when it is
// done at the call, and then returns a [WaitError]. The context goes on to
// end the waits of the transaction's operations; it does not end the transaction,
// which needs its Unlock all the same. On a closed map LockContext returns
// [ErrClosed]. With an error there is nothing to unlock.
func (m *Map[K, V]) LockContext(ctx context.Context) (Writer[K, V], error) {
	return m.lockFor(ctx, "Lock", Range[K]{})
}

// lockFor is LockContext for the method op, which is about r.
func (m *Map[K, V]) lockFor(ctx context.Context, op string, r Range[K]) (Writer[K, V], error) {
	m.mustBeMade()
	if ctx.Err() != nil {
		return Writer[K, V]{}, m.notWaited(ctx, ForLock)
	}
	if debug && ctx.Done() == nil {
		m.mayWait("LockContext", toLock)
	}
	if !m.sem.TryLock() {
		if err := m.lockWaiting(ctx, subject[K]{op: op, r: r}, true, m.sem.LockContext); err != nil {
			return Writer[K, V]{}, err
		}
	}
	if m.closed.Load() {
		m.sem.Unlock()
		return Writer[K, V]{}, ErrClosed
	}
	return m.begin(ctx, op, r), nil
}

// TryLock begins a transaction if it can do so at once, and reports whether it has.
// It may report false when the last transaction or Reader has just ended. On a
// closed map it reports false. A false synchronizes nothing.
func (m *Map[K, V]) TryLock() (Writer[K, V], bool) {
	m.mustBeMade()
	if m.closed.Load() || !m.sem.TryLock() {
		return Writer[K, V]{}, false
	}
	if m.closed.Load() {
		m.sem.Unlock()
		return Writer[K, V]{}, false
	}
	return m.begin(context.Background(), "TryLock", Range[K]{}), true
}

// begin makes the Writer of the method op, about r, which has just locked sem.
func (m *Map[K, V]) begin(ctx context.Context, op string, r Range[K]) Writer[K, V] {
	seq, _ := m.sem.Speculate()
	m.txn.ctx = ctx
	m.plan("")
	if debug {
		m.rememberWriter()
	}
	if m.options.Trace != nil {
		m.began(op, r)
	}
	return Writer[K, V]{m, seq}
}

// check panics unless w's transaction is under way.
func (w Writer[K, V]) check(method string) *Map[K, V] {
	m := w.checkEnd(method)
	if m.txn.load != nil {
		m.settle()
	}
	return m
}

// checkEnd is check for what ends w's transaction.
func (w Writer[K, V]) checkEnd(method string) *Map[K, V] {
	m := w.m
	if m == nil || !m.sem.Validate(w.seq) {
		staleWriter(method)
	}
	return m
}

// change is check for operations that change the map; it begins one.
func (w Writer[K, V]) change(method string) (*Map[K, V], error) {
	m := w.check(method)
	if m.closed.Load() {
		return m, ErrClosed
	}
	m.plan(method)
	return m, nil
}

// changeRange is change for operations on a range, which must be valid.
func (w Writer[K, V]) changeRange(method string, r Range[K]) (*Map[K, V], error) {
	m, err := w.change(method)
	if err == nil && !m.valid(r) {
		err = m.refuse(ErrBadRange, r)
	}
	return m, err
}

// staleWriter panics. It is outlined: it is never on the way.
//
//go:noinline
func staleWriter(method string) {
	panic("rangelock: Writer." + method + " outside its transaction: after Unlock or Downgrade, or on the zero Writer")
}

// Unlock ends the transaction: what it did becomes visible, and the next one may
// begin. It does not block.
//
// In the terminology of the Go memory model, what was done before Unlock
// synchronizes before the return of each call that shows an effect of the
// transaction, and before that of each later Lock and RLock.
func (w Writer[K, V]) Unlock() {
	m := w.checkEnd("Unlock")
	held := m.txn.held
	m.commit()
	if held == nil {
		m.sem.Unlock()
	} else {
		m.letGo(held, m.sem.Unlock)
	}
}

// Downgrade ends the transaction like Unlock, and goes on as a [Reader] without
// letting another writer in between. The caller owes the Reader's Unlock. It does
// not block.
func (w Writer[K, V]) Downgrade() Reader[K, V] {
	m := w.checkEnd("Downgrade")
	held := m.txn.held
	m.commit()
	if held == nil {
		m.sem.Downgrade()
	} else {
		m.letGo(held, m.sem.Downgrade)
	}
	return m.newReader()
}

// commit makes what the transaction did visible.
//
// Preconditions: the caller holds sem for writing and is about to give it up.
func (m *Map[K, V]) commit() {
	if debug {
		m.forgetWriter()
	}
	t := &m.txn
	if t.load != nil {
		// What else the transaction has touched is still excluded, and the sequence is odd.
		// So a reader that finds one of these ranges now finds nothing older elsewhere.
		m.publishLoad()
		invariants.At("rangelock: a load published by commit")
	}
	for _, h := range t.touched {
		// A header that left in this transaction stays excluded for ever.
		if h.State.Load()&detached == 0 {
			m.reopen(h)
		}
		invariants.At("rangelock: a range let in by commit")
	}
	clear(t.touched)
	if t.touched = t.touched[:0]; cap(t.touched) > maxTouched {
		t.touched = nil
	}
	t.ctx = nil
	if t.begun {
		// Only now: a miss is believed when the sequence is even, and all hits are in.
		t.begun = false
		m.pub.Add(1)
	}
	m.seal()
}

// Insert attaches a range with a value. It does not wait. Ranges that touch, like
// [0, 5) and [5, 9), do not overlap, and are not joined.
//
// It returns [ErrOverlap], in a [RangeError] with both ranges, if an attached range
// overlaps r; [ErrFull] if the map has Options.MaxRanges ranges; [ErrBadRange] if r is not
// valid; [ErrClosed] on a closed map. Then nothing has changed.
func (w Writer[K, V]) Insert(r Range[K], v V) error {
	m, err := w.change("Insert")
	if err != nil {
		return err
	}
	return m.insert(r, v)
}

func (m *Map[K, V]) insert(r Range[K], v V) error {
	if !m.valid(r) {
		return m.refuse(ErrBadRange, r)
	}
	var s rangetree.Slot[K]
	if err := m.place(&s, r); err != nil {
		return err
	}
	if err := m.roomFor(1, r); err != nil {
		return err
	}
	m.publishing()
	m.attach(&s, m.newHeader(r, v))
	m.done() // nothing was taken before publishing, so there is nothing to defer
	return nil
}

// place looks for the gap that r fits in and returns ErrOverlap, with what is in the way,
// if there is none.
//
// Preconditions: the caller holds sem for writing; r is valid.
func (m *Map[K, V]) place(s *rangetree.Slot[K], r Range[K]) error {
	if e := m.tree.Place(s, r.Lo, r.Hi, r.Unbounded); e != nil {
		return m.inTheWay(ErrOverlap, r, "would overlap", headerOf[K, V](e).bounds())
	}
	return nil
}

// roomFor returns ErrFull if n ranges more, which make up r, are more than Options.MaxRanges.
//
// Preconditions: the caller holds sem for writing.
func (m *Map[K, V]) roomFor(n int, r Range[K]) error {
	max := m.options.MaxRanges
	if max == 0 {
		return nil
	}
	there := int(m.length.Load())
	if b := m.txn.load; b != nil {
		there += b.n
	}
	if there+n > max {
		return m.refuse(ErrFull, r)
	}
	return nil
}

// attach puts h into the slot that place found for its bounds.
//
// Preconditions: the caller holds sem for writing, has made pub odd, and h is excluded.
func (m *Map[K, V]) attach(s *rangetree.Slot[K], h *header[K, V]) {
	invariants.At("rangelock: before a range is attached")
	m.tree.Insert(s, &h.Entry)
	m.attached(h)
}

// attached counts h, which has come into the tree excluded, and notes that commit opens it.
func (m *Map[K, V]) attached(h *header[K, V]) {
	m.length.Add(1)
	m.touch(h)
}

// Contended reports whether somebody waits for the map's lock, a writer or a Reader, or a
// reader that has met this transaction. Whoever has a long transaction can ask, and end it
// early. It never blocks. The answer may be old when it arrives.
func (w Writer[K, V]) Contended() bool { return w.check("Contended").sem.Contended() }

// Find returns the range that covers key, its value, and whether there is one. It
// does not wait; it sees what the transaction has done. It leaves no guard: the value
// stays until the transaction takes the range out.
func (w Writer[K, V]) Find(key K) (Range[K], V, bool) {
	return w.check("Find").findLocked(key)
}

// findLocked is Find; the caller holds the map's semaphore.
func (m *Map[K, V]) findLocked(key K) (Range[K], V, bool) {
	return m.find(key).found()
}
