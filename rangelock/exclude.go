package rangelock

import (
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/seam"
)

// A writer excludes a range to have it to itself until the transaction ends:
//
//  1. It sets excluded on all ranges that it needs (closeReaders). No new reader enters them.
//  2. It waits for each of them until no reader is in it (await).
//  3. commit, or done after a failure, clears the flag and grants the head of the range's queue
//     (reopen).
//
// The writer sleeps at Map.excluder, one exclusion at a time. A release of the last guard wakes
// it there (guard.go).

// Exclude keeps readers out of every range that overlaps r until the transaction ends, and waits
// for the guards on these ranges; [Map.AcquireExclusive], in contrast, takes a guard on one range
// and does not need the writer's lock.
//
// A range that overlaps r only in part is excluded as a whole. From the call on, not only from
// its return, new readers of these ranges wait for the transaction, and TryAcquire reports busy.
// Readers of other ranges are not affected. When Exclude returns nil, no other goroutine has a guard
// on these ranges, and the caller may change what their values refer to; but not if readers use
// [Map.Get], All, First or Last, which leave no guard. Excluding a range twice has the effect of
// excluding it once. If no range overlaps r there is nothing to do. A caller that holds a guard
// on one of the ranges waits for itself.
//
// If the transaction's context ends the wait, Exclude returns a [WaitError] and reopens the
// ranges that this call has excluded. It returns [ErrBadRange] if r is not valid and [ErrClosed]
// on a closed map.
//
// In the terminology of the Go memory model, the Release of each guard on these ranges
// synchronizes before the return of Exclude with a nil error.
func (w Writer[K, V]) Exclude(r Range[K]) error {
	m, err := w.changeRange("Exclude", r)
	if err != nil {
		return err
	}
	defer m.done()
	var x rangetree.Cut[K]
	m.collect(&x, r)
	if err := m.exclude(); err != nil {
		return err
	}
	m.keep()
	return nil
}

// TryExclude is like [Writer.Exclude] but does not wait. It reports false, and has no lasting
// effect, if one of the ranges has a guard, if r is not valid, or if the map is closed. If no
// range overlaps r it reports true. It may report false while the last reader is leaving or while
// a reader is being refused; it never reports true while a guard is held. A call that reports
// false synchronizes nothing.
func (w Writer[K, V]) TryExclude(r Range[K]) bool {
	m, err := w.change("TryExclude")
	if err != nil || !m.valid(r) {
		return false
	}
	defer m.done()
	var x rangetree.Cut[K]
	m.collect(&x, r)
	m.closeReaders(m.scratch)
	for _, h := range m.scratch {
		if m.occupied(h) {
			return false
		}
	}
	m.keep()
	return true
}

// collect fills m.scratch with the attached ranges that overlap r, in key order, and notes their
// position in x.
//
// Preconditions: the caller holds sem for writing; r is valid.
func (m *Map[K, V]) collect(x *rangetree.Cut[K], r Range[K]) {
	m.tree.Collect(x, r.Lo, r.Hi, r.Unbounded, m.intoScratch())
}

// collectAt is collect for the one range that covers key. It returns that range, or nil if there
// is none.
func (m *Map[K, V]) collectAt(x *rangetree.Cut[K], key K) *header[K, V] {
	add := m.intoScratch()
	e := m.tree.CollectAt(x, key)
	if e == nil {
		return nil
	}
	add(e)
	return m.scratch[0]
}

// intoScratch empties m.scratch and returns the function that appends to it.
func (m *Map[K, V]) intoScratch() func(*rangetree.Entry[K]) {
	clear(m.scratch)
	m.scratch = m.scratch[:0]
	return func(e *rangetree.Entry[K]) { m.scratch = append(m.scratch, headerOf[K, V](e)) }
}

// exclude is excludeThese for the ranges in m.scratch.
func (m *Map[K, V]) exclude() error { return m.excludeThese(m.scratch) }

// excludeThese excludes the ranges hs and waits until no reader is in them. After an error, done
// reopens those that it has excluded.
func (m *Map[K, V]) excludeThese(hs []*header[K, V]) error {
	if debug {
		m.watched.excludes(m.txn.op.name)
	}
	m.closeReaders(hs)
	for _, h := range hs {
		if err := m.await(h); err != nil {
			return err
		}
	}
	return nil
}

// closeReaders sets excluded on all of hs, and notes those on which it was clear. All flags are
// set before the first wait: the readers of the last range leave while the writer still waits for
// those of the first.
func (m *Map[K, V]) closeReaders(hs []*header[K, V]) {
	for _, h := range hs {
		invariants.At("rangelock: before the bit of exclusion")
		// This pairs with the add of a reader, or with the second load of a reader that announces
		// itself: the later of the two operations sees the earlier. The writer looks at the lines
		// after this and not before.
		if h.State.Or(excluded)&excluded == 0 {
			m.touch(h)
		}
	}
	invariants.At("rangelock: shut")
}

// reopen clears excluded on h, and grants the head of its queue if it has one.
func (m *Map[K, V]) reopen(h *header[K, V]) {
	// An And: a store would lose the count of a refused reader. It pairs with the add of a
	// reader: a reader that enters sees everything that was done before.
	if s := h.State.And(^uint64(excluded)); s&reserved != 0 {
		m.queues.grantNext(h, s&^lowMask)
	}
}

// exclusion is a writer that waits until no reader is in a range that it has excluded. It is
// never changed. Releasers read parker; Stats and Survey read the other fields.
type exclusion[K, V any] struct {
	h      *header[K, V]
	r      Range[K] // the bounds of h, copied: h may be recycled when Stats reads them
	since  time.Time
	parker *seam.Parker
}

// await waits until no reader is in h, which is excluded. It returns a WaitError if the
// transaction's context ends first.
func (m *Map[K, V]) await(h *header[K, V]) error {
	for range spins {
		if !m.occupied(h) {
			return nil
		}
	}
	return m.awaitSlow(h)
}

// awaitSlow is await for a wait that needs the writer to park. The writer stores excluder, then
// checks h again, then parks. A releaser takes its count back, and then loads excluder. The later
// of the two sees the earlier, so no wake-up is lost.
func (m *Map[K, V]) awaitSlow(h *header[K, V]) (err error) {
	ctx := m.txn.ctx
	if debug && ctx.Done() == nil {
		m.mayExclude(h)
	}
	defer region(ctx, "rangelock.Exclude").End()
	t := m.exclusionInfo(h)
	m.waitStart(t)
	x := &exclusion[K, V]{h: h, r: h.bounds(), since: time.Now(), parker: seam.NewParker()}
	m.excluder.Store(x)
	defer m.excluder.Store(nil)
	for m.occupied(h) {
		invariants.At("rangelock: before the writer parks")
		if !x.parker.Park(ctx.Done()) && m.occupied(h) {
			err = &WaitError[K]{
				For: ForGuards, Range: x.r, Guards: m.guardsOn(h), Waited: time.Since(x.since), ended: endedBy(ctx),
				of: subject[K]{op: m.txn.op.name},
			}
			break
		}
	}
	m.excludeWaited(t, time.Since(x.since), err)
	return err
}
