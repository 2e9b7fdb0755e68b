package rangelock

import (
	"fmt"

	"github.com/spanlock/spanlock/internal/invariants"
)

// This file has guards and their release, step 9 of acquire.go. A release takes a count from the
// state word, or sends an announced guard to announced.go, and then does what the last holder
// owes to others: it wakes the writer, grants the head of the queue, or finishes the range.

// Guard is a hold on one range object. While it is held the range keeps its bounds and its value,
// the value is not retired, and no writer gets the range by Exclude, Remove or Update. Meanwhile
// the range may leave the map by [Writer.Retire], [Writer.Swap], [Writer.Clear] or [Map.Close].
// Then new readers do not find it, and it lives on until the last guard on it is released.
//
// Guards are shared: any number of readers can hold one on the same range, so a guard gives no
// right to change what the value refers to. An exclusive guard, from [Map.AcquireExclusive] and
// its variants, is the only guard on its range, and gives that right.
//
// A guard may be released by a goroutine other than the one that acquired it. It is not for
// concurrent use; [Guard.Clone] makes another guard. The zero Guard holds nothing, and panics when
// used.
//
// A guard may be copied, but only one of the copies may be released, and none may be used after
// that. A second Release of the same variable panics. A Release of a second copy always panics
// under -tags spanlockdebug, with the stacks of both. In other builds it panics if the range shows
// the mistake: no other guard is held on the range, or its object has begun another life, or the
// guard is of another kind than those held, or it is sampled (package guardprofile). Otherwise it
// takes the hold of another guard of its kind away, as unlocking a sync.RWMutex twice does: the
// range may then be retired or excluded under that guard.
//
// In the terminology of the Go memory model, Release synchronizes before the return of a later
// operation that excludes the range and waits for its guards (as Exclude, Remove and Update do),
// before the return of a later TryExclude that reports true, before the return of a later
// AcquireExclusive of the range, and before the call of OnRetire for it. The Release of an
// exclusive guard also synchronizes before the return of each later acquire of the range.
type Guard[K, V any] struct {
	mark mark // where it was taken; empty except in debug builds

	h *header[K, V]

	// life is the life of h, in the same bits as in h.State. Its other bits are zero, except:
	// exclusiveHeld and limit in an exclusive guard; announced and the place of the mark
	// (announced.go) in an announced guard; what profile.go lists in a sampled guard.
	life uint64
}

// Value returns the range's value. It returns the same value while the guard is held. It panics if
// g is the zero Guard.
func (g Guard[K, V]) Value() V {
	if g.h == nil {
		zeroGuard("Value")
	}
	if debug {
		g.mark.check("Value")
	}
	return g.h.value
}

// Range returns the range's bounds. It returns the same bounds while the guard is held. It panics
// if g is the zero Guard.
func (g Guard[K, V]) Range() Range[K] {
	if g.h == nil {
		zeroGuard("Range")
	}
	if debug {
		g.mark.check("Range")
	}
	return Range[K]{g.h.Lo, g.h.Hi, g.h.Unbounded()}
}

// Release gives the guard up and makes g the zero Guard. It never blocks. The last Release on a
// range that has left the map causes the range to be retired, on another goroutine; Release does
// not wait for OnRetire.
//
// It panics if g is the zero Guard, which g is after a Release, and if the range shows that a copy
// of g was released before; see [Guard].
func (g *Guard[K, V]) Release() {
	h, life := g.h, g.life
	if h == nil {
		zeroGuard("Release")
	}
	if debug {
		g.mark.released()
		g.mark = mark{}
	}
	g.h, g.life = nil, 0
	m := h.m
	if life&announced != 0 {
		m.releaseAnnounced(h, life)
		return
	}
	// Look before subtracting: a second release of a copy must change nothing. A count below
	// zero would borrow from the flags, and a writer that comes meanwhile would lose a bit. Two
	// copies that are released at the very same time can both pass this check; releaseSlow
	// finds the second. A sampled or exclusive guard has extra bits in life, so it never compares
	// equal here. While an exclusive guard is held no shared guard exists, so a copy of a
	// shared guard compares unequal, too.
	if s := h.State.Load(); s&readerMask == 0 || s&^(lowMask&^exclusiveHeld) != life {
		m.releaseOther(h, life, s)
		return
	}
	// After the subtraction h may begin another life. m was loaded before, and only the
	// identity of h is used. One comparison finds every reason for more work: a flag, a
	// generation other than that of the guard (then the difference is huge), a count below zero.
	// It pairs with the writer's load in await, and with the finishing swap.
	if n := h.State.Add(^uint64(0)); n-life >= limit {
		m.releaseSlow(h, life, n)
	}
}

