package rangealloc

import (
	"context"

	"github.com/spanlock/spanlock/rangelock"
)

// Alloc gives out size keys, attached to the map with the value v: a range whose Lo is
// a multiple of align, as low as there is one. An align of zero is one; a negative key
// is a multiple as in mathematics, so -8 is one of 4.
//
// It waits for its turn as a writer of the map, which ctx ends, and so for a Free that
// is waiting for guards; it fails at once when ctx is done at the call. It does not wait
// for keys to be freed.
//
// It returns [ErrNoSpace], in a [NoSpaceError] with the size and the alignment asked for and
// the largest gap; [ErrBadSize] if size is not positive; [ErrBadAlign] if align is neither
// zero nor a power of two; [rangelock.ErrFull] as Options.MaxRanges says;
// [rangelock.ErrClosed] after Close; a [rangelock.WaitError] if
// ctx has ended. Then nothing has changed and the range is the zero Range.
func (a *Allocator[K, V]) Alloc(ctx context.Context, size, align K, v V) (rangelock.Range[K], error) {
	return a.alloc(ctx, "Alloc", request[K]{size: size, align: align}, v, (*gaps).first)
}

// AllocBest is like [Allocator.Alloc], but takes the keys from the smallest gap that
// they fit in, of gaps of one size the lowest, and as low in it as they fit. It keeps
// large gaps whole and leaves splinters; which of the two fragments less depends on the
// sizes. Its errors are those of [Allocator.Alloc].
func (a *Allocator[K, V]) AllocBest(ctx context.Context, size, align K, v V) (rangelock.Range[K], error) {
	return a.alloc(ctx, "AllocBest", request[K]{size: size, align: align}, v, (*gaps).best)
}

// AllocTop is like [Allocator.Alloc], but gives out keys that lie as high as there are any:
// ranges that stay can grow down from the top, and others up from the bottom. Its errors are
// those of [Allocator.Alloc].
func (a *Allocator[K, V]) AllocTop(ctx context.Context, size, align K, v V) (rangelock.Range[K], error) {
	return a.alloc(ctx, "AllocTop", request[K]{size: size, align: align}, v, (*gaps).top)
}

// AllocIn is like [Allocator.Alloc], but gives out only keys of the window, as low in it as
// there are any: where an address must be within reach of another one, or below 4 GiB. The
// window may have keys that the allocator does not have. A gap may reach over its ends.
//
// It returns [rangelock.ErrBadRange] if the window is not valid. Its other errors are those
// of [Allocator.Alloc].
func (a *Allocator[K, V]) AllocIn(ctx context.Context, window rangelock.Range[K], size, align K, v V) (rangelock.Range[K], error) {
	if _, ok := a.order.stretch(window); a.m != nil && !ok {
		return rangelock.Range[K]{}, &RangeError[K]{Range: window, Err: rangelock.ErrBadRange}
	}
	return a.alloc(ctx, "AllocIn", request[K]{size, align, window}, v, (*gaps).first)
}

// search is a way to choose a gap for an allocation, and the place in it.
type search func(*gaps, want) (g gap, lo uint64, ok bool)

// alloc is the method of that name.
func (a *Allocator[K, V]) alloc(ctx context.Context, method string, q request[K], v V, s search) (rangelock.Range[K], error) {
	m := a.of(method)
	want, err := a.want(q)
	if err != nil {
		return rangelock.Range[K]{}, err
	}
	// The transaction comes before the choice. To choose and reserve first, and then to
	// wait, is the tempting order: while one waits, others are refused for want of keys
	// that it may give back when its context ends.
	w, err := m.LockContext(ctx)
	if err != nil {
		return rangelock.Range[K]{}, err
	}
	defer w.Unlock()
	part, ok := a.take(want, s)
	if !ok {
		return rangelock.Range[K]{}, a.noSpace(q, 0)
	}
	return a.insert(w, part, v)
}

// take takes what is wanted out of the gaps, and reports whether there was a place.
//
// Preconditions: the caller has its turn as a writer. What AllocEvict plans lies in the gaps
// while it has its turn, and must not be taken by others.
func (a *Allocator[K, V]) take(w want, s search) (gap, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.gaps.choose(w, s)
}

