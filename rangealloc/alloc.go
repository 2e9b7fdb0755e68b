package rangealloc

import (
	"context"
	"fmt"

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
// It returns [ErrNoSpace], wrapped with the size and the alignment asked for and the
// largest gap; [ErrBadSize] if size is not positive; [ErrBadAlign] if align is neither
// zero nor a power of two; [rangelock.ErrFull] as Options.MaxRanges says;
// [rangelock.ErrClosed] after Close; a [rangelock.WaitError] if
// ctx has ended. Then nothing has changed and the range is the zero Range.
func (a *Allocator[K, V]) Alloc(ctx context.Context, size, align K, v V) (rangelock.Range[K], error) {
	return a.alloc(ctx, "Alloc", size, align, v, (*gaps).first)
}

// AllocBest is like [Allocator.Alloc], but takes the keys from the smallest gap that
// they fit in, of gaps of one size the lowest, and as low in it as they fit. It keeps
// large gaps whole and leaves splinters; which of the two fragments less depends on the
// sizes. Its errors are those of [Allocator.Alloc].
func (a *Allocator[K, V]) AllocBest(ctx context.Context, size, align K, v V) (rangelock.Range[K], error) {
	return a.alloc(ctx, "AllocBest", size, align, v, (*gaps).best)
}

// alloc is the method of that name, with a way to choose the gap, which is called with
// mu held.
func (a *Allocator[K, V]) alloc(ctx context.Context, method string, size, align K, v V, choose func(*gaps, want) (gap, uint64, bool)) (rangelock.Range[K], error) {
	m := a.of(method)
	want, err := request(size, align)
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
	a.mu.Lock()
	g, lo, ok := choose(&a.gaps, want)
	if !ok {
		g, ok = a.gaps.largest()
		a.mu.Unlock()
		return rangelock.Range[K]{}, a.noSpace(size, want, g, ok)
	}
	part := gap{lo, lo + want.width}
	a.gaps.take(g, part)
	a.mu.Unlock()
	return a.insert(w, part, v)
}

// AllocAt gives out exactly the keys of r, attached to the map with the value v. It
// waits as [Allocator.Alloc] does.
//
// It returns [rangelock.ErrOverlap] if one of the keys is allocated, wrapped with the
// range that has it, or is being freed, which [Map.Drain] waits for; [ErrOutside] if r
// has keys that the allocator does not have, as every unbounded range has that does not
// lie in an unbounded one; [rangelock.ErrBadRange] if r is not valid;
// [rangelock.ErrFull] as Options.MaxRanges says; [rangelock.ErrClosed] after Close; a
// [rangelock.WaitError] if ctx has ended. Then
// nothing has changed.
func (a *Allocator[K, V]) AllocAt(ctx context.Context, r rangelock.Range[K], v V) error {
	m := a.of("AllocAt")
	part, ok := a.order.stretch(r)
	if !ok {
		return fmt.Errorf("%w: %v", rangelock.ErrBadRange, r)
	}
	all, _ := a.order.stretch(a.all)
	if part.lo < all.lo || part.last > all.last {
		return fmt.Errorf("%w: %v has keys that %v has not", ErrOutside, r, a.all)
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
		return a.taken(w, r)
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

// request checks what an allocation asks for.
func request[K Integer](size, align K) (want, error) {
	if size <= 0 {
		return want{}, fmt.Errorf("%w: %d", ErrBadSize, size)
	}
	if align < 0 || align&(align-1) != 0 {
		return want{}, fmt.Errorf("%w: %d", ErrBadAlign, align)
	}
	return want{width: uint64(size) - 1, align: max(uint64(align), 1)}, nil
}