// releaseOther releases a guard that is sampled or exclusive. It also releases a clone of an
// announced guard while another goroutine has set exclusiveHeld and is about to look at the lines
// (waitqueue.go, claim). For any other guard it panics: its range, in state s, shows that it was
// released before.
//
//go:noinline
func (m *Map[K, V]) releaseOther(h *header[K, V], life, s uint64) {
	switch {
	case life&sampled != 0:
		m.releaseSampled(h, life, s)
	case life&exclusiveHeld != 0:
		gen := life &^ lowMask
		m.releaseSlow(h, gen, m.giveBackExclusive(h, gen, 0))
	case s&^lowMask == life && s&(exclusiveHeld|announced) == exclusiveHeld|announced && s&readerMask > limit:
		m.releaseSlow(h, life, h.State.Add(^uint64(0)))
	default:
		notHeld(life, s)
	}
}

// giveBackExclusive subtracts what an exclusive guard of the life gen has added to the state word
// of h, except left counts, and returns the state after it.
func (m *Map[K, V]) giveBackExclusive(h *header[K, V], gen, left uint64) uint64 {
	if m.traced {
		m.exclusiveEnded(h)
	}
	for {
		s := h.State.Load()
		if s&^lowMask != gen || s&exclusiveHeld == 0 {
			notHeld(gen, s)
		}
		invariants.At("rangelock: before an exclusive guard is given back")
		// One operation takes the count and the flag exclusiveHeld. It is a swap: with a
		// subtraction, two copies that are released at the same time would take the flag
		// twice, which borrows from the generation. Only refused readers, and flags that are
		// set meanwhile, make it fail. It pairs with the swaps that let others in, which load
		// the state word first.
		if h.State.CompareAndSwap(s, s-exclusiveUnit+left) {
			return s - exclusiveUnit + left
		}
	}
}

// releaseSlow does what a release of one count owes to others; n is the state after it. A refused
// reader that takes its add back calls it, too: its count can be the last one that a writer or the
// head of the queue waits for, or the last one that keeps a detached range from being finished. It
// is outlined because it is seldom needed.
//
//go:noinline
func (m *Map[K, V]) releaseSlow(h *header[K, V], gen, n uint64) {
	invariants.At("rangelock: a count given back")
	switch {
	case n&readerMask == readerMask || n&^lowMask != gen:
		notHeld(gen, h.State.Add(1))
	case n&readerMask == 0:
		m.left(h, gen, n)
	}
	// Otherwise there are other counts, and the last of them calls left; or the range was full.
}

// left does what is due when the state word of h has no count any more, or when a mark was
// removed; s is the state at that time or later, in the life gen. Other readers may still be in the
// range; a goroutine that is woken checks that itself.
func (m *Map[K, V]) left(h *header[K, V], gen, s uint64) {
	switch {
	case s&excluded == 0:
		if s&reserved != 0 {
			m.queues.grantNext(h, gen)
		}
	case s&detached == 0:
		if w := m.excluder.Load(); w != nil {
			w.parker.Wake() // the writer looks again; it may be waiting for another range
		}
	case s&retired == 0:
		invariants.At("rangelock: last guard of a detached range")
		m.finish(h, gen)
	}
}

// occupied reports whether a guard or a refused reader is in h. If the caller keeps new readers
// out, a false stays true: the count was zero once, and no mark was there, and no reader that
// comes later stays.
func (m *Map[K, V]) occupied(h *header[K, V]) bool {
	// The lines come before the count: an announced guard may be cloned meanwhile, and the clone
	// counts, and then the announced guard may be released.
	return m.shown(h, h.State.Load()) || h.State.Load()&readerMask != 0
}

// finish tries to win the right to retire h in its life gen. If it wins it enqueues h to be retired.
// It loses if a reader is in the range, if another goroutine has won, or if the header has begun
// another life since the caller's count was in it. Without the generation in the comparison a slow
// releaser would retire that other life.
func (m *Map[K, V]) finish(h *header[K, V], gen uint64) bool {
	s := h.State.Load()
	if s&^announced != gen|excluded|detached || m.shown(h, s) {
		return false // the last to leave calls finish again
	}
	return m.finishAt(h, s)
}

// finishAt is finish for a range that is detached in state s, if no mark has been in the lines for
// it since.
func (m *Map[K, V]) finishAt(h *header[K, V], s uint64) bool {
	invariants.At("rangelock: before the finishing swap")
	if !h.State.CompareAndSwap(s, s|retired) {
		return false
	}
	m.toRetire.enqueue(h)
	return true
}

// notHeld panics: the header, in state s, has no guard of the life gen.
//
//go:noinline
func notHeld(gen, s uint64) {
	if s&^lowMask != gen {
		panic(fmt.Sprintf("rangelock: guard released twice: its range is gone (guard of life %d, range object in life %d)",
			gen/generation, s/generation))
	}
	panic(fmt.Sprintf("rangelock: guard released twice: the range has no such guard left (state %#x, guard of life %d)",
		s, gen/generation))
}

// zeroGuard panics. It is outlined to keep Value and Range inlinable.
//
//go:noinline
func zeroGuard(method string) {
	panic("rangelock: " + method + " of a Guard that holds nothing: it is the zero Guard or was released before")
}
