package rangelock

import "github.com/spanlock/spanlock/internal/invariants"

// This file keeps one promise: a caller that comes after Retire has returned never gets what
// was read before it. The promise holds also if there was no range to retire, and a load was
// under way. The file owns loadCall.window and loadCall.planned.
//
// Every operation that removes ranges also invalidates the keys that it was given, whether or
// not there was a range. A load under way has read some of its source before that, or may have.
// Which keys it will return is not known before it returns. So each load call keeps its window:
// the largest interval around its key in which nothing was invalidated since the load began. An
// invalidation of the key itself makes the call stale at once. Any other invalidation lies on
// one side of the key, and moves that end of the window to itself, unless the end is nearer to
// the key already. A loaded range is fresh exactly if it lies in the window: it covers the key,
// so it overlaps an invalidation exactly if it extends over the nearest one on that side. So two
// bounds for each load are exact, and no list of invalidations is needed.
//
// The tempting wrong version is to compare a sequence number when load returns, and to call a
// load stale if any transaction has retired anything since it began. On a busy map no loaded
// range would ever be inserted.
//
// The races of an invalidation; the steps are those of load.go:
//
//   - The invalidation comes before step 1 of the call's first caller. Then load is called after
//     the invalidation, and reads the source as it is then.
//   - The invalidation comes between steps 2 and 5, while load runs or while the call waits for
//     its turn as a writer. Both it and step 5 are in transactions, so step 5 sees the window as
//     the invalidation has left it. A window that was read before the transaction of step 5
//     would be too old.
//   - The invalidation comes after step 5. Then its operation finds the range attached, and
//     removes it. The call's waiters keep their guards, because they came before.
//   - A call ends without a range while an operation is between plan and application, where the
//     operation may wait for guards. The call's waiters came before the operation, because step
//     1 would have waited for the operation. So any failure may be told to them. The call is not
//     in the list any more, and the application does not see it.
//   - The operation fails after it has planned. Nothing is applied. The next operation plans
//     anew for every call in the list.
//   - A caller comes to a call that is stale. It joins, and waits for the end of that call, so
//     that no second load runs at the same time: load may use something that exists only once
//     for each range, and a stale load that ignores its context would otherwise get one more
//     load beside it with each invalidation. A load that obeys its context ends soon, because
//     the context has ended.
//   - A caller comes to a call whose window was narrowed, and load fails. A failure does not say
//     which keys it is about, and it may have been read before the invalidation. The caller came
//     after the invalidation, so it searches again. The waiters that came before it are told the
//     failure. ErrOverlap is told to both, because it was found in step 5, for a range that is
//     fresh.
//   - A range was in the way of the loaded one, and is removed after step 8, before the waiters
//     are told ErrOverlap. A caller that comes then does not find the call, because of step 6.
//   - Every load of a key becomes stale, one after the other. A caller counts the stale loads
//     that it has waited for, and gives up with ErrStale. A load of another key does not count,
//     because the caller's own load is still to come.
//   - Close makes all load calls stale. ErrClosed, which their waiters get, comes before stale
//     in deliver.
//   - The transaction goes on as a Reader. A load that begins then has begun after the
//     invalidation. No call that has a range completes before the Reader ends.

// window is the largest interval around a load's key in which nothing was invalidated since the
// load began. The zero window is all keys.
type window[K any] struct {
	lo, hi   K
	from, to bool // whether lo and hi are ends of the window
}

// narrowed reports whether anything was invalidated beside the key.
func (w *window[K]) narrowed() bool { return w.from || w.to }

// effect is what an invalidation does to a load.
type effect[K any] struct {
	window window[K]
	stale  bool
}

// planStale works out what an invalidation of r does to the loads under way. Nothing changes
// before makeStale. An operation that invalidates calls planStale while it plans: all keys are
// compared there, and the operation may still fail afterwards.
//
// No load begins in between, because join holds sem for reading. A load that ends in between
// without a range leaves the list, and makeStale does not see it.
//
// Preconditions: the caller holds sem for writing; r is valid.
func (ls *loads[K, V]) planStale(r Range[K]) {
	if ls.n.Load() == 0 {
		return
	}
	ls.mu.Lock()
	defer ls.mu.Unlock() // compare may panic
	for _, c := range ls.list {
		c.planned = c.effectOf(r)
	}
}

// makeStale applies what the last planStale has worked out. It cannot fail.
//
// Preconditions: the caller holds sem for writing, and has called planStale in the same
// operation.
func (ls *loads[K, V]) makeStale() {
	ls.invalidate(func(c *loadCall[K, V]) effect[K] { return c.planned })
}

// makeAllStale is planStale and makeStale for all keys.
//
// Preconditions: the caller holds sem for writing.
func (ls *loads[K, V]) makeAllStale() {
	ls.invalidate(func(c *loadCall[K, V]) effect[K] { return effect[K]{c.window, true} })
}

// invalidate applies its effect to each load under way. It ends the context of a load that
// becomes stale, because no caller can use what that returns. The call stays in the list until
// it completes, so that still only one load at a time runs for a missing range.
//
// Preconditions: the caller holds sem for writing.
func (ls *loads[K, V]) invalidate(of func(*loadCall[K, V]) effect[K]) {
	if ls.n.Load() == 0 {
		return
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, c := range ls.list {
		e := of(c)
		c.window = e.window
		if e.stale && !c.stale {
			c.stale = true
			c.cancel()
		}
	}
	invariants.At("rangelock: loads are stale")
}

// effectOf returns what an invalidation of r does to c. With Options.LoadRange the range of the
// load is known: the load is stale if r overlaps that range, and unchanged otherwise.
func (c *loadCall[K, V]) effectOf(r Range[K]) effect[K] {
	m, w := c.m, c.window
	if m.options.LoadRange != nil {
		return effect[K]{w, m.before(r.Lo, c.claim) && m.before(c.claim.Lo, r)}
	}
	switch {
	case m.compare(c.key, r.Lo) < 0:
		if !w.to || m.compare(r.Lo, w.hi) < 0 {
			w.hi, w.to = r.Lo, true
		}
	case m.before(c.key, r):
		return effect[K]{w, true}
	case !w.from || m.compare(w.lo, r.Hi) < 0:
		w.lo, w.from = r.Hi, true
	}
	return effect[K]{window: w}
}

// fresh reports whether r lies in the window of c.
func (c *loadCall[K, V]) fresh(r Range[K]) bool {
	m, w := c.m, &c.window
	return (!w.from || m.compare(w.lo, r.Lo) <= 0) &&
		(!w.to || !r.Unbounded && m.compare(r.Hi, w.hi) <= 0)
}
