package rangealloc

import (
	"context"

	"github.com/spanlock/spanlock/rangelock"
)

// AllocFunc is like [Allocator.Alloc], but the value is what f makes of the range, before a
// reader can find it: f may write to what lies at those keys, and nobody has seen it before.
// f is called once, if there is room, while nothing is held, so it may take its time and use
// the allocator. Meanwhile the keys are nobody else's: others may be told that there is no
// space for want of them.
//
// It waits for its turn as a writer twice, before f and after it; ctx ends both waits.
//
// If f fails its error is that of AllocFunc, and if it panics or ends its goroutine, too,
// the keys are free again, as after any error. [rangelock.ErrFull], [rangelock.ErrClosed] and a
// [rangelock.WaitError] can come when f has returned a value, which then is nobody's:
// OnRetire is not called for it. Its other errors are those of [Allocator.Alloc].
//
// In the terminology of the Go memory model, what f has done synchronizes before the return
// of each Acquire, TryAcquire, View or Get that shows the range.
func (a *Allocator[K, V]) AllocFunc(ctx context.Context, size, align K, f func(r rangelock.Range[K]) (V, error)) (rangelock.Range[K], error) {
	m := a.of("AllocFunc")
	part, err := a.reserve(ctx, m, request[K]{size: size, align: align})
	if err != nil {
		return rangelock.Range[K]{}, err
	}
	mine := true
	defer func() {
		if mine {
			a.putBack(part)
		}
	}()
	v, err := f(a.order.rangeOf(part))
	if err != nil {
		return rangelock.Range[K]{}, err
	}
	mine = false // attach has them now
	return a.attach(ctx, m, part, v)
}

// reserve takes keys out of the gaps that no range has yet.
func (a *Allocator[K, V]) reserve(ctx context.Context, m *rangelock.Map[K, V], q request[K]) (gap, error) {
	want, err := a.want(q)
	if err != nil {
		return gap{}, err
	}
	w, err := m.LockContext(ctx)
	if err != nil {
		return gap{}, err
	}
	defer w.Unlock()
	part, ok := a.take(want, (*gaps).first)
	if !ok {
		return gap{}, a.noSpace(q, 0)
	}
	return part, nil
}

// attach inserts the range of reserved keys, and makes them a gap if that fails.
func (a *Allocator[K, V]) attach(ctx context.Context, m *rangelock.Map[K, V], part gap, v V) (rangelock.Range[K], error) {
	w, err := m.LockContext(ctx)
	if err != nil {
		a.putBack(part)
		return rangelock.Range[K]{}, err
	}
	defer w.Unlock()
	return a.insert(w, part, v)
}