// choose takes what is wanted out, and reports whether there was a place.
func (s *gaps) choose(w want, by search) (gap, bool) {
	g, lo, ok := by(s, w)
	if !ok {
		return gap{}, false
	}
	part := gap{lo, lo + w.width}
	s.take(g, part)
	return part, true
}

// AllocAt gives out exactly the keys of r, attached to the map with the value v. It
// waits as [Allocator.Alloc] does.
//
// It returns [rangelock.ErrOverlap] if one of the keys is allocated, in a [RangeError] with
// the range that has it, or is being freed, which [Map.Drain] waits for; [ErrOutside] if r
// has keys that the allocator does not have, as every unbounded range has that does not
// lie in an unbounded one; [rangelock.ErrBadRange] if r is not valid;
// [rangelock.ErrFull] as Options.MaxRanges says; [rangelock.ErrClosed] after Close; a
// [rangelock.WaitError] if ctx has ended. Then
// nothing has changed.
func (a *Allocator[K, V]) AllocAt(ctx context.Context, r rangelock.Range[K], v V) error {
	m := a.of("AllocAt")
	part, ok := a.order.stretch(r)
	if !ok {
		return &RangeError[K]{Range: r, Err: rangelock.ErrBadRange}
	}
	if all := a.whole(); part.lo < all.lo || part.last > all.last {
		return &RangeError[K]{Range: r, Other: a.order.rangeOf(all), Err: ErrOutside}
	}
	w, err := m.LockContext(ctx)
	if err != nil {
		return err
	}
	defer w.Unlock()
	a.mu.Lock()
	g, ok := a.gaps.around(part)
	if ok {
		a.gaps.take(g, part)
	}
	a.mu.Unlock()
	if !ok {
		return taken(w, r)
	}
	_, err = a.insert(w, part, v)
	return err
}

// insert attaches the range of keys that were taken out of the gaps, and puts them back
// if the map refuses or panics.
func (a *Allocator[K, V]) insert(w rangelock.Writer[K, V], part gap, v V) (rangelock.Range[K], error) {
	inserted := false
	defer func() {
		if !inserted {
			a.putBack(part)
		}
	}()
	r := a.order.rangeOf(part)
	if err := w.Insert(r, v); err != nil {
		return rangelock.Range[K]{}, err
	}
	inserted = true
	return r, nil
}

// putBack makes keys that the caller owns a gap.
func (a *Allocator[K, V]) putBack(keys gap) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gaps.put(keys)
}

// request is what an allocation asks for.
type request[K Integer] struct {
	size, align K
	window      rangelock.Range[K] // the zero Range: anywhere
}

// want checks what an allocation asks for.
func (a *Allocator[K, V]) want(q request[K]) (want, error) {
	if q.size <= 0 {
		return want{}, &RequestError[K]{q.size, q.align, ErrBadSize}
	}
	if q.align < 0 || q.align&(q.align-1) != 0 {
		return want{}, &RequestError[K]{q.size, q.align, ErrBadAlign}
	}
	in, ok := a.order.stretch(q.window)
	if !ok {
		in = everywhere
	}
	return want{width: uint64(q.size) - 1, align: max(uint64(q.align), 1), in: in}, nil
}

// noSpace returns the error of a request that has found no room, and has passed over so
// many ranges with guards.
func (a *Allocator[K, V]) noSpace(q request[K], held int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := &NoSpaceError[K]{Size: q.size, Align: q.align, Within: a.all, Window: q.window, Held: held}
	if g, ok := a.gaps.largest(); ok {
		e.Largest = a.order.rangeOf(g)
	}
	return e
}

// taken returns the error of an AllocAt of r: what is in its way is an allocated range, or,
// if there is none, keys that are on their way back.
func taken[K Integer, V any](w rangelock.Writer[K, V], r rangelock.Range[K]) error {
	e := &RangeError[K]{Range: r, Err: rangelock.ErrOverlap}
	for there := range w.Overlapping(r) {
		e.Other = there
		break
	}
	return e
}
