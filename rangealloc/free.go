package rangealloc

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
	"github.com/spanlock/spanlock/rangelock"
)

// Free frees the range that begins at lo. It waits for the guards on the range, takes it out of
// the map, and makes its keys a gap. If there is an OnRetire, Free waits until OnRetire has
// returned for the range, because OnRetire clears or unmaps what is at those keys, or returns it
// to the kernel, and must not do this to the next owner. The keys can be given out again when
// Free returns nil.
//
// Free waits for its turn as a writer, and then for the guards, while it keeps other writers
// waiting. ctx ends both waits; then the range is allocated as before. Readers of this range that
// arrive meanwhile wait for the outcome. If ctx is done after the range has left the map, Free
// stops waiting for OnRetire and returns nil: the range is freed, and its keys can be given out
// when OnRetire has returned, as after [Allocator.FreeLater]. So an error always says that the
// range is still allocated.
//
// Free returns [ErrNotAllocated], in a [NotAllocatedError], if no allocated range begins at lo;
// if there is an OnRetire, [rangelock.ErrBacklog] as Options.MaxPending says;
// [rangelock.ErrClosed] after Close; a [rangelock.WaitError] if ctx has ended, also if it is done
// at the call. With an error nothing has changed.
//
// Free must not be called by a goroutine that has a guard of the map. If there is an OnRetire, it
// must not be called from OnRetire, nor by a goroutine that holds a lock that OnRetire waits for.
func (a *Allocator[K, V]) Free(ctx context.Context, lo K) error {
	w, err := a.of("Free").LockContext(ctx)
	if err != nil {
		return err
	}
	p, err := a.free(w, lo)
	if p != nil {
		p.Park(ctx.Done()) // if ctx ends this wait, OnRetire still takes p out of waits
	}
	return err
}

// free is the body of Free's transaction, and ends it. If there is an OnRetire, it returns the
// parker that OnRetire wakes.
//
// The map's OnRetire can run before Remove returns, so expect comes first. If Remove fails, or a
// Cost panics in it, the range is still in the map and OnRetire will not be called. Then unexpect
// undoes expect before the transaction ends: afterwards another Free of the range may expect its
// own call.
func (a *Allocator[K, V]) free(w rangelock.Writer[K, V], lo K) (*seam.Parker, error) {
	defer w.Unlock()
	r, err := a.allocated(w, lo)
	if err != nil {
		return nil, err
	}
	if a.onRetire == nil {
		return nil, a.extract(w, r)
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
	return p, nil
}

// extract waits for the guards on r, takes it out of the map, and makes its keys a gap at once:
// there is no OnRetire to call.
func (a *Allocator[K, V]) extract(w rangelock.Writer[K, V], r rangelock.Range[K]) error {
	if _, _, err := w.Extract(r.Lo); err != nil {
		return err
	}
	keys, _ := a.order.stretch(r)
	a.putBack(keys)
	return nil
}

// TryFree is like [Allocator.Free], but never waits for guards: if the range has guards, it
// returns [rangelock.ErrBusy], and the range is allocated as before. A cache uses it to pass over
// entries that are being read. TryFree also returns ErrBusy if calls that allocate or free, or a
// Reader, have kept it from its turn for some microseconds; readers of other ranges never do. It
// may report busy when the last guard has just been released or a reader is just being refused.
// It never frees a range that has a guard.
//
// If there is an OnRetire, TryFree calls it on the caller's goroutine, and makes the keys a gap
// when it has returned; see [New]. The range never counts as pending, so TryFree needs no room
// under Options.MaxPending.
//
// A goroutine that holds a guard may call TryFree. It returns [ErrNotAllocated], in a
// [NotAllocatedError], if no allocated range begins at lo, and [rangelock.ErrClosed] after Close.
// With an error nothing has changed. An ErrBusy allocates no memory.
func (a *Allocator[K, V]) TryFree(lo K) error {
	w, err := a.tryTurn(a.of("TryFree"))
	if err != nil {
		return err
	}
	var x victim[K, V]
	number, err := a.tryExtract(w, lo, &x)
	if err != nil || a.onRetire == nil {
		return err
	}
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.gaps.put(x.keys)
		a.retiring.end(number)
	}()
	a.onRetire(x.r, x.v)
	return nil
}

// turnTries is how often TryFree tries to get its turn. Most turns take less than a microsecond.
const turnTries = 64

