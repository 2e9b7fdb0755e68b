package rangelock

import (
	"cmp"

	"github.com/spanlock/spanlock/epoch"
	"github.com/spanlock/spanlock/internal/announce"
	"github.com/spanlock/spanlock/internal/pad"
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/samples"
	"github.com/spanlock/spanlock/internal/seam"
	"github.com/spanlock/spanlock/internal/shape"
	"github.com/spanlock/spanlock/rwsem"
)

// This file has the map and its constructors. Its fields say which file owns which part of it.

// Map is a set of disjoint ranges of keys, each with a value and a count of its readers. Any
// number of goroutines may use it at once: readers acquire single ranges, and one writer at a
// time changes the set.
//
// The zero Map is not usable: [New] and [NewFunc] make maps, and a method of the zero Map panics.
// A map must not be copied. A map that is dropped without Close leaks no memory, but OnRetire is
// not called for the ranges in it.
//
// A guard is shared or exclusive (see [Map.AcquireExclusive]). Shared and exclusive guards on one
// range exclude each other. They involve no writer and do not affect other ranges.
//
// # Deadlocks
//
// While you hold a guard, call only TryAcquire, Release and calls with a context that has a
// deadline: that is always safe. The rest of this section says what else is safe.
//
// A transaction holds the map's lock, and so does a [Reader]. The one-operation forms, like
// [Map.Swap], are transactions. These calls wait for the lock:
//
//   - [Map.Lock], [Map.RLock], [Map.AcquireOrLoad], and the one-operation forms;
//   - in some cases, and for any key: [Map.Acquire], [Map.AcquireExclusive], [Map.AcquireNext],
//     [Map.AcquirePrev], [Map.Guards], [Map.View], [Map.Get], [Map.GetRange] and [Map.GetMany].
//
// A goroutine that holds a guard must not make these calls if the goroutine that holds the lock
// may be waiting for that guard: then each waits for the other. A call with a context that has a
// deadline is allowed, and fails instead. [Map.TryAcquire] is always allowed. A goroutine that holds the lock
// waits for guards in these calls:
//
//   - In a transaction: [Writer.Exclude], Remove, Extract, Update, Replace, Split, Merge and
//     Resize, and Put where it trims a range. They wait for the guards on the ranges that they
//     touch. (Insert, Load, TryExclude, Retire, Evict, Swap, Clear, and Put with PutEvicts, wait
//     for no guard.)
//   - In a transaction or with a Reader: [Map.Drain] and [Map.Room]. They wait for guards on
//     ranges that have left the map.
//   - With a Reader: [Map.AcquireExclusive]. It waits for all guards on the range.
//   - With a Reader: [Reader.Acquire], and Acquire and AcquireNext of the map. They wait for an
//     exclusive guard. In a map in which other goroutines call AcquireExclusive they may wait for
//     a shared guard, too: AcquireExclusive waits for that guard, and Reader.Acquire is behind
//     AcquireExclusive in the queue.
//
// In a map in which no goroutine makes a call of the second list, a goroutine may make those of
// the first list while it holds a guard.
//
// Guards alone can cause a deadlock, too. Suppose that two goroutines each hold a guard on one
// range and ask for a guard on the other's range. Each of them waits if one of the two guards on
// that range is exclusive, or if a third goroutine waits for an exclusive guard on it. To avoid
// this, acquire the guards on several ranges in one order everywhere, for example the order of
// their keys. Also, the load function of AcquireOrLoad must not wait for a guard that one of its
// callers holds.
//
// A goroutine waits for itself when it
//
//   - excludes, removes or updates a range on which it holds a guard, drains while it
//     holds a guard on a range that has left the map, or closes while it holds any;
//   - asks for an exclusive guard on a range on which it holds a guard, or for a shared
//     one where it holds an exclusive one or where another goroutine waits for one;
//   - calls Acquire, View, Get, Lock, RLock, Close or a one-operation form during its
//     own transaction (use the Writer's methods and TryAcquire);
//   - calls Lock, Close or a one-operation form while it has a Reader, or RLock when a
//     writer may have queued in between;
//   - calls AcquireOrLoad for a key without a range in its own transaction, with a
//     Reader, or in a load that is to fill the same gap, or Close in a load;
//   - calls Drain or Close in OnRetire, or Drain in a transaction while OnRetire waits
//     for that transaction.
//
// Under -tags spanlockdebug the package reports these deadlocks, except where OnRetire, a load, a
// context that can end or a lock of the program's own is part of the circle. It makes a report as soon as it has seen both calls, in either order, even if they
// did not meet. For this it remembers, for each map, up to 256 calls that were made under a guard
// and were harmless so far, and 4096 pairs of ranges.
//
// In the terminology of the Go memory model, everything that a writer does before Unlock or
// Downgrade synchronizes before the return of any Acquire, TryAcquire or Get, or later Lock or
// RLock, that shows its effect. [Guard.Release] synchronizes before the return of a later
// operation that excludes the range and waits for its guards, as Exclude, Remove and Update do,
// and before the call of OnRetire for the range. A TryAcquire that fails with ErrBusy synchronizes
// nothing.
type Map[K, V any] struct {
	// The constructor sets these; any goroutine reads them.
	compare     func(a, b K) int
	valid       func(Range[K]) bool
	allocHeader func() *header[K, V]
	tidyFn      func() // m.tidy, made once
	options     Options[K, V]

	// way says how readers take a guard. It has the bit byWord, which is set if direct is, and
	// samples.On, which package samples sets and clears while readers load it.
	way samples.Switch

	direct bool // keys are words: a reader needs no pin, and no comparison can panic

	traced bool     // the hooks of options.Trace ask for waits
	refers bool     // values hold pointers
	plain  raw.Kind // how Get loads a value without a pin; raw.Split where it needs one

	// tree has the attached ranges. Readers search it while pinned. The writer changes it; no
	// other goroutine stores into its nodes.
	tree rangetree.Tree[K]

	// lines is where readers announce themselves. It is nil until readers have met in a range.
	lines seam.Pointer[announce.Lines]

	// domain is what readers of the tree pin.
	domain epoch.Domain

	_ pad.Line

	// pub is the publication sequence: odd from a transaction's first change to the tree until
	// its Unlock or Downgrade. The writer adds to it. Readers load it before and after a search,
	// to prove a miss. It has its own cache line because it changes with each transaction, and
	// the root of the tree does not.
	pub seam.Uint64

	_ pad.Line

	// sem is the map's lock. Writers hold it for a transaction. Readers take it only to wait for
	// a transaction.
	sem rwsem.Sem

	// closed is set by Close under sem, and loaded anywhere.
	closed seam.Bool

	// length counts attached ranges. The writer adds to it; any goroutine loads it.
	length seam.Int64

	// excluder is where the writer parks while it waits for readers of the ranges that it has
	// excluded, and otherwise nil. The writer stores it, and releases load it.
	excluder seam.Pointer[exclusion[K, V]]

	// holder is the transaction under way. It is nil without one, or if no trace asks for it. The
	// writer stores it, and a goroutine that begins to wait loads it.
	holder seam.Pointer[holding]

	// txn, spare, dead and scratch belong to the goroutine that holds sem for writing.
	txn     transaction[K, V]
	spare   chain[K, V] // cleared headers, ready for use
	dead    chain[K, V] // headers unlinked since the last seal
	scratch []*header[K, V]

	queues   waitQueues[K, V]  // waitqueue.go
	limbo    limbo[K, V]       // limbo.go
	toRetire retireQueue[K, V] // retire.go
	counters counters          // stats.go
	pending  pending[K, V]     // pending.go
	loads    loads[K, V]       // loads.go
	watched  watched           // debug_on.go; empty except in debug builds
}

