package rangealloc

import (
	"context"
	"iter"

	"github.com/spanlock/spanlock/rangelock"
)

// A Map is the read-only view of an allocator's ranges. It has the methods of a [rangelock.Map]
// except those that change the map, because the allocator could not see such a change. Each
// method has the guarantees of the method of the same name there.
//
// A Map is one pointer. It may be copied and used by any number of goroutines. [Allocator.Map]
// returns one; the methods of the zero Map panic.
type Map[K Integer, V any] struct {
	a *Allocator[K, V]
}

// of returns the map for the named method. The name is for the panic of the zero Map.
func (m Map[K, V]) of(method string) *rangelock.Map[K, V] {
	if m.a == nil {
		panicZero(method, "Map; Allocator.Map returns one that can be used")
	}
	return m.a.m
}

// Acquire takes a guard on the allocated range that covers key, and reports whether there is one.
// While the guard is held, the keys of the range are not given out again. Acquire waits as
// [rangelock.Map.Acquire] does: for a Free of that range and, if key is not allocated, for a call
// that has begun to change the map. A goroutine that already holds a guard must use TryAcquire,
// unless the program frees only with FreeLater.
func (m Map[K, V]) Acquire(key K) (rangelock.Guard[K, V], bool) { return m.of("Acquire").Acquire(key) }

// AcquireContext is like [Map.Acquire], but gives up when ctx is done and then returns a
// [rangelock.WaitError]. It returns [rangelock.ErrNotFound] if key is not allocated, and
// [rangelock.ErrClosed] after Close.
func (m Map[K, V]) AcquireContext(ctx context.Context, key K) (rangelock.Guard[K, V], error) {
	return m.of("AcquireContext").AcquireContext(ctx, key)
}

// TryAcquire is like [Map.Acquire] but never blocks: where Acquire would wait it returns
// [rangelock.ErrBusy]. It returns [rangelock.ErrNotFound] only if key is not allocated, and
// [rangelock.ErrClosed] after Close. It may report busy when nothing is in the way any more; it
// never enters a range that Free has excluded. A goroutine that holds a guard may call it.
func (m Map[K, V]) TryAcquire(key K) (rangelock.Guard[K, V], error) {
	return m.of("TryAcquire").TryAcquire(key)
}

// AcquireExclusive takes an exclusive guard on the allocated range that covers key, and reports
// whether there is one. No other guard on the range is held meanwhile, so the holder may write to
// what lies at the keys. AcquireExclusive waits as [rangelock.Map.AcquireExclusive] does: for the
// guards on that range, and for what [Map.Acquire] waits for.
func (m Map[K, V]) AcquireExclusive(key K) (rangelock.Guard[K, V], bool) {
	return m.of("AcquireExclusive").AcquireExclusive(key)
}

// AcquireExclusiveContext is like [Map.AcquireExclusive], but gives up when ctx is done and
// then returns a [rangelock.WaitError]. It returns [rangelock.ErrNotFound] if key is not
// allocated, and [rangelock.ErrClosed] after Close.
func (m Map[K, V]) AcquireExclusiveContext(ctx context.Context, key K) (rangelock.Guard[K, V], error) {
	return m.of("AcquireExclusiveContext").AcquireExclusiveContext(ctx, key)
}

// TryAcquireExclusive is like [Map.AcquireExclusive] but never blocks: where that would wait it
// returns [rangelock.ErrBusy]. It returns [rangelock.ErrNotFound] only if key is not allocated,
// and [rangelock.ErrClosed] after Close.
func (m Map[K, V]) TryAcquireExclusive(key K) (rangelock.Guard[K, V], error) {
	return m.of("TryAcquireExclusive").TryAcquireExclusive(key)
}

// View calls f with the allocated range that covers key and its value, under a guard
// that is released when f returns or panics, and reports whether there was one. It
// waits as [Map.Acquire] does.
func (m Map[K, V]) View(key K, f func(r rangelock.Range[K], v V)) bool {
	return m.of("View").View(key, f)
}

// Get returns the value of the allocated range that covers key, and whether there is one. It
// leaves no guard: when it returns, the keys may already have another owner. It waits as
// [rangelock.Map.Get] does.
func (m Map[K, V]) Get(key K) (V, bool) { return m.of("Get").Get(key) }

// GetRange is like [Map.Get], and also returns the bounds of the range.
func (m Map[K, V]) GetRange(key K) (rangelock.Range[K], V, bool) {
	return m.of("GetRange").GetRange(key)
}

// GetMany is Get of many keys at once, as [rangelock.Map.GetMany] is.
func (m Map[K, V]) GetMany(keys []K, each func(i int, v V, ok bool)) {
	m.of("GetMany").GetMany(keys, each)
}

// All yields the allocated ranges with their values in key order. It leaves no guard: a range
// that it yields may be freed already. All takes no lock and never waits. It is no snapshot: it
// may or may not yield ranges that other goroutines allocate or free meanwhile. The body may use
// the allocator.
func (m Map[K, V]) All() iter.Seq2[rangelock.Range[K], V] { return m.of("All").All() }