// tryTurn begins a transaction, unless other transactions or readers of the structure prevent it.
func (a *Allocator[K, V]) tryTurn(m *rangelock.Map[K, V]) (w rangelock.Writer[K, V], err error) {
	for range turnTries {
		w, ok := m.TryLock()
		if ok {
			return w, nil
		}
		if a.closed.Load() {
			return w, rangelock.ErrClosed
		}
		seam.Gosched()
	}
	return w, rangelock.ErrBusy
}

// tryExtract is the body of TryFree's transaction, and ends it. It fills in x. If there is an
// OnRetire, it returns the call's number in retiring, and the keys are not in the gaps yet.
func (a *Allocator[K, V]) tryExtract(w rangelock.Writer[K, V], lo K, x *victim[K, V]) (number uint64, err error) {
	defer w.Unlock()
	if x.r, err = a.allocated(w, lo); err != nil {
		return 0, err
	}
	x.keys, _ = a.order.stretch(x.r)
	if !w.TryExclude(x.r) {
		return 0, rangelock.ErrBusy
	}
	_, x.v, err = w.Extract(lo)
	invariants.Check(err == nil, "Extract of the excluded %v: %v", x.r, err)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.onRetire == nil {
		a.gaps.put(x.keys)
		return 0, nil
	}
	return a.retiring.begin(), nil
}

// FreeLater frees the range that begins at lo without waiting for guards. It takes the range out
// of the map; guards that are held keep the range, with its bounds and its value. The keys become
// a gap only when the last guard is released and OnRetire has returned for the range. Without an
// OnRetire they become a gap at once if there is no guard, and else after the last guard's
// release and a grace period. [Map.Drain] waits for that.
//
// FreeLater waits for its turn as a writer, and therefore for a Free that is waiting for guards.
// ctx ends the wait; if ctx is done at the call, FreeLater fails at once. OnRetire may call it.
//
// FreeLater returns [rangelock.ErrBacklog] as Options.MaxPending says, if the keys do not become
// a gap at once. Its other errors are those of [Allocator.Free]. With an error nothing has
// changed.
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
	if a.onRetire == nil && w.TryExclude(r) {
		return a.extract(w, r)
	}
	_, err = w.Retire(r)
	return err
}

// allocated returns the range that begins at lo.
func (a *Allocator[K, V]) allocated(w rangelock.Writer[K, V], lo K) (rangelock.Range[K], error) {
	r, _, ok := w.Find(lo)
	if ok && r.Lo == lo {
		return r, nil
	}
	e := &NotAllocatedError[K]{Lo: lo}
	if ok {
		e.Within = r
	}
	return rangelock.Range[K]{}, e
}

// retired is the map's OnRetire. It calls the user's OnRetire first, and then makes the keys a
// gap. In the other order the user's OnRetire would work on keys that already have their next
// owner.
func (a *Allocator[K, V]) retired(r rangelock.Range[K], v V) {
	defer a.arrived(r) // deferred, because the user's OnRetire may call runtime.Goexit
	if a.onRetire != nil {
		a.onRetire(r, v)
	}
}

// expect registers the Free of exactly these keys, and returns the parker that the map's OnRetire
// wakes for them.
func (a *Allocator[K, V]) expect(keys gap) *seam.Parker {
	a.mu.Lock()
	defer a.mu.Unlock()
	invariants.Check(a.waits[keys] == nil, "two calls of Free wait for the keys %v", keys)
	p := seam.NewParker()
	a.waits[keys] = p
	return p
}

// unexpect undoes expect.
func (a *Allocator[K, V]) unexpect(keys gap) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waits, keys)
}

// arrived makes the keys of r a gap, after OnRetire, and wakes the Free that waits for it.
//
// No other range can have got the keys before. A range that leaves the map by Extract becomes a
// gap at once and does not come here. The tempting wrong version removes such a range with
// Remove, makes the gap at once, and ignores the later call of arrived for it. The calls need not
// come in the order in which the ranges left the map, because a reader that was refused may keep
// its count in a range for a moment. So the ignored call may be that of another range with the
// same keys, or with the same start and other keys, and then keys in use become a gap.
func (a *Allocator[K, V]) arrived(r rangelock.Range[K]) {
	invariants.At("rangealloc: before a gap is put back")
	keys, _ := a.order.stretch(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gaps.put(keys)
	if p := a.waits[keys]; p != nil {
		delete(a.waits, keys)
		p.Wake()
	}
}
