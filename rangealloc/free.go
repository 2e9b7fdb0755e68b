package rangealloc

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
	"github.com/spanlock/spanlock/rangelock"
)

// Free takes the range that begins at lo out of the map, after it has waited for the
// guards on it, and makes its keys a gap. If there is an OnRetire it then waits until
// that has returned for the range, because OnRetire clears, unmaps or gives back to the
// kernel what is at those keys, and must not do it to the next owner. So the keys can be
// given out again when Free returns.
//
// It waits for its turn as a writer, and then, keeping other writers out, for the
// guards; ctx ends both waits, and then the range is allocated as before. Readers of
// this range that come meanwhile wait for the outcome. When ctx is done only after the
// range has left the map, Free stops waiting for OnRetire and returns nil: the range is
// freed, and its keys can be given out when OnRetire has returned, as after
// [Allocator.FreeLater]. So an error always says that the range is still allocated.
//
// It returns [ErrNotAllocated], wrapped with the key, if no allocated range begins at
// lo; [rangelock.ErrBacklog] as Options.MaxPending says; [rangelock.ErrClosed] after
// Close; a [rangelock.WaitError] if ctx has ended, also when it is done at the call. Then
// nothing has changed.
//
// It must not be called by a goroutine that has a guard of the map, nor, if there is an
// OnRetire, from OnRetire or by a goroutine that holds what OnRetire waits for.
func (a *Allocator[K, V]) Free(ctx context.Context, lo K) error {
	w, err := a.of("Free").LockContext(ctx)
	if err != nil {
		return err
	}
	p, err := a.free(w, lo)
	if p != nil {
		p.Park(ctx.Done()) // when ctx ends it, OnRetire takes p out of waits all the same
	}
	return err
}

// free is Free's transaction, and ends it. It returns where to wait for OnRetire, if
// the user has one.
//
// The map's OnRetire can run before Remove returns, so the call is expected first. If
// Remove fails, or a Cost panics in it, the range is still in the map and the call will
// not come. Then that is taken back, before the transaction ends: afterwards another
// Free of the range may expect its own call.
func (a *Allocator[K, V]) free(w rangelock.Writer[K, V], lo K) (*seam.Parker, error) {
	defer w.Unlock()
	r, err := a.allocated(w, lo)
	if err != nil {
		return nil, err
	}
	keys, _ := a.order.stretch(r)
	removed := false
	p := a.expect(keys)
	defer func() {
		if !removed {
			a.unexpect(keys)
		}
	}()
	if _, err := w.Remove(r); err != nil {
		return nil, err
	}
	removed = true
	if a.onRetire == nil {
		a.putBack(keys) // nobody has a guard, and nobody is told
	}
	return p, nil
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
	w, err := a.of("FreeLater").LockContext(ctx)
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

// retired is the map's OnRetire: it lets the user's go first and then gives the keys
// back. The order is the point: with the gap first, the next owner of the keys would
// find the user's OnRetire at work on them.
func (a *Allocator[K, V]) retired(r rangelock.Range[K], v V) {
	defer a.arrived(r) // also when the user's calls runtime.Goexit
	if a.onRetire != nil {
		a.onRetire(r, v)
	}
}

// expect enters the call of the map's OnRetire that a Free of exactly these keys brings
// about, and returns where to wait for it, if the user has an OnRetire.
func (a *Allocator[K, V]) expect(keys gap) *seam.Parker {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.onRetire == nil {
		a.early[keys]++
		return nil
	}
	invariants.Check(a.waits[keys] == nil, "two calls of Free wait for the keys %v", keys)
	p := seam.NewParker()
	a.waits[keys] = p
	return p
}

// unexpect takes back what expect has entered.
func (a *Allocator[K, V]) unexpect(keys gap) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waits, keys)
	a.lessEarlyLocked(keys)
}

// arrived makes the keys of r, which has been through OnRetire, a gap, unless Free has
// done that for this range or for an earlier one with the same keys.
//
// With an OnRetire of the user's, Free leaves the keys to this call, so nobody else can
// have got them before it, and it is the only one to come with any of them. Without
// one, several ranges that had a key in common can be on their way here: Free has made
// the keys of all of them but the last a gap at once. They need not come in the order
// in which they left the map: a reader that Free's exclusion has refused may keep its
// count in a range for a moment, and ranges that are freed later overtake that one.
//
// So a call must not be taken for that of another range that only begins at the same
// key: with [0, 10) freed early, then [0, 5) freed and [5, 10) in use, the call for
// [0, 10) would make a gap of keys in use. Calls for exactly the same keys can stand
// for each other. The last one to come makes the gap, and until then nobody has the
// keys.
func (a *Allocator[K, V]) arrived(r rangelock.Range[K]) {
	invariants.At("rangealloc: before a gap is put back")
	keys, _ := a.order.stretch(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lessEarlyLocked(keys) {
		return
	}
	a.gaps.put(keys)
	if p := a.waits[keys]; p != nil {
		delete(a.waits, keys)
		p.Wake()
	}
}

// lessEarlyLocked counts one call less to come for keys that Free has made a gap, and
// reports whether there was one.
//
// Preconditions: the caller holds mu.
func (a *Allocator[K, V]) lessEarlyLocked(keys gap) bool {
	n := a.early[keys]
	if n > 1 {
		a.early[keys] = n - 1
	} else {
		delete(a.early, keys)
	}
	return n > 0
}
