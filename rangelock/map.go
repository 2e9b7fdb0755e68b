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

// Map is a set of disjoint ranges of keys, each with a value and a count of its
// readers. Any number of goroutines may use it at once: readers acquire single
// ranges, one writer at a time changes the set.
//
// There is no useful zero value: [New] and [NewFunc] make maps, and one that was made
// otherwise panics when it is used. A map must not be copied. A map that is dropped needs no Close for the memory's sake, but then
// OnRetire is not called for the ranges in it.
//
// A guard is shared, or exclusive ([Map.AcquireExclusive]): the readers of a range keep
// out who wants to be alone on it, and he them, without a writer and without an effect on
// other ranges.
//
// # Deadlocks
//
// The map's lock is what a transaction or a [Reader] has. [Map.Lock], [Map.RLock],
// [Map.AcquireOrLoad] and the one-operation forms like [Map.Swap] wait for it, and
// [Map.Acquire], [Map.AcquireExclusive], [Map.AcquireNext], [Map.View] and [Map.Get] may
// do so, for any key. A goroutine that holds a guard must not wait for the lock without a
// context that ends, unless nobody who has the lock waits for the guard: no
// transaction calls [Writer.Exclude], Remove, Extract, Update, Replace, Split, Merge, Resize, or
// Put where it trims (Insert, Load, TryExclude, Retire, Evict, Swap, Clear, and Put with PutEvicts,
// wait for no guard), and
//
//   - nobody calls [Map.AcquireExclusive] while it has a Reader, which waits for all
//     guards on the range;
//   - nobody calls [Map.Drain] or [Map.Room] during a transaction or with a Reader, which
//     wait for guards on ranges that have left the map;
//   - if the goroutine's guard is exclusive, nobody calls [Reader.Acquire], or Acquire
//     or AcquireNext with a Reader: these wait for exclusive guards;
//   - if it is shared, nobody does so in a map in which others call AcquireExclusive:
//     who wants an exclusive guard waits for the shared one, and Reader.Acquire may
//     stand behind it in line.
//
// [Map.TryAcquire] is safe under a guard, and what has a context that ends fails instead.
//
// Without the lock, guards alone can close a circle, when goroutines hold a guard on one
// range and ask for one on another, in orders that do not agree, and an exclusive guard is
// held or waited for: two who each hold what the other asks for; also if all four are
// shared, when somebody waits for an exclusive guard on each of the ranges. The order of
// the keys is an order to agree on. And a load of AcquireOrLoad must not wait for a guard
// that one of its callers holds.
//
// A goroutine in a transaction or with a Reader must not wait for itself either; the
// package's documentation lists how.
//
// Under -tags spanlockdebug all of this is reported as soon as both sides have been seen,
// in whichever order, but for what a load waits for. Of the calls under a guard that were
// harmless so far up to 256 for each map are remembered for this, and 4096 pairs of ranges.
//
// In the terminology of the Go memory model, everything that a writer does before
// Unlock or Downgrade synchronizes before the return of any Acquire, TryAcquire,
// Get or later Lock or RLock that shows its effect; and [Guard.Release] of a range
// synchronizes before the return of a later operation that excludes it and waits
// for its guards, as Exclude, Remove and Update do, and before the call of OnRetire for it. A TryAcquire that fails with ErrBusy
// synchronizes nothing.
type Map[K, V any] struct {
	// Set by the constructor, read by everybody.
	compare     func(a, b K) int
	valid       func(Range[K]) bool
	allocHeader func() *header[K, V]
	tidyFn      func() // m.tidy, likewise
	options     Options[K, V]

	// way is how readers come to a guard: the bit byWord, which is set where direct is, and
	// samples.On, which package samples sets and clears while readers load it.
	way samples.Switch

	direct bool // keys are words: a reader needs no pin, and no comparison can panic

	traced bool     // the hooks of options.Trace ask for waits
	refers bool     // values hold pointers
	plain  raw.Kind // how Get loads a value without a pin; raw.Split where it needs one

	// tree has the attached ranges. Readers search it while pinned, and the writer changes
	// it; nothing else stores into its nodes.
	tree rangetree.Tree[K]

	// lines is where readers announce themselves; nil until readers have met in a range.
	lines seam.Pointer[announce.Lines]

	// domain is what readers of the tree pin.
	domain epoch.Domain

	_ pad.Line

	// pub is the publication sequence: odd from a transaction's first change to
	// the tree until its Unlock. The writer adds, readers load it around a search
	// to prove a miss. It has its lines to itself: it changes with each
	// transaction, root does not.
	pub seam.Uint64

	_ pad.Line

	// sem is the big lock. Writers hold it for a transaction; readers take it only
	// to wait for one.
	sem rwsem.Sem

	// closed is set by Close under sem and read anywhere.
	closed seam.Bool

	// length counts attached ranges. The writer adds; anybody loads.
	length seam.Int64

	// excluder is where the writer sleeps while it waits for readers of the ranges
	// that it excluded; nil when it does not. The writer stores it, a releaser
	// loads it.
	excluder seam.Pointer[exclusion[K, V]]

	// holder is the transaction under way, and nil without one, or without a trace that asks
	// for it. The writer stores it, and whoever begins to wait loads it.
	holder seam.Pointer[holding]

	// txn, spare, dead and scratch belong to who holds sem for writing.
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
	watched  watched           // debug_on.go; empty but in debug builds
}

// New returns an empty map over ordered keys, which are compared with <. The
// options may be nil. A float key that is NaN is in no range, and a range with a
// bound that is NaN is refused with [ErrBadRange]. It panics if o.MaxPending or
// o.MaxRanges is negative.
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

// NewFunc returns an empty map over keys that compare orders: it returns a
// negative number when a is before b, zero when they are the same key and a
// positive number when a is after b, and it must be a strict weak ordering that
// does not change. A nil compare panics, and so does an operation that sees compare
// contradict itself on the bounds of the range that it was given; other faults are
// not looked for. The options may be nil; a negative MaxPending or MaxRanges panics.
//
// The map keeps keys, also some of those of ranges that have left it, as
// separators in its tree: a key that refers to memory, like a []byte, must not be
// changed, and what it refers to must stay readable, as long as the map is used.
//
// Byte slices in the order of [bytes.Compare], if it is that function that is given, are
// searched as strings are: by eight bytes of each key, which are kept in the tree's nodes.
//
// compare is called by any number of goroutines at once. It is called while the
// caller is pinned or holds the map's semaphore, so it must not use the map. If it
// panics the operation has no effect.
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

// newMap returns a map that lacks its order.
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

// mustBeMade panics if neither New nor NewFunc has made m. It stands where nothing is
// taken yet, and not on the fast path of words: way is 0 in the zero Map.
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

// Len returns how many ranges are attached. It takes no lock and never waits. During
// a transaction it counts what the transaction has done so far, and while an
// operation is under way also what that has done halfway.
func (m *Map[K, V]) Len() int { return int(m.length.Load()) }

// Contains reports whether key is in r, in the order of the map's keys. r need not be a range
// of the map. For keys that < orders there is the function [Contains].
func (m *Map[K, V]) Contains(r Range[K], key K) bool {
	m.mustBeMade()
	return m.compare(r.Lo, key) <= 0 && (r.Unbounded || m.compare(key, r.Hi) < 0)
}

// find returns the range that covers key, or nil: of one search, which beside a writer may
// be led astray.
//
// Preconditions: the caller is pinned, or holds the semaphore.
func (m *Map[K, V]) find(key K) *header[K, V] {
	e, _ := m.tree.Find(key)
	return headerOf[K, V](e)
}
