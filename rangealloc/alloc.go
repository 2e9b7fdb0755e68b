package rangealloc

import (
	"context"
	"errors"

	"github.com/spanlock/spanlock/rangelock"
)

// Alloc allocates size keys with the value v, and returns their range. The range begins at the
// lowest multiple of align from which size keys are free. An align of zero means one. Multiples
// are as in mathematics for negative keys: -8 is a multiple of 4.
//
// Alloc waits for its turn as a writer of the map, and therefore for a Free that is waiting for
// guards. ctx ends the wait; if ctx is done at the call, Alloc fails at once. Alloc does not wait
// for keys to be freed.
//
// Alloc returns [ErrNoSpace], in a [NoSpaceError] with the size and the alignment asked for and
// the largest gap; [ErrBadSize] if size is not positive; [ErrBadAlign] if align is neither zero
// nor a power of two; [rangelock.ErrFull], in a [RangeError], if the map has Options.MaxRanges
// ranges; [rangelock.ErrClosed] after Close; a [rangelock.WaitError] if ctx has ended. With an
// error nothing has changed, and the range is the zero Range.
func (a *Allocator[K, V]) Alloc(ctx context.Context, size, align K, v V) (rangelock.Range[K], error) {
	return a.alloc(ctx, "Alloc", request[K]{size: size, align: align}, v, (*gaps).first)
}

// AllocBest is like [Allocator.Alloc], but takes the keys from the smallest gap in which they
// fit, as low in it as they fit. Of several gaps of that size it takes the lowest. It keeps large
// gaps whole and leaves splinters; whether AllocBest or Alloc fragments less depends on the
// sizes. Its errors are those of [Allocator.Alloc].
func (a *Allocator[K, V]) AllocBest(ctx context.Context, size, align K, v V) (rangelock.Range[K], error) {
	return a.alloc(ctx, "AllocBest", request[K]{size: size, align: align}, v, (*gaps).best)
}

// AllocTop is like [Allocator.Alloc], but allocates the highest keys that fit. A program can let
// long-lived ranges grow down from the top and others grow up from the bottom. Its errors are
// those of [Allocator.Alloc].
func (a *Allocator[K, V]) AllocTop(ctx context.Context, size, align K, v V) (rangelock.Range[K], error) {
	return a.alloc(ctx, "AllocTop", request[K]{size: size, align: align}, v, (*gaps).top)
}

// AllocIn is like [Allocator.Alloc], but allocates only keys of the window, the lowest that fit.
// It is for addresses that must be within reach of another one, or below 4 GiB. The window may
// include keys that the allocator does not have.
//
// AllocIn returns [rangelock.ErrBadRange] if the window is not valid. Its other errors are those
// of [Allocator.Alloc].
func (a *Allocator[K, V]) AllocIn(ctx context.Context, window rangelock.Range[K], size, align K, v V) (rangelock.Range[K], error) {
	if _, ok := a.order.stretch(window); a.m != nil && !ok {
		return rangelock.Range[K]{}, &RangeError[K]{Op: "AllocIn", Range: window, Err: rangelock.ErrBadRange}
	}
	return a.alloc(ctx, "AllocIn", request[K]{size, align, window}, v, (*gaps).first)
}

// A search chooses a gap for an allocation, and the place in the gap.
type search func(*gaps, want) (g gap, lo uint64, ok bool)

// alloc implements the named method.
func (a *Allocator[K, V]) alloc(ctx context.Context, method string, q request[K], v V, s search) (rangelock.Range[K], error) {
	m := a.of(method)
	want, err := a.want(q)
	if err != nil {
		return rangelock.Range[K]{}, err
	}
	// Begin the transaction before choosing a gap. The tempting order is to choose and reserve
	// keys first, and then to wait. While that call waits, other calls fail for want of keys
	// which it may give back when its context ends.
	w, err := m.LockContext(ctx)
	if err != nil {
		return rangelock.Range[K]{}, err
	}
	defer w.Unlock()
	part, ok := a.take(want, s)
	if !ok {
		return rangelock.Range[K]{}, a.noSpace(q, 0)
	}
	return a.insert(w, method, part, v)
}

