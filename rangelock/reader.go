package rangelock

import (
	"context"
	"iter"

	"github.com/spanlock/spanlock/internal/seam"
)

// This file has Readers. A Reader is the semaphore held for reading, with a ticket that ends all its
// copies at once.

// Reader is a shared hold on the whole map: while it is held no transaction begins, so the set of
// ranges does not change. Any number of Readers may be held at once. A Reader may be copied, handed
// to another goroutine, and used by several goroutines at once. When one copy is unlocked, every
// copy panics when it is used. The zero Reader is not usable, and panics when used.
//
// A goroutine that has a Reader must not call Lock, Close or a one-operation form of the map: they
// would wait for the Reader. It must not call RLock: that waits behind a writer that waits for the
// Reader. Acquire and Get of the map wait for no writer while a Reader is held.
//
// A Reader is for looking at several ranges together. To use one range, Acquire of the map is
// faster, and better for writers: they wait for a Reader, but not for a guard on another range.
type Reader[K, V any] struct {
	m   *Map[K, V]
	t   *ticket
	gen uint64
}

// ticket is shared by all copies of a Reader, and ends all of them. Tickets are pooled; each use of
// one has its own generation.
type ticket struct {
	gen     seam.Uint64
	watched watched // the goroutine that has the Reader; empty except in debug builds
}

var tickets = seam.Pool{New: func() any { return new(ticket) }}

// RLock waits until no transaction is under way, and keeps the next one from beginning until the
// Reader's Unlock. It also waits behind a writer that is waiting already. On a closed map it
// returns a Reader of an empty map. A goroutine that holds a guard of the map must not call it;
// see [Map].
//
// In the terminology of the Go memory model, the end of each earlier transaction synchronizes
// before the return of RLock, and the Reader's Unlock synchronizes before the return of a later
// Lock.
func (m *Map[K, V]) RLock() Reader[K, V] {
	if debug {
		m.watched.mayWait("RLock", toLock)
	}
	m.mustBeMade()
	if !m.sem.TryRLock() {
		m.lockWaiting(context.Background(), subject[K]{op: "RLock"}, false, m.sem.RLockContext)
	}
	return m.newReader()
}

// RLockContext is like [Map.RLock], but gives up when ctx is done, and then returns a [WaitError].
// If ctx is done at the call it returns the error, too.
func (m *Map[K, V]) RLockContext(ctx context.Context) (Reader[K, V], error) {
	m.mustBeMade()
	if ctx.Err() != nil {
		return Reader[K, V]{}, m.notWaited(ctx, ForLock)
	}
	if debug && ctx.Done() == nil {
		m.watched.mayWait("RLockContext", toLock)
	}
	if err := m.lockShared(ctx, subject[K]{op: "RLock"}); err != nil {
		return Reader[K, V]{}, err
	}
	return m.newReader(), nil
}

// newReader returns a Reader for a caller that holds sem for reading.
func (m *Map[K, V]) newReader() Reader[K, V] {
	t := tickets.Get().(*ticket)
	if debug {
		m.watched.rememberReader(t)
	}
	return Reader[K, V]{m, t, t.gen.Load()}
}

// check panics unless the Reader is held.
func (r Reader[K, V]) check(method string) *Map[K, V] {
	if r.t == nil || r.t.gen.Load() != r.gen {
		staleReader(method)
	}
	return r.m
}

// staleReader panics. It is outlined because correct programs never call it.
//
//go:noinline
func staleReader(method string) {
	panic("rangelock: Reader." + method + " after Unlock, or on the zero Reader")
}

// Unlock ends the Reader and every copy of it. It does not block. It panics if one of the copies
// has been unlocked before.
func (r Reader[K, V]) Unlock() {
	// The swap decides between two copies that are unlocked at the same time.
	if r.t == nil || !r.t.gen.CompareAndSwap(r.gen, r.gen+1) {
		staleReader("Unlock")
	}
	if debug {
		r.t.watched.forgetOwner()
	}
	tickets.Put(r.t)
	r.m.sem.RUnlock()
}

// Find returns the range that covers key and its value, and whether there is one. It does not
// wait. The value is not retired before the Reader's Unlock.
func (r Reader[K, V]) Find(key K) (Range[K], V, bool) {
	return r.check("Find").findLocked(key)
}

// Acquire takes a guard on the range that covers key, and reports whether there is one. It waits
// only where an exclusive guard on the range is held or waited for; [Reader.AcquireContext] bounds
// that wait. The guard may be held longer than the Reader. Acquire panics if the range has 2^28
// guards.
//
// If another copy of the Reader is unlocked while Acquire waits, it goes on as [Map.Acquire].
func (r Reader[K, V]) Acquire(key K) (Guard[K, V], bool) {
	g, a, _ := r.acquire(context.Background(), "Acquire", key)
	return g, a == entered
}

// AcquireContext is like [Reader.Acquire], but a wait ends when ctx is done, and then it returns a
// [WaitError]. If there is nothing to wait for it succeeds even if ctx is done. If no range covers
// the key it returns [ErrNotFound], and on a closed map [ErrClosed]. With an error the guard is the
// zero Guard.
func (r Reader[K, V]) AcquireContext(ctx context.Context, key K) (Guard[K, V], error) {
	g, a, err := r.acquire(ctx, "AcquireContext", key)
	if err == nil && a == missed {
		err = r.m.absent()
	}
	return g, err
}

func (r Reader[K, V]) acquire(ctx context.Context, method string, key K) (Guard[K, V], outcome, error) {
	m := r.check(method)
	if debug && ctx.Done() == nil {
		m.readerMayAcquire(r.t, key)
	}
	h := m.find(key)
	if h == nil {
		return Guard[K, V]{}, missed, nil
	}
	g, a, t := m.hold(h, false)
	if a == queued {
		// While there is a Reader no range leaves the map, so no waiter is requeued. But this
		// Reader may have ended meanwhile. Then the range may be gone, and only another search
		// can tell which range covers the key.
		var err error
		if g, err = m.queues.wait(ctx, aboutKey("Reader.Acquire", key), t); err != nil {
			return g, queued, err
		}
		if a = entered; g.h == nil {
			g, a, err = m.acquireSlow(ctx, key, g, gone, false)
			if err != nil {
				return g, a, err
			}
		}
	}
	g = m.drawn(g)
	if debug {
		g = m.remember(g)
	}
	return g, a, nil
}

// Overlapping yields the ranges that overlap o, each as a whole, with their values, in key order.
// It yields one state of the map, because no transaction can begin. The body must not unlock the
// Reader and continue. If o is not valid Overlapping yields nothing. It allocates, and panics, as
// [Map.All] does.
func (r Reader[K, V]) Overlapping(o Range[K]) iter.Seq2[Range[K], V] {
	r.mayWalk()
	return func(yield func(Range[K], V) bool) { r.overlapping(o, yield) }
}

// mayWalk and overlapping are the two halves of Overlapping; see Writer.mayWalk.
//
//go:noinline
func (r Reader[K, V]) mayWalk() { r.check("Overlapping") }

func (r Reader[K, V]) overlapping(o Range[K], yield func(Range[K], V) bool) {
	r.m.overlapping(o, holder[K, V]{r: r}, yield)
}
