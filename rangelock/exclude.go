package rangelock

import (
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/seam"
)

// Exclude keeps readers out of every attached range that overlaps r, the whole of
// each, until the transaction ends, and waits until the guards on them are
// released. New readers of those ranges wait for the transaction (TryAcquire
// reports busy), from the call on and not only from its return; readers of other
// ranges go on as ever. When it returns nil, nobody else uses the values, and the
// caller may change what they refer to. Excluding twice is excluding once; where
// nothing overlaps there is nothing to do. A caller that has a guard on one of the
// ranges waits for itself.
//
// If the transaction's context ends the wait, Exclude returns a [WaitError] and lets
// readers in again where this call had excluded them. It returns [ErrBadRange] if r
// is not valid and [ErrClosed] on a closed map.
//
// In the terminology of the Go memory model, the Release of each guard on those
// ranges synchronizes before the return of Exclude with a nil error.
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

// TryExclude is like [Writer.Exclude] but does not wait: it reports false, and has
// no lasting effect, if one of the ranges has a guard, if r is not valid and if the
// map is closed. Where nothing overlaps it reports true. It may report false when
// the last reader is just leaving, or is just being refused; it never reports true
// when a guard is held. A false synchronizes nothing.
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

// collect fills m.scratch with the attached ranges that overlap r, in key order, and
// returns where they are.
//
// Preconditions: the caller holds sem for writing; r is valid.
func (m *Map[K, V]) collect(x *rangetree.Cut[K], r Range[K]) {
	m.tree.Collect(x, r.Lo, r.Hi, r.Unbounded, m.intoScratch())
}

// collectAt is collect for the one range that covers key. It returns the range, or nil if
// there is none.
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

// excludeThese excludes ranges and waits until nobody is in them. On error done lets in again
// those that it has excluded.
func (m *Map[K, V]) excludeThese(hs []*header[K, V]) error {
	if debug {
		m.excludes()
	}
	m.closeReaders(hs)
	for _, h := range hs {
		if err := m.await(h); err != nil {
			return err
		}
	}
	return nil
}

// shut sets the bit on all of hs and notes those that did not have it. All bits
// come before the first wait: readers of the last range need not be waited for while
// those of the first leave.
func (m *Map[K, V]) closeReaders(hs []*header[K, V]) {
	for _, h := range hs {
		invariants.At("rangelock: before the bit of exclusion")
		// Pairs with a reader's add, or its second look: the second of the two sees the first.
		// Whether readers announce is looked at after this and not before.
		if h.State.Or(excluded)&excluded == 0 {
			m.touch(h)
		}
	}
	invariants.At("rangelock: shut")
}

// open lets readers into h again, or the next in line.
func (m *Map[K, V]) reopen(h *header[K, V]) {
	// An And: a store would lose the count of a reader in passing. It pairs with the
	// reader's add; who enters sees all that was done before.
	if s := h.State.And(^uint64(excluded)); s&reserved != 0 {
		m.queues.grantNext(h, s&^lowMask)
	}
}

// exclusion is a writer that waits until nobody is in a range that it has excluded. It
// never changes. Releasers look for the parker, and Stats and Survey for the rest.
type exclusion[K, V any] struct {
	h      *header[K, V]
	r      Range[K] // of h; copied, because h may be recycled when it is looked at
	since  time.Time
	parker *seam.Parker
}

// await waits until no guard is on h, which is excluded.
func (m *Map[K, V]) await(h *header[K, V]) error {
	for range spins {
		if !m.occupied(h) {
			return nil
		}
	}
	return m.awaitSlow(h)
}

// awaitSlow parks. The writer shows where it sleeps, then looks again, then
// sleeps; a releaser takes its count back, then looks for a sleeper. Who comes
// second sees the other, so no wake-up is lost.
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
			}
			break
		}
	}
	m.excludeWaited(t, time.Since(x.since), err)
	return err
}
