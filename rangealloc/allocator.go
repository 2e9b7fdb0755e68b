package rangealloc

import (
	"context"
	"errors"
	"fmt"

	"github.com/spanlock/spanlock/internal/seam"
	"github.com/spanlock/spanlock/rangelock"
)

// An Allocator gives out disjoint ranges of the keys of one range. It keeps the allocated ranges,
// with their values, in a [rangelock.Map]; readers find them and take guards through
// [Allocator.Map].
//
// An Allocator may be used by any number of goroutines. Use [New] to make one; the methods of the
// zero value panic. An Allocator must not be copied after first use.
//
// A goroutine that holds a guard of the map must not call any method but Map, TryFree, Grow and
// Stats: a Free may be waiting for the guard, and every other call waits for that Free. In a
// program that never calls [Allocator.Free], a goroutine that holds a guard may allocate and free
// as it likes. OnRetire must not call Free, Drain or Close.
//
// In the terminology of the Go memory model, the return of OnRetire for a range synchronizes
// before the return of a call that gives out one of its keys again. Without an OnRetire, the
// release of each guard on the range does.
type Allocator[K Integer, V any] struct {
	// Set by New, read without a lock.
	m        *rangelock.Map[K, V]
	order    order[K]
	onRetire func(r rangelock.Range[K], v V) // the user's; may be nil

	// closed is set by Close, after it has closed the map. TryFree and Grow read it.
	closed seam.Bool

	// mu protects the fields below. It is taken in transactions of m, and by m's OnRetire with no
	// other lock held. A goroutine that holds it does not wait for anything.
	mu seam.Mutex

	all rangelock.Range[K] // what there is to give out; Grow changes it

	// gaps is the free keys. Every other key has one owner, and only the owner makes it a gap
	// again. The owner is first the call that allocates, from taking the key out of gaps until
	// the range is in the map; then the map, while the range is in it; then the call that has
	// extracted the range, or else the coming call of the map's OnRetire for it.
	gaps gaps

	// waits has, for the keys of a range, the parker of the Free of exactly these keys. That Free
	// sleeps until OnRetire has returned.
	waits map[gap]*seam.Parker

	retiring retiring // retiring.go

	victims []victim[K, V] // evict.go: an empty list for reuse; nil while an AllocEvict uses it
}

// New returns an allocator for the keys of r, all of them free. If r is unbounded, these are all
// keys from r.Lo to the largest of the kind, including it. An allocated range that holds the
// largest key is unbounded as well, because no key can be its Hi.
//
// The options are those of the map, and may be nil; New reads them once. OnRetire is called once
// for each range that was freed, or that was allocated at Close. The keys of the range are given
// out again only after OnRetire has returned. For ranges that Free, FreeLater and Close take out,
// OnRetire is called as [rangelock.Options] says: one call at a time, on a goroutine of the map.
// TryFree and AllocEvict call it on their caller's goroutine, possibly at the same time as other
// calls of OnRetire, for other keys. An OnRetire that changes anything besides the contents of
// the keys therefore needs a lock, and the caller of TryFree or AllocEvict must not hold this
// lock.
//
// Cost and MaxPending count a range that has left the map if it has guards or a call of OnRetire
// is to come for it on the map's goroutine.
//
// New panics if r is not valid, or o.MaxPending or o.MaxRanges is negative.
func New[K Integer, V any](r rangelock.Range[K], o *rangelock.Options[K, V]) *Allocator[K, V] {
	a := &Allocator[K, V]{
		order: newOrder[K](),
		waits: make(map[gap]*seam.Parker),
	}
	all, ok := a.order.stretch(r)
	if !ok {
		panic(fmt.Sprintf("rangealloc: New with %v, which is not a valid range", r))
	}
	a.all = r
	a.gaps = newGaps(all)
	var own rangelock.Options[K, V]
	if o != nil {
		own = *o
		a.onRetire = o.OnRetire
	}
	own.OnRetire = a.retired
	a.m = rangelock.New(&own)
	return a
}

// of returns the map for the named method. The name is for the panic of the zero Allocator.
func (a *Allocator[K, V]) of(method string) *rangelock.Map[K, V] {
	if a.m == nil {
		panicZero(method, "Allocator; New makes one that can be used")
	}
	return a.m
}

// panicZero panics for a method of a zero value. It is outlined so that the check before it can
// be inlined.
//
//go:noinline
func panicZero(method, of string) { panic("rangealloc: " + method + " of the zero " + of) }

// Map returns the read-only view of the ranges that are allocated. It does not block.
func (a *Allocator[K, V]) Map() Map[K, V] {
	a.of("Map")
	return Map[K, V]{a}
}

// Close retires every range and waits as [Map.Drain] does. From then on, calls that allocate or
// free fail with ErrClosed. Grow does so when Close has returned. MaxPending does not
// count. Guards that are held stay valid, and Close waits for them; new readers find nothing.
//
// If ctx is done before Close has its turn as a writer, nothing has changed. If ctx is done
// later, the allocator is closed, but OnRetire has not returned for some ranges yet. In both
// cases Close returns a [rangelock.WaitError], and another call of Close continues.
//
// Close must not be called from OnRetire, nor by a goroutine that has a guard or a Reader of the
// map.
func (a *Allocator[K, V]) Close(ctx context.Context) error {
	err := a.of("Close").Close(ctx)
	var e *rangelock.WaitError[K]
	if err == nil || errors.As(err, &e) && e.For != rangelock.ForLock {
		a.closed.Store(true)
	}
	if err != nil {
		return err
	}
	return a.awaitRetiring(ctx)
}