// take takes what is wanted out of the gaps, and reports whether there was a place.
//
// Preconditions: the caller has its turn as a writer. During its own turn AllocEvict puts the
// keys that it plans to free into the gaps, and no other call may take those.
func (a *Allocator[K, V]) take(w want, s search) (gap, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.gaps.choose(w, s)
}

// choose takes what is wanted out of the gaps, and reports whether there was a place.
func (s *gaps) choose(w want, by search) (gap, bool) {
	g, lo, ok := by(s, w)
	if !ok {
		return gap{}, false
	}
	part := gap{lo, lo + w.width}
	s.take(g, part)
	return part, true
}

// AllocAt allocates exactly the keys of r, with the value v. It waits as [Allocator.Alloc] does.
//
// AllocAt returns [rangelock.ErrOverlap], in a [RangeError], if one of the keys is allocated or
// is being freed; the error has the allocated range, and [Map.Drain] waits for keys that are
// being freed. It returns [ErrOutside] if r has keys that the allocator does not have, as an
// unbounded r does unless the allocator's range is unbounded; [rangelock.ErrBadRange] if r is not
// valid; [rangelock.ErrFull] if the map has Options.MaxRanges ranges; [rangelock.ErrClosed] after
// Close; a [rangelock.WaitError] if ctx has ended. With an error nothing has changed.
func (a *Allocator[K, V]) AllocAt(ctx context.Context, r rangelock.Range[K], v V) error {
	m := a.of("AllocAt")
	part, ok := a.order.stretch(r)
	if !ok {
		return &RangeError[K]{Op: "AllocAt", Range: r, Err: rangelock.ErrBadRange}
	}
	if all := a.whole(); part.lo < all.lo || part.last > all.last {
		return &RangeError[K]{Op: "AllocAt", Range: r, Other: a.order.rangeOf(all), Err: ErrOutside}
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
	_, err = a.insert(w, "AllocAt", part, v)
	return err
}

// insert attaches the range of part, which the caller has taken out of the gaps. If the map
// refuses or panics, insert puts part back.
func (a *Allocator[K, V]) insert(w rangelock.Writer[K, V], method string, part gap, v V) (rangelock.Range[K], error) {
	inserted := false
	defer func() {
		if !inserted {
			a.putBack(part)
		}
	}()
	r := a.order.rangeOf(part)
	if err := w.Insert(r, v); err != nil {
		// The map's RangeError has Op "Insert", which is not what the caller has called.
		if e := new(rangelock.RangeError[K]); errors.As(err, &e) {
			err = &RangeError[K]{Op: method, Range: r, Err: e.Err}
		}
		return rangelock.Range[K]{}, err
	}
	inserted = true
	return r, nil
}

// putBack makes keys a gap. The caller owns them.
func (a *Allocator[K, V]) putBack(keys gap) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gaps.put(keys)
}

// request is what an allocation asks for.
type request[K Integer] struct {
	size, align K
	window      rangelock.Range[K] // the zero Range means anywhere
}

// want checks a request, and returns what to search for.
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

// noSpace returns the error of a request for which there is no room. held is the number of ranges
// that were passed over because of their guards.
func (a *Allocator[K, V]) noSpace(q request[K], held int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := &NoSpaceError[K]{Size: q.size, Align: q.align, Within: a.all, Window: q.window, Held: held}
	if g, ok := a.gaps.largest(); ok {
		e.Largest = a.order.rangeOf(g)
	}
	return e
}

// taken returns the error of an AllocAt of r some of whose keys are not free. Either an allocated
// range overlaps r, or the keys of a freed range are not in the gaps yet.
func taken[K Integer, V any](w rangelock.Writer[K, V], r rangelock.Range[K]) error {
	e := &RangeError[K]{Op: "AllocAt", Range: r, Err: rangelock.ErrOverlap}
	for there := range w.Overlapping(r) {
		e.Other = there
		break
	}
	return e
}