// New returns an empty map over ordered keys, which are compared with <. The options may be nil. A
// float key that is NaN is in no range, and operations refuse a range with a bound that is NaN, with
// [ErrBadRange]. New panics if o.MaxPending or o.MaxRanges is negative.
func New[K cmp.Ordered, V any](o *Options[K, V]) *Map[K, V] {
	m := newMap(o)
	rangetree.InitOrdered(&m.tree)
	m.compare = cmp.Compare[K]
	m.valid = func(r Range[K]) bool {
		if r.Unbounded {
			return r.Lo == r.Lo // not NaN
		}
		return r.Lo < r.Hi
	}
	if m.direct = m.tree.Words(); m.direct {
		m.plain = raw.KindOf[V]()
		m.way.Init(byWord)
	}
	samples.Enlist(&m.way)
	return m
}

// NewFunc returns an empty map over keys that compare orders. The function compare returns a
// negative number if a is before b, zero if they are the same key, and a positive number if a is
// after b. It must be a strict weak ordering that does not change. The options may be nil. NewFunc
// panics if compare is nil, or if o.MaxPending or o.MaxRanges is negative. An operation panics if
// it sees that compare contradicts itself on the bounds of the range that it was given; other
// faults of compare are not looked for.
//
// The map keeps keys as separators in its tree, even some keys of ranges that have left it. If a
// key refers to memory, as a []byte does, that memory must stay readable and unchanged as long as
// the map is used.
//
// If compare is [bytes.Compare], byte slices are searched as strings are: by eight bytes of each
// key, which are kept in the nodes of the tree.
//
// Any number of goroutines may call compare at once. It is called while the caller is pinned or
// holds the map's lock, so it must not use the map. If it panics the operation has no effect.
func NewFunc[K, V any](compare func(a, b K) int, o *Options[K, V]) *Map[K, V] {
	if compare == nil {
		panic("rangelock: NewFunc with a nil compare")
	}
	m := newMap(o)
	rangetree.Init(&m.tree, compare)
	m.compare = compare
	m.valid = func(r Range[K]) bool { return validFunc(compare, r) }
	samples.Enlist(&m.way)
	return m
}

