package rangelock

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
)

// This file has the Writer: how a transaction begins and ends, what each of its methods checks
// first, and Insert and Find. The state of the transaction, Map.txn, belongs to the goroutine
// that holds sem for writing. What an operation does in a transaction, and how the changes become
// visible, is in operation.go.

// Writer is a transaction: the right to change the set of ranges, from Lock to Unlock or
// Downgrade. A Writer may be copied and may be passed to another goroutine, but only one
// goroutine at a time may use it. There is no useful zero value: its methods panic.
//
// All changes of a transaction become visible to Acquire, TryAcquire and Get together, when the
// transaction ends. Until then these calls wait for a key whose range the transaction has
// inserted, excluded, replaced or removed, and TryAcquire reports busy. Once the transaction has
// changed anything, they also wait for a key that no range covers. Ranges that the transaction
// has not touched are acquired as usual. There is no rollback: an operation that fails has no
// effect, and the operations before it stand.
//
// Remove, Extract, Replace, Update, Split, Merge and Resize exclude the ranges that they change,
// and Put excludes those that it trims; they wait for the guards on these ranges. Retire, Evict,
// Swap and Clear never wait for a reader. The context of LockContext ends every wait inside the
// transaction. An operation that need not wait succeeds even if that context is done.
//
// During its transaction a goroutine may use the Writer's methods and the map's TryAcquire. It
// must not call Acquire, Get, Lock or a one-operation form: these may wait for the transaction,
// and then the goroutine waits for itself.
//
// A Writer that is used after its Unlock or Downgrade panics, even if another transaction is
// under way. On a closed map every operation that would change the map returns [ErrClosed].
type Writer[K, V any] struct {
	m   *Map[K, V]
	seq uint64 // the semaphore's sequence during this transaction: odd, and never used again
}

// transaction is the state of the transaction under way. The goroutine that holds sem for writing
// owns it.
type transaction[K, V any] struct {
	ctx     context.Context // ends waits; nil between transactions
	begun   bool            // pub is odd
	touched []*header[K, V] // excluded by this transaction and not yet reopened
	op      operation       // the operation under way
	load    *bulk[K, V]     // what Load has built and not yet published, or nil
	held    *holding        // as Map.holder
	given   Range[K]        // if held is not nil, the range that the call was given
}

// maxTouched is the largest capacity of a list of headers that the map keeps for the next
// transaction.
const maxTouched = 1024

// Lock begins a transaction. It waits until no other transaction and no [Reader] is under way;
// callers are served in the order in which they came. It does not wait for guards, and it does
// not delay Acquire of a range. A goroutine that holds a guard of the map must not call it; see
// [Map].
//
// On a closed map Lock returns a Writer with which the caller can look, but every change returns
// [ErrClosed].
func (m *Map[K, V]) Lock() Writer[K, V] {
	m.mustBeMade()
	return m.lockUnended("Lock", Range[K]{})
}

// lockUnended is Lock for the method op, whose argument is r.
func (m *Map[K, V]) lockUnended(op string, r Range[K]) Writer[K, V] {
	ctx := context.Background()
	if debug {
		m.watched.mayWait(op, toLock)
	}
	if !m.sem.TryLock() {
		m.lockWaiting(ctx, subject[K]{op: op, r: r}, true, m.sem.LockContext)
	}
	return m.begin(ctx, op, r)
}

// LockContext is like [Map.Lock], but it stops waiting and returns a [WaitError] when ctx is
// done, even if ctx is done at the call. The context also ends the waits of the transaction's
// operations. It does not end the transaction, which needs its Unlock in any case. On a closed
// map LockContext returns [ErrClosed]. If it returns an error there is nothing to unlock.
func (m *Map[K, V]) LockContext(ctx context.Context) (Writer[K, V], error) {
	return m.lockFor(ctx, "Lock", Range[K]{})
}