// AcquireNext takes a guard on the first allocated range that ends above key, and
// reports whether there is one. It waits as [rangelock.Map.AcquireNext] does.
func (m Map[K, V]) AcquireNext(key K) (rangelock.Guard[K, V], bool) {
	return m.of("AcquireNext").AcquireNext(key)
}

// AcquireNextContext is like [Map.AcquireNext], but gives up when ctx is done and then returns a
// [rangelock.WaitError]. It returns [rangelock.ErrNotFound] if no allocated range ends above key,
// and [rangelock.ErrClosed] after Close.
func (m Map[K, V]) AcquireNextContext(ctx context.Context, key K) (rangelock.Guard[K, V], error) {
	return m.of("AcquireNextContext").AcquireNextContext(ctx, key)
}

// Guards yields a guard on each allocated range that overlaps r, one at a time, as
// [rangelock.Map.Guards] does.
func (m Map[K, V]) Guards(r rangelock.Range[K]) iter.Seq[*rangelock.Guard[K, V]] {
	return m.of("Guards").Guards(r)
}

// GuardsContext is like [Map.Guards], but ctx ends its waits, as in
// [rangelock.Map.GuardsContext], with a [rangelock.WaitError].
func (m Map[K, V]) GuardsContext(ctx context.Context, r rangelock.Range[K]) iter.Seq2[*rangelock.Guard[K, V], error] {
	return m.of("GuardsContext").GuardsContext(ctx, r)
}

// Stats returns the statistics of the underlying map.
func (m Map[K, V]) Stats() rangelock.Stats { return m.of("Stats").Stats() }

// Survey yields the allocated ranges, and those that were freed and are still held, with
// their states, as [rangelock.Map.Survey] does.
func (m Map[K, V]) Survey() iter.Seq2[rangelock.Range[K], rangelock.RangeState] {
	return m.of("Survey").Survey()
}

// SurveyIn is [Map.Survey] for the ranges that overlap r, as [rangelock.Map.SurveyIn] is.
func (m Map[K, V]) SurveyIn(r rangelock.Range[K]) iter.Seq2[rangelock.Range[K], rangelock.RangeState] {
	return m.of("SurveyIn").SurveyIn(r)
}

// Leaks returns the guards that have not been released, with the places where they were taken, as
// [rangelock.Map.Leaks] does: only in debug builds, those with -tags spanlockdebug.
func (m Map[K, V]) Leaks() []rangelock.Leak { return m.of("Leaks").Leaks() }

// First returns the first allocated range and its value, and whether there is one. It never
// waits, and leaves no guard.
func (m Map[K, V]) First() (rangelock.Range[K], V, bool) { return m.of("First").First() }

// Last returns the last allocated range and its value, and whether there is one, as
// [Map.First] does.
func (m Map[K, V]) Last() (rangelock.Range[K], V, bool) { return m.of("Last").Last() }

// Bounds returns the first allocated range and the last one, without their values, as
// [rangelock.Map.Bounds] does.
func (m Map[K, V]) Bounds() (first, last rangelock.Range[K], ok bool) { return m.of("Bounds").Bounds() }

// Len returns how many ranges are allocated. It never waits.
func (m Map[K, V]) Len() int { return m.of("Len").Len() }

// RLock waits until no call that allocates or frees is under way, and keeps such calls from
// beginning until the Reader's Unlock. Use it to look at several ranges together. On a closed
// allocator it returns a Reader of an empty map. A goroutine that holds a guard must not call it.
func (m Map[K, V]) RLock() rangelock.Reader[K, V] { return m.of("RLock").RLock() }

// RLockContext is like [Map.RLock], but gives up when ctx is done, also when it is done
// at the call, and then returns a [rangelock.WaitError].
func (m Map[K, V]) RLockContext(ctx context.Context) (rangelock.Reader[K, V], error) {
	return m.of("RLockContext").RLockContext(ctx)
}

// Room waits until freeing a range of the given cost fits under Options.MaxPending, as
// [rangelock.Map.Room] does. Options.WaitForRoom does not make Free and FreeLater wait.
// When ctx ends the wait it returns a [rangelock.WaitError]; it returns
// [rangelock.ErrBacklog] at once if the cost is more than MaxPending, and
// [rangelock.ErrClosed] after Close.
func (m Map[K, V]) Room(ctx context.Context, cost int64) error { return m.of("Room").Room(ctx, cost) }

// Drain waits until OnRetire has returned for every range that was freed before the call. Without
// an OnRetire it waits until the guards on those ranges are released. Then their keys can be
// given out again. If ctx is done, Drain stops waiting and returns a [rangelock.WaitError].
//
// Drain must not be called from OnRetire, nor by a goroutine that has a guard on a range that was
// freed.
func (m Map[K, V]) Drain(ctx context.Context) error {
	if err := m.of("Drain").Drain(ctx); err != nil {
		return err
	}
	return m.a.awaitRetiring(ctx)
}
