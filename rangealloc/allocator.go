package rangealloc

import (
	"context"
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
// A goroutine that holds a guard of the map must not call any method but Map: a Free may
// be waiting for the guard, and keeps the others waiting meanwhile. Where the program
// frees only by [Allocator.FreeLater] that goroutine may allocate and free so, too.
// OnRetire must not call Free, Drain or Close.
//
// In the terminology of the Go memory model, the return of OnRetire for a range, and
// without an OnRetire the release of each guard on it, synchronizes before the return
// of an Alloc, AllocBest or AllocAt that gives out one of its keys again.
type Allocator[K Integer, V any] struct {
	// Set by New, read by everybody.
	m        *rangelock.Map[K, V]
	order    order[K]
	all      rangelock.Range[K]              // what there is to give out
	onRetire func(r rangelock.Range[K], v V) // the user's; may be nil

	// mu protects what follows. It is taken in transactions of m, and by m's OnRetire
	// with nothing else held; nobody waits for anything while holding it.
	mu seam.Mutex

	// gaps is the keys that are free. A key has one owner, and only the owner makes it a
	// gap again: a call that allocates, from taking it out of gaps until the map has
	// its range; the map, while the range is in it; and then, if the user has no
	// OnRetire, the Free that has removed the range, and otherwise the call of the map's
	// OnRetire that is to come for it.
	gaps gaps

	// early says, where the user has no OnRetire, how many calls of the map's OnRetire
	// with exactly these keys are for ranges whose keys Free has made a gap, or is
	// about to. See arrived for why it must be the keys, not where they begin.
	early map[gap]int

	// waits says, where the user has one, where the Free of exactly these keys sleeps
	// until OnRetire has returned.
	waits map[gap]*seam.Parker
}

// New returns an allocator for the keys of r, all of them free. If r is unbounded these
// are all keys from r.Lo to the largest of the kind, that one included. A range that is
// given out and holds the largest key is unbounded, too, because no key can be its Hi.
//
// The options are those of the map, and may be nil. OnRetire is called as ever, once
// for each range that was freed or was there at Close; the keys of the range are given
// out again only after it has returned. Cost and MaxPending count a range from
// the moment it leaves the map until OnRetire has returned or, without one, could have
// been called, also where Free has made its keys a gap before. The options are read once.
//
// New panics if r is not valid or o.MaxPending is negative.
func New[K Integer, V any](r rangelock.Range[K], o *rangelock.Options[K, V]) *Allocator[K, V] {
	a := &Allocator[K, V]{
		order: newOrder[K](),
		early: make(map[gap]int),
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
func (a *Allocator[K, V]) Map() Map[K, V] { return Map[K, V]{a.of("Map")} }

// Close retires every range, makes the allocator refuse whatever comes later with
// rangelock.ErrClosed, and waits as [Map.Drain] does. MaxPending does not count.
// Guards that are held stay good, and Close waits for them; new readers find nothing.
//
// When ctx is done before it has its turn, nothing has changed; when ctx is done later,
// the allocator is closed, but OnRetire has not returned for some ranges yet. In both
// cases it returns a [rangelock.WaitError], and calling it again goes on.
//
// It must not be called from OnRetire, nor by a goroutine that has a guard or a Reader
// of the map.
func (a *Allocator[K, V]) Close(ctx context.Context) error { return a.of("Close").Close(ctx) }
