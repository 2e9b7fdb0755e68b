package rangelock

import (
	"context"
	"iter"

	"github.com/spanlock/spanlock/internal/seam"
)

// Reader is a shared hold on the whole map: while it lasts no transaction begins,
// so the set of ranges does not change. Any number of readers may be under way.
// It may be copied, handed to another goroutine and used by several at once; every
// copy panics when it is used after the Unlock of one. The zero Reader is of no use
// and panics when used.
//
// While a goroutine has a Reader it must not call Lock, Close or a one-operation
// form of the map, which would wait for it, nor RLock, which waits behind a writer
// that waits for it. Acquire and Get of the map wait for no writer then.
//
// A Reader is for looking at several ranges together. To use one range, Acquire of
// the map is both faster and kinder to writers, which wait for a Reader but not for
// a guard on another range.
type Reader[K, V any] struct {
	m   *Map[K, V]
	t   *ticket
	gen uint64
}

// ticket is what makes a Reader end for all its copies. Tickets are pooled; each
// use of one has its own generation.
type ticket struct {
	gen     seam.Uint64
	watched watched // who has the Reader; empty but in debug builds
}

var tickets = seam.Pool{New: func() any { return new(ticket) }}

// RLock waits until no transaction is under way, and keeps the next from beginning
// until the Reader's Unlock. Who comes after a waiting writer waits for it. On a
// closed map it returns a Reader of an empty map. A goroutine that holds a guard of
// the map must not call it; see [Map].
//
// In the terminology of the Go memory model, the end of each earlier transaction
// synchronizes before the return of RLock, and the Reader's Unlock before the return
// of a later Lock.
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

// RLockContext is like [Map.RLock], but gives up when ctx is done, also when it is
// done at the call, and then returns a [WaitError].
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

// newReader makes the Reader of who holds sem for reading.
func (m *Map[K, V]) newReader() Reader[K, V] {
	t := tickets.Get().(*ticket)
	if debug {
		m.watched.rememberReader(t)
	}
	return Reader[K, V]{m, t, t.gen.Load()}
}

// check panics unless the reader is under way.
func (r Reader[K, V]) check(method string) *Map[K, V] {
	if r.t == nil || r.t.gen.Load() != r.gen {
		staleReader(method)
	}
	return r.m
}

// staleReader panics. It is outlined: it is never on the way.
//
//go:noinline
func staleReader(method string) {
	panic("rangelock: Reader." + method + " after Unlock, or on the zero Reader")
}

// Unlock ends the hold, for every copy of the reader. It does not block. It panics
// when one of them has been unlocked before.
func (r Reader[K, V]) Unlock() {
	// The swap decides between two copies that are unlocked at once.
	if r.t == nil || !r.t.gen.CompareAndSwap(r.gen, r.gen+1) {
		staleReader("Unlock")
	}
	if debug {
		r.t.watched.forgetOwner()
	}
	tickets.Put(r.t)
	r.m.sem.RUnlock()
}

// Find returns the range that covers key, its value, and whether there is one. It
// does not wait. The value is not retired before the Reader's Unlock.
func (r Reader[K, V]) Find(key K) (Range[K], V, bool) {
	return r.check("Find").findLocked(key)
}

// Acquire takes a guard on the range that covers key, and reports whether there is
// one. It waits for nothing but its turn where an exclusive guard is held or waited
// for; [Reader.AcquireContext] bounds that wait. The guard may outlive the reader. It
// panics when the range has 2^28 guards.
//
// If another copy of the reader is unlocked while it waits, it goes on as
// [Map.Acquire].
func (r Reader[K, V]) Acquire(key K) (Guard[K, V], bool) {
	g, a, _ := r.acquire(context.Background(), "Acquire", key)
	return g, a == entered
}

// AcquireContext is like [Reader.Acquire], but a wait ends when ctx is done, with a
// [WaitError]. Where nothing has to be waited for it succeeds also when ctx is done.
// Its error for a key without a range is [ErrNotFound], and on a closed map [ErrClosed].
// With an error the guard is the zero Guard.
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
		// While there is a Reader no range leaves, so nobody is sent back, unless this
		// one has ended meanwhile: then the range may be gone, and what covers the key
		// can only be told by another search.
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

// Overlapping yields the ranges that overlap o, the whole of each, with their
// values, in key order: one state of the map, since no transaction can begin. The
// body must not unlock the reader and go on. If o is not valid it yields nothing. It
// allocates, and panics, as [Map.All] does.
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
