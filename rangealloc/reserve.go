package rangealloc

import (
	"context"

	"github.com/spanlock/spanlock/rangelock"
)

// AllocFunc is like [Allocator.Alloc], but calls f for the value of the range before a reader can
// find the range. f may write to what lies at the keys: no reader can see it before f returns. If
// there is room, f is called once, with no lock held, so it may take its time and use the
// allocator. Meanwhile the keys are reserved: another call may return [ErrNoSpace] for want of
// them.
//
// AllocFunc waits for its turn as a writer twice, before f and after it. ctx ends both waits.
//
// If f returns an error, AllocFunc returns that error. If f panics or ends its goroutine, or
// after any error, the keys are free again. [rangelock.ErrFull], [rangelock.ErrClosed] and a
// [rangelock.WaitError] can also come after f has returned a value; OnRetire is not called for
// that value. The other errors are those of [Allocator.Alloc].
//
// In the terminology of the Go memory model, what f has done synchronizes before the return of
// each Acquire, TryAcquire, View or Get that returns the range.
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
	return a.attach(ctx, m, "AllocFunc", part, v)
}

// reserve takes keys for a request out of the gaps. No range has them yet.
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

// attach inserts the range of reserved keys for the named method, and makes them a gap if that fails.
func (a *Allocator[K, V]) attach(ctx context.Context, m *rangelock.Map[K, V], method string, part gap, v V) (rangelock.Range[K], error) {
	w, err := m.LockContext(ctx)
	if err != nil {
		a.putBack(part)
		return rangelock.Range[K]{}, err
	}
	defer w.Unlock()
	return a.insert(w, method, part, v)
}