// lockFor is LockContext for the method op, whose argument is r.
func (m *Map[K, V]) lockFor(ctx context.Context, op string, r Range[K]) (Writer[K, V], error) {
	m.mustBeMade()
	if ctx.Err() != nil {
		return Writer[K, V]{}, &WaitError[K]{For: ForLock, ended: endedBy(ctx), of: subject[K]{op: op, r: r}}
	}
	if debug && ctx.Done() == nil {
		m.watched.mayWait(op, toLock)
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

// TryLock begins a transaction if that needs no wait, and reports whether it has. It may report
// false just after a transaction or a Reader has ended. On a closed map it reports false. A call
// that reports false synchronizes nothing.
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

// begin returns the Writer of the method op, whose argument is r. The caller has just locked sem
// for writing.
func (m *Map[K, V]) begin(ctx context.Context, op string, r Range[K]) Writer[K, V] {
	seq, _ := m.sem.Speculate()
	m.txn.ctx = ctx
	m.plan("")
	if debug {
		m.watched.rememberWriter()
	}
	if m.options.Trace != nil {
		m.began(op, r)
	}
	return Writer[K, V]{m, seq}
}

// check panics unless w's transaction is under way. It ends a Load that is still collecting.
func (w Writer[K, V]) check(method string) *Map[K, V] {
	m := w.checkEnd(method)
	if m.txn.load != nil {
		m.settle()
	}
	return m
}

// checkEnd is check for the methods that end w's transaction. It leaves what Load has built to
// commit.
func (w Writer[K, V]) checkEnd(method string) *Map[K, V] {
	m := w.m
	if m == nil || !m.sem.Validate(w.seq) {
		staleWriter(method)
	}
	return m
}

// change is check for an operation that changes the map. It begins the operation, unless the map
// is closed.
func (w Writer[K, V]) change(method string) (*Map[K, V], error) {
	m := w.check(method)
	if m.closed.Load() {
		return m, ErrClosed
	}
	m.plan(method)
	return m, nil
}

// changeRange is change for an operation on a range, which must be valid.
func (w Writer[K, V]) changeRange(method string, r Range[K]) (*Map[K, V], error) {
	m, err := w.change(method)
	if err == nil && !m.valid(r) {
		err = m.refuse(ErrBadRange, r)
	}
	return m, err
}

// staleWriter panics. It is outlined because it never runs in a correct program.
//
//go:noinline
func staleWriter(method string) {
	panic("rangelock: Writer." + method + " outside its transaction: after Unlock or Downgrade, or on the zero Writer")
}

// Unlock ends the transaction: its changes become visible, and the next transaction may begin. It
// does not block.
//
// In the terminology of the Go memory model, everything before Unlock synchronizes before the
// return of each call that shows an effect of the transaction, and before the return of each
// later Lock and RLock.
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

// Downgrade ends the transaction as Unlock does, and goes on as a [Reader]. No other writer comes
// in between. The caller must unlock the Reader. Downgrade does not block.
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

// commit makes the changes of the transaction visible: steps 3 and 4 of publication, in
// operation.go.
//
// Preconditions: the caller holds sem for writing and is about to unlock or downgrade it.
func (m *Map[K, V]) commit() {
	if debug {
		m.watched.forgetOwner()
	}
	t := &m.txn
	if t.load != nil {
		// The other ranges that the transaction has touched are still excluded, and the sequence
		// is odd. So a reader that finds one of the loaded ranges now does not then find an older
		// state elsewhere.
		m.publishLoad()
		invariants.At("rangelock: a load published by commit")
	}
	for _, h := range t.touched {
		// A header that this transaction has detached stays excluded for ever.
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
		// The sequence becomes even only now: a reader believes a miss when it is even, so all
		// ranges must be reachable and open before.
		t.begun = false
		m.pub.Add(1)
	}
	m.seal()
}

// Insert attaches r with the value v. It does not wait. Ranges that touch, like [0, 5) and [5,
// 9), do not overlap, and Insert does not join them.
//
// It returns [ErrOverlap], in a [RangeError] with both ranges, if an attached range overlaps r;
// [ErrFull] if the map has Options.MaxRanges ranges; [ErrBadRange] if r is not valid; [ErrClosed]
// on a closed map. On error nothing has changed.
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
	m.done() // not deferred: nothing was excluded before publishing, so there is nothing to undo
	return nil
}

// place looks for the gap that r fits in. If an attached range overlaps r it returns ErrOverlap
// with that range.
//
// Preconditions: the caller holds sem for writing; r is valid.
func (m *Map[K, V]) place(s *rangetree.Slot[K], r Range[K]) error {
	if e := m.tree.Place(s, r.Lo, r.Hi, r.Unbounded); e != nil {
		return m.inTheWay(ErrOverlap, r, "would overlap", headerOf[K, V](e).bounds())
	}
	return nil
}

// roomFor returns ErrFull if the map would have more than Options.MaxRanges ranges with n more. r
// is what the operation adds, for the error.
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
// Preconditions: the caller holds sem for writing and has made pub odd; h is excluded.
func (m *Map[K, V]) attach(s *rangetree.Slot[K], h *header[K, V]) {
	invariants.At("rangelock: before a range is attached")
	m.tree.Insert(s, &h.Entry)
	m.attached(h)
}

// attached counts h, which is in the tree now and excluded, and notes that commit must reopen it.
func (m *Map[K, V]) attached(h *header[K, V]) {
	m.length.Add(1)
	m.touch(h)
}

// Contended reports whether a caller waits for the map's lock: a writer, a Reader, or a reader
// that needs what this transaction has changed. A long transaction can use it to end early. It
// never blocks. The result may be out of date when it is returned.
func (w Writer[K, V]) Contended() bool { return w.check("Contended").sem.Contended() }

// Find returns the range that covers key, its value, and whether there is one. It does not wait,
// and it sees the changes of the transaction. It takes no guard: the value is safe to use until
// the transaction removes the range.
func (w Writer[K, V]) Find(key K) (Range[K], V, bool) {
	return w.check("Find").findLocked(key)
}

// findLocked is Find. The caller holds sem.
func (m *Map[K, V]) findLocked(key K) (Range[K], V, bool) {
	return m.find(key).found()
}
