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
// It returns [ErrNotAllocated], in a [NotAllocatedError], if no allocated range begins at
// lo; if there is an OnRetire, [rangelock.ErrBacklog] as Options.MaxPending says;
// [rangelock.ErrClosed] after Close; a [rangelock.WaitError] if ctx has ended, also when it
// is done at the call. Then nothing has changed.
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

// extract takes r out, after it has waited for the guards, and makes its keys a gap at once:
// nobody has a guard, and nobody is told.
func (a *Allocator[K, V]) extract(w rangelock.Writer[K, V], r rangelock.Range[K]) error {
	if _, _, err := w.Extract(r.Lo); err != nil {
		return err
	}
	keys, _ := a.order.stretch(r)
	a.putBack(keys)
	return nil
}

// TryFree is like [Allocator.Free], but waits for nothing: where that would wait for guards
// it returns [rangelock.ErrBusy], and the range is allocated as before. So a cache passes
// over what its readers have pinned. It also returns ErrBusy when others, a call that
// allocates or frees or a Reader, have kept it from its turn for some microseconds; readers
// of other ranges never do. It may report busy when the last guard has just been released,
// or a reader is just being refused; it never frees a range that has a guard.
//
// If there is an OnRetire, TryFree calls it, on the caller's goroutine, and the keys are a gap
// when that has returned; see [New]. What TryFree frees is never pending, so it needs no room
// under Options.MaxPending.
//
// A goroutine that holds a guard may call it. It returns [ErrNotAllocated], in a
// [NotAllocatedError], if no allocated range begins at lo, and [rangelock.ErrClosed] after
// Close. With an error nothing has changed; ErrBusy allocates nothing.
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

// turnTries is how often TryFree tries to have its turn. Most turns of others take less than
// a microsecond.
const turnTries = 64

// tryTurn begins a transaction unless others keep it from that.
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

// tryExtract is TryFree's transaction, and ends it. It fills in x; if there is an OnRetire,
// the call has a number in retiring, and the keys are not in the gaps yet.
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

// FreeLater takes the range that begins at lo out of the map and waits for no guard:
// those that are held keep the range, with its bounds and its value. Its keys become a
// gap only when the last of them is released and OnRetire has returned for the range.
// Without an OnRetire they are a gap at once if there is no guard, and else after the last
// guard's release and a grace period. [Map.Drain] waits for that.
//
// It waits for its turn as a writer, which ctx ends, and so for a Free that is waiting
// for guards; it fails at once when ctx is done at the call. OnRetire may call it.
//
// It returns [rangelock.ErrBacklog] as Options.MaxPending says, where the keys do not become
// a gap at once. Its other errors are those of [Allocator.Free]; then nothing has changed.
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
// about, and returns where to wait for it.
func (a *Allocator[K, V]) expect(keys gap) *seam.Parker {
	a.mu.Lock()
	defer a.mu.Unlock()
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
}

// arrived makes the keys of r, which has been through the map's OnRetire, a gap.
//
// Nobody else can have got them before: what leaves the map by Extract, whose keys are a gap
// at once, does not come here. The tempting wrong version is to use Remove for that, and to
// pass over the call that comes for it later. Ranges need not come in the order in which they
// left the map, because a reader that was refused may keep its count in one for a moment; so
// the call that is passed over can be that of another range with the same keys, or with the
// same start and others, and keys in use become a gap.
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
