package rangealloc

import (
	"context"
	"errors"
	"fmt"

	"github.com/spanlock/spanlock/internal/seam"
	"github.com/spanlock/spanlock/rangelock"
)

// Allocator gives out disjoint ranges of the keys of one range, and keeps those that
// are given out, with their values, in a [rangelock.Map]: [Allocator.Map] is where
// readers find them and take guards.
//
// An Allocator may be used by any number of goroutines. It is made by [New]; the
// methods of the zero value panic. An Allocator must not be copied after first use.
//
// A goroutine that holds a guard of the map must not call any method but Map, TryFree, Grow
// and Stats: a Free may be waiting for the guard, and keeps the others waiting meanwhile.
// Where nobody calls [Allocator.Free] that goroutine may allocate and free as it likes.
// OnRetire must not call Free, Drain or Close.
//
// In the terminology of the Go memory model, the return of OnRetire for a range, and
// without an OnRetire the release of each guard on it, synchronizes before the return
// of a call that gives out one of its keys again.
type Allocator[K Integer, V any] struct {
	// Set by New, read by everybody.
	m        *rangelock.Map[K, V]
	order    order[K]
	onRetire func(r rangelock.Range[K], v V) // the user's; may be nil

	// closed is set by Close, when it has closed the map, and read by TryFree.
	closed seam.Bool

	// mu protects what follows. It is taken in transactions of m, and by m's OnRetire
	// with nothing else held; nobody waits for anything while holding it.
	mu seam.Mutex

	all rangelock.Range[K] // what there is to give out; Grow changes it

	// gaps is the keys that are free. A key has one owner, and only the owner makes it a
	// gap again: a call that allocates, from taking it out of gaps until the map has
	// its range; the map, while the range is in it; and then the call that has extracted the
	// range, or the call of the map's OnRetire that is to come for it.
	gaps gaps

	// waits says where the Free of exactly these keys sleeps until OnRetire has returned.
	waits map[gap]*seam.Parker

	retiring retiring // retiring.go

	victims []victim[K, V] // evict.go: an empty list, or nil while an AllocEvict uses it
}

// New returns an allocator for the keys of r, all of them free. If r is unbounded these
// are all keys from r.Lo to the largest of the kind, that one included. A range that is
// given out and holds the largest key is unbounded, too, because no key can be its Hi.
//
// The options are those of the map, and may be nil. OnRetire is called once for each range
// that was freed or was there at Close; the keys of the range are given out again only after
// it has returned. For what Free, FreeLater and Close take out it is called as ever, one call
// at a time and on a goroutine of the map's own. TryFree and AllocEvict call it on their
// caller's goroutine, maybe at the same time, for other keys; so an OnRetire that keeps
// something besides what is at the keys needs a lock for it, which the caller must not hold.
//
// Cost and MaxPending count a range that has left the map but is held, or for which the map
// is going to call OnRetire. The options are read once.
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

// of returns the map for a method, which has a name for the panic of the zero Allocator.
func (a *Allocator[K, V]) of(method string) *rangelock.Map[K, V] {
	if a.m == nil {
		panicZero(method, "Allocator; New makes one that can be used")
	}
	return a.m
}

// panicZero panics for a method of a zero value. It is outlined, so that the check
// before it is inlined.
//
//go:noinline
func panicZero(method, of string) { panic("rangealloc: " + method + " of the zero " + of) }

// Map returns the read-only view of the ranges that are allocated. It does not block.
func (a *Allocator[K, V]) Map() Map[K, V] {
	a.of("Map")
	return Map[K, V]{a}
}

// Close retires every range, makes the calls that allocate or free return
// rangelock.ErrClosed from then on, and waits as [Map.Drain] does. MaxPending does not count.
// Guards that are held stay good, and Close waits for them; new readers find nothing.
//
// When ctx is done before it has its turn, nothing has changed; when ctx is done later,
// the allocator is closed, but OnRetire has not returned for some ranges yet. In both
// cases it returns a [rangelock.WaitError], and calling it again goes on.
//
// It must not be called from OnRetire, nor by a goroutine that has a guard or a Reader
// of the map.
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
