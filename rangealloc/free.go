package rangealloc

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
	"github.com/spanlock/spanlock/rangelock"
)

// Free takes the range that begins at lo out of the map, after it has waited for the
// guards on it, and makes its keys a gap. If there is an OnRetire it then waits until
// that has returned for the range, because OnRetire is the one who clears, unmaps or
// gives back to the kernel what is at those keys, and must not do it to the next owner.
// So the keys can be given out again when Free returns.
//
// It waits for its turn as a writer, and then, keeping other writers out, for the
// guards; ctx ends both waits, and then the range is allocated as before. Readers of
// this range who come meanwhile wait for the outcome. When ctx is done only after the
// range has left the map, Free stops waiting for OnRetire and returns nil: the range is
// freed, and its keys can be given out when OnRetire has returned, as after
// [Allocator.FreeLater]. So an error always says that the range is still allocated.
//
// It returns [ErrNotAllocated], wrapped with the key, if no allocated range begins at
// lo; [rangelock.ErrBacklog] as Options.MaxPending says; [rangelock.ErrClosed] after
// Close; the context's error, also when ctx is done at the call. Then nothing has
// changed.
//
// It must not be called by a goroutine that has a guard of the map, nor, if there is an
// OnRetire, from OnRetire or by someone who holds what OnRetire waits for.
func (a *Allocator[K, V]) Free(ctx context.Context, lo K) error {
	w, err := a.m.LockContext(ctx)
	if err != nil {
		return err
	}
	p, err := a.free(w, lo)
	if p != nil && err == nil {
		p.Park(ctx.Done()) // who wakes it, be it too late, takes it out of waits
	}
	return err
}

// free is Free's transaction, and ends it. It returns where to sleep, if there is
// somebody to wait for.
//
// The map's OnRetire may run before Remove returns, so it is told before what it is not
// to do (without a user's OnRetire: put the gap back, which Free does), or whom to
// wake; if Remove fails that is taken back, and the map's OnRetire has not run.
func (a *Allocator[K, V]) free(w rangelock.Writer[K, V], lo K) (*seam.Parker, error) {
	defer w.Unlock()
	r, err := a.allocated(w, lo)
	if err != nil {
		return nil, err
	}
	part, _ := a.order.stretch(r)
	if a.onRetire != nil {
		p := seam.NewParker()
		a.mu.Lock()
		a.waits[lo] = p
		a.mu.Unlock()
		if _, err := w.Remove(r); err != nil {
			a.mu.Lock()
			delete(a.waits, lo)
			a.mu.Unlock()
			return nil, err
		}
		return p, nil
	}
	a.mu.Lock()
	a.early[lo]++
	a.mu.Unlock()
	_, err = w.Remove(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.lessEarlyLocked(lo)
		return nil, err
	}
	a.gaps.put(part)
	return nil, nil
}

// FreeLater takes the range that begins at lo out of the map and waits for no guard:
// those that are held keep the range, with its bounds and its value. Its keys become a
// gap only when the last of them is released and OnRetire has returned for the range,
// or, without an OnRetire, could have been called. [Map.Drain] waits for that.
//
// It waits for its turn as a writer, which ctx ends, and so for a Free that is waiting
// for guards; it fails at once when ctx is done at the call. OnRetire may call it.
//
// Its errors are those of [Allocator.Free]; then nothing has changed.
func (a *Allocator[K, V]) FreeLater(ctx context.Context, lo K) error {
	w, err := a.m.LockContext(ctx)
	if err != nil {
		return err
	}
	defer w.Unlock()
	r, err := a.allocated(w, lo)
	if err != nil {
		return err
	}
	_, err = w.Retire(r)
	return err
}

// allocated returns the range that begins at lo.
func (a *Allocator[K, V]) allocated(w rangelock.Writer[K, V], lo K) (rangelock.Range[K], error) {
	r, _, ok := w.Find(lo)
	if !ok || r.Lo != lo {
		return r, notAllocated(lo, r, ok)
	}
	return r, nil
}

// retired is the map's OnRetire: it lets the user's go first and then puts the gap
// back. The order is the point: with the gap first, the next owner of the keys would
// find the user's OnRetire at work on them.
//
// A range is known by its Lo. Ranges with one Lo can be on their way here together only
// if Free has put the gaps of all but the last back already, and they come in the
// order in which they left; so the count in early says which are those.
func (a *Allocator[K, V]) retired(r rangelock.Range[K], v V) {
	defer a.putBack(r) // also when the user's calls runtime.Goexit
	if a.onRetire != nil {
		a.onRetire(r, v)
	}
}

// putBack makes the keys of a range that is through a gap, unless Free has.
func (a *Allocator[K, V]) putBack(r rangelock.Range[K]) {
	invariants.At("rangealloc: before a gap is put back")
	part, _ := a.order.stretch(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.early[r.Lo] > 0 {
		a.lessEarlyLocked(r.Lo)
		return
	}
	a.gaps.put(part)
	if p := a.waits[r.Lo]; p != nil {
		delete(a.waits, r.Lo)
		p.Wake()
	}
}

// lessEarlyLocked counts one range less for which the gap is back early.
//
// Preconditions: the caller holds mu.
func (a *Allocator[K, V]) lessEarlyLocked(lo K) {
	if a.early[lo]--; a.early[lo] == 0 {
		delete(a.early, lo)
	}
}
