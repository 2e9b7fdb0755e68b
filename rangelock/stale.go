package rangelock

import "github.com/spanlock/spanlock/internal/invariants"

// This file keeps the promise that a caller that comes after Retire has returned never
// gets what was read before it, also when nothing was there to retire and a load was
// under way.
//
// What Retire, Remove, Clear, Swap, Replace, Update and Resize take away they also
// invalidate. A load under way has read some of its source before that, or may have.
// Which keys it is going to bring nobody knows before it ends, so each load keeps its
// window: the largest interval around its key without an invalidation since it began.
// An invalidation of the key itself makes the load stale at once. Any other lies on one
// side of the key and moves that end of the window up to itself. What arrives is fresh
// exactly if it lies in the window: it covers the key, so it overlaps an invalidation
// exactly if it reaches over the end that is nearest on that side. Two bounds a load
// are exact; no list is needed.
//
// The tempting wrong version is to look at what arrives with a sequence number: a load
// would be stale when any transaction has retired anything since. On a busy map none
// would ever arrive.

// The races of an invalidation, one by one; the steps are those of “Faulting in” in
// doc.go:
//
//   - It comes before step 1 of the flight's first caller. Then load is called after it,
//     and reads what is there since.
//   - It comes between steps 2 and 5, while load runs or waits for its turn as a writer.
//     Both are transactions, so step 5 sees the window as the invalidation has left it. A
//     window that was read before the transaction of step 5 would be too old.
//   - It comes after step 5. Then it finds the range attached, and takes it away. The
//     flight's callers keep their guards; they came before it.
//   - A flight ends without a range while an operation is between plan and application, in
//     which it may wait for guards. Those aboard came before the operation, because step 1
//     would have waited for it, and may be told anything. The flight is off the list, and
//     the application passes it over.
//   - The operation fails after it has planned. Nothing is applied. The next one plans
//     anew for every flight in the list.
//   - A caller comes to a flight that is stale. It goes aboard and waits for its end, and
//     so does not load at the same time as another: load may use something that there is
//     only once for each range, and a stale load that does not heed its context would
//     otherwise get company with each invalidation. Its context has ended, so a
//     load that does heed it is not waited for long.
//   - A caller comes to a flight whose window was narrowed, and the flight fails. Nobody
//     knows of which keys the failure tells. The caller came after the invalidation, and
//     so it looks again; those that came before it are told. ErrOverlap is told to both,
//     as it was found in step 5, of a range that is fresh.
//   - A range was in the way of the flight, and is taken away after step 8, but before
//     those aboard are told ErrOverlap. A caller that comes then does not find the flight,
//     because of step 6.
//   - Every load of a key becomes stale, one after the other. A caller counts those it has
//     waited for, and gives up with ErrStale. Those that waited for another key do not
//     count: they have loads of their own.
//   - Close makes all flights stale. That they are told ErrClosed comes first.
//   - The transaction goes on as a Reader. Flights that begin then began after it; none
//     lands before the Reader's end.

// window is the keys around a load's key that nothing has invalidated since the load
// began. The zero window is all keys.
type window[K any] struct {
	lo, hi   K
	from, to bool // whether lo and hi are ends of the window
}

// effect is what an invalidation does to a load.
type effect[K any] struct {
	window window[K]
	stale  bool
}

// planStale works out what an invalidation of r does to the loads under way. Nothing
// changes before makeStale. An operation that invalidates calls it while it plans, and
// compares there; then it may still fail.
//
// No load begins meanwhile, because boarding has sem for reading. One that ends
// meanwhile without a range leaves the list, and makeStale passes it over.
//
// Preconditions: the caller holds sem for writing; r is valid.
func (m *Map[K, V]) planStale(r Range[K]) {
	ls := &m.loads
	if ls.n.Load() == 0 {
		return
	}
	ls.mu.Lock()
	defer ls.mu.Unlock() // compare may panic
	for _, f := range ls.list {
		f.planned = m.effectOf(f, r)
	}
}

// makeStale does what the last planStale has worked out. It cannot fail.
//
// Preconditions: the caller holds sem for writing, and has called planStale in the same
// operation.
func (m *Map[K, V]) makeStale() {
	m.invalidate(func(f *loadCall[K, V]) effect[K] { return f.planned })
}

// makeAllStale is planStale and makeStale for all keys.
//
// Preconditions: the caller holds sem for writing.
func (m *Map[K, V]) makeAllStale() {
	m.invalidate(func(f *loadCall[K, V]) effect[K] { return effect[K]{f.window, true} })
}

// invalidate gives each load under way its effect. The context of one that becomes
// stale ends: nobody can use what it brings. It stays in the list until it has ended, so
// that still only one load at a time is called for a missing range.
func (m *Map[K, V]) invalidate(of func(*loadCall[K, V]) effect[K]) {
	ls := &m.loads
	if ls.n.Load() == 0 {
		return
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, f := range ls.list {
		e := of(f)
		f.window = e.window
		if e.stale && !f.stale {
			f.stale = true
			f.cancel()
		}
	}
	invariants.At("rangelock: loads are stale")
}

// effectOf says what an invalidation of r does to f. A load whose range is known by
// Options.LoadRange is stale if the two overlap, and otherwise not touched.
func (m *Map[K, V]) effectOf(f *loadCall[K, V], r Range[K]) effect[K] {
	w := f.window
	if m.options.LoadRange != nil {
		return effect[K]{w, m.before(r.Lo, f.claim) && m.before(f.claim.Lo, r)}
	}
	switch {
	case m.compare(f.key, r.Lo) < 0:
		if !w.to || m.compare(r.Lo, w.hi) < 0 {
			w.hi, w.to = r.Lo, true
		}
	case m.before(f.key, r):
		return effect[K]{w, true}
	case !w.from || m.compare(w.lo, r.Hi) < 0:
		w.lo, w.from = r.Hi, true
	}
	return effect[K]{window: w}
}

// before reports whether key is before the end of r.
func (m *Map[K, V]) before(key K, r Range[K]) bool {
	return r.Unbounded || m.compare(key, r.Hi) < 0
}

// fresh reports whether r lies in the window.
func (m *Map[K, V]) fresh(w *window[K], r Range[K]) bool {
	return (!w.from || m.compare(w.lo, r.Lo) <= 0) &&
		(!w.to || !r.Unbounded && m.compare(r.Hi, w.hi) <= 0)
}

// narrowed reports whether anything was invalidated beside the key.
func (w *window[K]) narrowed() bool { return w.from || w.to }
