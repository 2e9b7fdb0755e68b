//go:build schedule

package rangelock_test

import (
	"context"
	"errors"
	"testing"

	"github.com/spanlock/spanlock/internal/schedule"
	"github.com/spanlock/spanlock/rangelock"
)

// TestScheduleExclude: no reader is in a range that is excluded. The last reader that leaves, with a
// guard or refused, wakes the writer.
func TestScheduleExclude(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		p.Go("reader", func() { w.find(5) })
		p.Go("writer", func() {
			w.transaction(func(t rangelock.Writer[int, *item]) {
				succeed(t.Exclude(ten(0)))
				visit(t, 5)
			})
		})
		p.Go("try", func() { w.try(5) })
	})
}

// TestScheduleExcludeHeld is the same with a guard that is held before, so that the writer must
// park.
func TestScheduleExcludeHeld(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		g, _ := w.Acquire(5)
		p.Go("holder", func() { w.use(g, 5) })
		p.Go("writer", func() {
			w.transaction(func(t rangelock.Writer[int, *item]) {
				succeed(t.Exclude(ten(0)))
				visit(t, 5)
			})
		})
		p.Go("try", func() { w.try(5) })
	})
}

// TestScheduleExcludeTwo: a writer waits for two ranges, one after the other.
func TestScheduleExcludeTwo(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		w := newWorld(p, 2)
		a, _ := w.Acquire(5)
		b, _ := w.Acquire(15)
		p.Go("holder", func() { w.use(a, 5) })
		p.Go("holder", func() { w.use(b, 15) })
		p.Go("writer", func() {
			w.transaction(func(t rangelock.Writer[int, *item]) {
				succeed(t.Exclude(rangelock.Span(0, 20)))
				visit(t, 5)
				visit(t, 15)
			})
		})
	})
}

// TestScheduleTryExclude: TryExclude never succeeds while a guard is held, and readers enter again
// afterwards.
func TestScheduleTryExclude(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		p.Go("reader", func() { w.find(5) })
		p.Go("writer", func() {
			w.transaction(func(t rangelock.Writer[int, *item]) {
				if t.TryExclude(ten(0)) {
					visit(t, 5)
				}
			})
			w.find(5)
		})
	})
}

// TestScheduleCancelExclude: the context ends the wait, or ends too late; afterwards readers enter.
func TestScheduleCancelExclude(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		ctx, cancel := p.Context()
		g, _ := w.Acquire(5)
		p.Go("holder", func() { w.use(g, 5) })
		p.Go("writer", func() {
			t, err := w.LockContext(ctx)
			if err != nil {
				return
			}
			if err = t.Exclude(ten(0)); err == nil {
				visit(t, 5)
			} else if !errors.Is(err, context.Canceled) {
				schedule.Failf("%v", err)
			}
			t.Unlock()
		})
		p.Go("reader", func() { w.find(5) })
		p.Go("canceller", cancel)
	})
}

// TestSchedulePassing: a reader that has looked before the range was excluded adds itself in the
// middle of the transaction, and takes its count back after the transaction.
func TestSchedulePassing(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		p.Go("try", func() { w.try(5) })
		p.Go("writer", func() {
			for range 2 {
				w.transaction(func(t rangelock.Writer[int, *item]) {
					succeed(t.Exclude(ten(0)))
					visit(t, 5)
				})
			}
		})
	})
}

// TestScheduleRetireHeld: a range that leaves under two guards is retired once, by the last of them.
func TestScheduleRetireHeld(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		a, _ := w.Acquire(5)
		b, _ := w.Acquire(5)
		p.Go("holder", func() { w.use(a, 5) })
		p.Go("holder", func() { w.use(b, 5) })
		p.Go("writer", func() {
			n, err := w.Retire(context.Background(), ten(0))
			if n != 1 || err != nil {
				schedule.Failf("Retire: %d, %v", n, err)
			}
		})
	})
}

// TestScheduleRetire: a reader finds the range or does not find it. The range is retired when no
// reader is in it any more and no reader can find it.
func TestScheduleRetire(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		p.Go("reader", func() { w.read(5) })
		p.Go("writer", func() {
			w.Retire(context.Background(), ten(0))
			succeed(w.Insert(context.Background(), ten(2), w.item()))
		})
	})
}

// TestScheduleExtract: the caller of Extract has the value alone as soon as Extract returns, with
// one reader that holds the range, one that finds it, and one that is refused. OnRetire never gets
// the value.
//
// It kills 250_extract_lets_in_early and 251_extract_does_not_wait.
func TestScheduleExtract(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first func(t rangelock.Writer[int, *item]) bool
	}{
		{"by itself", func(rangelock.Writer[int, *item]) bool { return true }},
		{"after TryExclude", func(t rangelock.Writer[int, *item]) bool { return t.TryExclude(ten(0)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
				w := newWorld(p, 1)
				g, _ := w.Acquire(5)
				p.Go("holder", func() { w.use(g, 5) })
				p.Go("writer", func() {
					w.transaction(func(t rangelock.Writer[int, *item]) {
						if tt.first(t) {
							w.extract(t, 5)
						}
					})
					w.transaction(func(t rangelock.Writer[int, *item]) {
						succeed(t.Insert(ten(2), w.item())) // into a header that was used before
					})
				})
				p.Go("reader", func() { w.read(5) })
			})
		})
	}
}

// TestScheduleCancelExtract: the context ends the wait, and the range stays and lets readers in
// again, before the end of the transaction; or the context ends too late.
func TestScheduleCancelExtract(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		ctx, cancel := p.Context()
		g, _ := w.Acquire(5)
		p.Go("holder", func() { w.use(g, 5) })
		p.Go("writer", func() {
			t, err := w.LockContext(ctx)
			if err != nil {
				return
			}
			_, v, err := t.Extract(5)
			if err == nil {
				v.Enter(true)
				v.retired++
			} else if !errors.Is(err, context.Canceled) {
				schedule.Failf("%v", err)
			} else if g, err := w.TryAcquire(5); err != nil {
				schedule.Failf("in the transaction, after an Extract that gave up: %v", err)
			} else {
				w.use(g, 5)
			}
			t.Unlock()
			if w.read(5) != (err != nil) {
				schedule.Failf("after Extract: %v", err)
			}
		})
		p.Go("canceller", cancel)
	})
}

// TestScheduleUnlinked: OnRetire never runs while a search still finds the range.
func TestScheduleUnlinked(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(w *world)
		gone   func(w *world) bool
	}{
		{"Retire", func(w *world) { w.Retire(context.Background(), ten(0)) }, func(w *world) bool { return !w.Found(5) }},
		{"Remove", func(w *world) { w.Remove(context.Background(), ten(0)) }, func(w *world) bool { return !w.Found(5) }},
		{"Swap", func(w *world) { succeed(w.Swap(context.Background(), rangelock.Span(0, 20), w.item())) }, func(w *world) bool { return w.Found(15) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
				w := newWorld(p, 1)
				w.unlinked = tt.gone
				p.Go("writer", func() { tt.change(w) })
				p.Go("try", func() {
					if g, err := w.TryAcquire(5); err == nil {
						w.use(g, 5)
					}
				})
			})
		})
	}
}

// TestScheduleSwaps: the range is swapped three times in a row, each time into a header that was used
// before, while readers release the first range late.
func TestScheduleSwaps(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		g, _ := w.Acquire(5)
		p.Go("holder", func() { w.use(g, 5) })
		p.Go("writer", func() {
			for range 3 {
				w.swap(0)
				succeed(w.Drain(context.Background()))
			}
		})
		p.Go("reader", func() { w.find(5) })
	})
}
