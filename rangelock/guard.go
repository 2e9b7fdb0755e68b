package rangelock

import (
	"fmt"

	"github.com/spanlock/spanlock/internal/invariants"
)

// Guard is a hold on one range object. While it is held the range keeps its
// bounds and its value, the value is not retired, and no writer is granted the
// range by Exclude, Remove or Update. The range may leave the map meanwhile, by
// [Writer.Retire], [Writer.Swap], [Writer.Clear] or [Map.Close], and then lives on
// until the last guard on it is released; new readers do not find it.
//
// Guards are shared: any number of readers can have one on the same range, so a
// guard gives no right to change what the value refers to. One from
// [Map.AcquireExclusive] and its kin is alone on its range, and gives that right.
//
// A guard may be released by another goroutine than the one that acquired it. It
// is not for concurrent use; [Guard.Clone] makes another one. The zero Guard holds nothing
// and panics when used. A guard may be copied, but only one of the copies may be released,
// and none may be used after that. A second release of the same variable panics. That of a copy
// panics under -tags spanlockdebug, with the stacks of both, and otherwise where the
// range shows it: nobody else has a guard on it, or its object has begun another life,
// or the guard is of the other kind, or sampled (package guardprofile). Where others have
// guards of its kind on the range it takes the hold of one of them away, as a sync.RWMutex unlocked twice does: the
// range may then be retired, or excluded, under that guard.
//
// In the terminology of the Go memory model, Release synchronizes before the
// return of a later operation that excludes the range and waits for its guards, as
// Exclude, Remove and Update do, before that
// of a TryExclude that reports true, before that of a later AcquireExclusive of the
// range, and before the call of OnRetire for it. Release of an exclusive guard also
// synchronizes before the return of each later acquire of the range.
type Guard[K, V any] struct {
	mark mark // who took it; empty but in debug builds

	h *header[K, V]

	// life is which life of h, in the place that it has in h.State. Its other bits are
	// zero, but for alone and limit in an exclusive guard, for announced and the
	// place of the mark (announced.go) in one that is announced, and for what profile.go
	// lists in one that is sampled.
	life uint64
}

// Value returns the range's value, the same for as long as the guard is held. It
// panics if g is the zero Guard.
func (g Guard[K, V]) Value() V {
	if g.h == nil {
		zeroGuard("Value")
	}
	if debug {
		g.mark.check("Value")
	}
	return g.h.value
}

// Range returns the range's bounds, the same for as long as the guard is held. It
// panics if g is the zero Guard.
func (g Guard[K, V]) Range() Range[K] {
	if g.h == nil {
		zeroGuard("Range")
	}
	if debug {
		g.mark.check("Range")
	}
	return Range[K]{g.h.Lo, g.h.Hi, g.h.Unbounded()}
}

// Release gives the hold back and makes g the zero Guard. It never blocks. The
// last release of a range that has left the map hands the range over to be
// retired, on another goroutine; Release does not wait for OnRetire.
//
// It panics if g is the zero Guard, as it is after a Release, and if the range
// shows that a copy of g was released before; see [Guard].
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
	// Look before taking: a second release of a copy must change nothing. A count that
	// went below zero would borrow from the flags, and a writer that comes in the
	// meantime would lose a bit. Two copies that are released at the very same time
	// can get past this together; releaseSlow sees the second. A guard that is not a
	// shared one counted in the word is in no life that the word can show; and where
	// somebody is alone no shared one is, so that the copy of one differs, too.
	if s := h.State.Load(); s&readerMask == 0 || s&^(lowMask&^exclusiveHeld) != life {
		m.releaseOther(h, life, s)
		return
	}
	// From here on the range may be gone: m was read before, and of h only its
	// identity is used. One comparison sees every reason for more work: a flag, a
	// generation other than ours (the difference is huge), a count below zero.
	// Pairs with the writer's load in await and with the finishing swap.
	if n := h.State.Add(^uint64(0)); n-life >= limit {
		m.releaseSlow(h, life, n)
	}
}

// releaseOther releases a guard that is sampled or exclusive, or the clone of an announced
// guard beside somebody who has set alone and is about to look at the lines (waitqueue.go, claim). It panics for
// others: their range, seen in state s, shows that they were released before.
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

// giveBackExclusive takes back what an exclusive guard of the life gen has added to the word of h,
// but for left counts, and returns the word after it.
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
		// One operation takes the count and says that nobody is alone any more. It is a
		// swap: with a subtraction two copies that are released at the same time would
		// take the flag twice, which borrows from the generation. Only readers in passing
		// and flags that are set meanwhile make it fail. It pairs with the swaps that let
		// others in, which load the word first.
		if h.State.CompareAndSwap(s, s-exclusiveUnit+left) {
			return s - exclusiveUnit + left
		}
	}
}

// releaseSlow does what a release of one count owes to others; n is the state
// after it. A refused reader that takes its add back comes here, too: its count
// may be the last that a draining writer waits for, or the next in line, or the last
// that keeps a detached range from being finished. It is outlined: it is seldom on
// the way.
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
	// Else others are in it, and the last of them will be here; or it is merely full.
}

// left does what is due when the word of h has no count any more, or a mark was taken away; s
// is the state as it was then or later, in the life gen. Others may still be in it: whoever is
// told looks for himself.
func (m *Map[K, V]) left(h *header[K, V], gen, s uint64) {
	switch {
	case s&excluded == 0:
		if s&reserved != 0 {
			m.queues.grantNext(h, gen)
		}
	case s&detached == 0:
		if w := m.excluder.Load(); w != nil {
			w.parker.Wake() // the writer looks again, and may be waiting for another range
		}
	case s&retired == 0:
		invariants.At("rangelock: last guard of a detached range")
		m.finish(h, gen)
	}
}

// occupied reports whether somebody is in h: a guard, or a reader in passing. Where
// the caller keeps new readers out, a false stays true: the count was zero once, and no mark
// stood, and none that is taken later stays.
func (m *Map[K, V]) occupied(h *header[K, V]) bool {
	// The lines come first: a guard that is announced may be cloned meanwhile, which counts,
	// and be released.
	return m.shown(h, h.State.Load()) || h.State.Load()&readerMask != 0
}

// finish tries to win the right to retire h in its life gen, and hands it over if
// it does. It loses when somebody is in the range, when somebody else has won, or
// when the header has begun another life since the caller's count was in it:
// without the generation in the comparison a slow releaser would retire that one.
func (m *Map[K, V]) finish(h *header[K, V], gen uint64) bool {
	s := h.State.Load()
	if s&^announced != gen|excluded|detached || m.shown(h, s) {
		return false // the last to leave tries again
	}
	return m.finishAt(h, s)
}

// finishAt is finish for a range that is detached in state s, and in whose lines nobody has
// been since.
func (m *Map[K, V]) finishAt(h *header[K, V], s uint64) bool {
	invariants.At("rangelock: before the finishing swap")
	if !h.State.CompareAndSwap(s, s|retired) {
		return false
	}
	m.toRetire.enqueue(h)
	return true
}

// notHeld panics: the range object, in state s, has no guard of the life gen.
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
