//go:build schedule

package rangelock_test

import (
	"context"
	"errors"
	"testing"

	"github.com/spanlock/spanlock/internal/schedule"
	"github.com/spanlock/spanlock/rangelock"
)

// TestScheduleExclusive: no other guard is held beside an exclusive one, and each waiter in the
// queue is granted, by the goroutine that leaves the range or by itself.
func TestScheduleExclusive(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		p.Go("alone", func() { w.findAlone(5) })
		p.Go("reader", func() { w.find(5) })
		p.Go("try", func() { w.try(5) })
	})
}

// TestScheduleExclusiveTwo: two exclusive guards, and a reader.
func TestScheduleExclusiveTwo(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		p.Go("alone", func() { w.findAlone(5) })
		p.Go("alone", func() { w.findAlone(5) })
		p.Go("reader", func() { w.find(5) })
	})
}

// TestScheduleExclusiveHeld: the same, with a guard that is held from before, so that a
// queue forms; its shared waiters are granted together.
func TestScheduleExclusiveHeld(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		g, _ := w.Acquire(5)
		p.Go("holder", func() { w.use(g, 5) })
		p.Go("alone", func() { w.findAlone(5) })
		p.Go("reader", func() { w.find(5) })
		p.Go("reader", func() { w.find(5) })
	})
}

// TestScheduleExclusiveTry: TryAcquireExclusive never enters beside a guard, and leaves
// nothing behind.
func TestScheduleExclusiveTry(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		p.Go("alone", func() {
			for range 2 {
				switch g, err := w.TryAcquireExclusive(5); err {
				case nil:
					w.change(g, 5)
				case rangelock.ErrBusy:
				default:
					schedule.Failf("%v", err)
				}
			}
		})
		p.Go("reader", func() { w.find(5) })
		p.Go("try", func() { w.try(5) })
	})
}

// TestScheduleExclusiveCancel: the context ends the wait for an exclusive guard, or comes
// too late; the reader behind it gets in, whichever it is.
func TestScheduleExclusiveCancel(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		ctx, cancel := p.Context()
		g, _ := w.Acquire(5)
		p.Go("holder", func() { w.use(g, 5) })
		p.Go("alone", func() {
			switch g, err := w.AcquireExclusiveContext(ctx, 5); {
			case err == nil:
				w.change(g, 5)
			case !errors.Is(err, context.Canceled):
				schedule.Failf("%v", err)
			}
		})
		p.Go("reader", func() { w.find(5) })
		p.Go("canceller", cancel)
	})
}

// TestScheduleExclusiveCancelBehind: a waiter that leaves the queue may be all that those behind
// it waited for. Here the guard on the range is not released before the reader has been in.
func TestScheduleExclusiveCancelBehind(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		ctx, cancel := p.Context()
		g, _ := w.Acquire(5)
		var in schedule.Flag
		p.Go("holder", func() {
			in.Wait()
			w.use(g, 5)
		})
		p.Go("alone", func() {
			switch g, err := w.AcquireExclusiveContext(ctx, 5); {
			case err == nil:
				w.change(g, 5)
			case !errors.Is(err, context.Canceled):
				schedule.Failf("%v", err)
			}
		})
		p.Go("reader", func() {
			w.find(5)
			in.Open()
		})
		p.Go("canceller", cancel)
	})
}

// TestScheduleExclusiveExclude: a transaction excludes a range that has a queue. The queue
// keeps its order, and is granted when the transaction ends.
func TestScheduleExclusiveExclude(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		g, _ := w.Acquire(5)
		p.Go("holder", func() { w.use(g, 5) })
		p.Go("alone", func() { w.findAlone(5) })
		p.Go("writer", func() { w.exclude(0) })
		p.Go("reader", func() { w.find(5) })
	})
}

// TestScheduleExclusiveTryExclude: a TryExclude that fails gives the range back to its
// queue.
func TestScheduleExclusiveTryExclude(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		g, _ := w.Acquire(5)
		p.Go("holder", func() { w.use(g, 5) })
		p.Go("alone", func() { w.findAlone(5) })
		p.Go("writer", func() {
			w.transaction(func(t rangelock.Writer[int, *item]) {
				if t.TryExclude(ten(0)) {
					visit(t, 5)
				}
			})
		})
	})
}

// TestScheduleExclusiveLeaves: a range that has a queue, or an exclusive guard, leaves the
// map. Its waiters search again, and find what is there now.
func TestScheduleExclusiveLeaves(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(w *world)
		stays  bool
	}{
		{"Retire", func(w *world) { w.Retire(context.Background(), ten(0)) }, false},
		{"Swap", func(w *world) { w.swap(0) }, true},
		{"Extract", func(w *world) {
			w.transaction(func(t rangelock.Writer[int, *item]) { w.extract(t, 5) })
		}, false},
		{"Split", func(w *world) {
			w.transaction(func(t rangelock.Writer[int, *item]) {
				succeed(t.Split(3))
			})
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
				w := newWorld(p, 1)
				g, _ := w.Acquire(5)
				p.Go("holder", func() { w.use(g, 5) })
				p.Go("alone", func() {
					if g, ok := w.AcquireExclusive(5); ok {
						w.change(g, 5)
					} else if tt.stays {
						schedule.Failf("no range for 5, which always has one")
					}
				})
				p.Go("writer", func() { tt.change(w) })
			})
		})
	}
}