// newMap returns a map without its order.
func newMap[K, V any](o *Options[K, V]) *Map[K, V] {
	m := &Map[K, V]{
		allocHeader: headerAllocator[K, V](),
		refers:      shape.Refers[V](),
	}
	if o != nil {
		o.check()
		m.options = *o
		m.traced = o.Trace != nil && (o.Trace.WaitStart != nil || o.Trace.WaitDone != nil)
	}
	m.tidyFn = m.tidy
	m.pending.m = m
	m.toRetire.init(m)
	m.loads.m = m
	if debug {
		m.watch()
	}
	return m
}

// mustBeMade panics unless New or NewFunc has made m. Callers call it before they take anything.
// The fast path for words does without it: way is 0 in the zero Map.
func (m *Map[K, V]) mustBeMade() {
	if m.compare == nil {
		zeroMap()
	}
}

// zeroMap panics. It is outlined to keep mustBeMade inlinable.
//
//go:noinline
func zeroMap() {
	panic("rangelock: use of the zero Map: New and NewFunc make maps")
}

// Len returns the number of attached ranges. It takes no lock and never waits. During a
// transaction it counts what the transaction has done so far, even the finished part of an
// operation that is under way.
func (m *Map[K, V]) Len() int { return int(m.length.Load()) }

// Contains reports whether key is in r, in the order of the map's keys. r need not be a range of
// the map. For keys that are ordered by < there is the function [Contains].
func (m *Map[K, V]) Contains(r Range[K], key K) bool {
	m.mustBeMade()
	return m.compare(r.Lo, key) <= 0 && (r.Unbounded || m.compare(key, r.Hi) < 0)
}

// find returns the range that covers key, or nil. It makes one search, which a concurrent writer
// may lead astray.
//
// Preconditions: the caller is pinned, or holds the semaphore.
func (m *Map[K, V]) find(key K) *header[K, V] {
	e, _ := m.tree.Find(key)
	return headerOf[K, V](e)
}
