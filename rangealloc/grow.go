package rangealloc

import "github.com/spanlock/spanlock/rangelock"

// Grow adds the keys of r to those of the allocator. r must touch or overlap the allocator's
// range; it may be only the new keys at one end, or the whole new range. The new keys are free,
// and they join the gap next to them. Allocated ranges do not change. Grow never waits.
//
// It returns [rangelock.ErrBadRange] if r is not valid; [ErrOutside], in a [RangeError] with the
// allocator's range, if r neither touches nor overlaps that range, because it would leave a hole;
// and [rangelock.ErrClosed] after Close. With an error nothing has changed.
func (a *Allocator[K, V]) Grow(r rangelock.Range[K]) error {
	a.of("Grow")
	more, ok := a.order.stretch(r)
	if !ok {
		return &RangeError[K]{Op: "Grow", Range: r, Err: rangelock.ErrBadRange}
	}
	if a.closed.Load() {
		return rangelock.ErrClosed
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	all, _ := a.order.stretch(a.all)
	if more.lo > all.last && more.lo-all.last > 1 || more.last < all.lo && all.lo-more.last > 1 {
		return &RangeError[K]{Op: "Grow", Range: r, Other: a.all, Err: ErrOutside}
	}
	more.outside(all, a.gaps.put)
	a.all = a.order.rangeOf(gap{min(all.lo, more.lo), max(all.last, more.last)})
	return nil
}

// whole returns all keys that the allocator has.
func (a *Allocator[K, V]) whole() gap {
	a.mu.Lock()
	defer a.mu.Unlock()
	all, _ := a.order.stretch(a.all)
	return all
}
