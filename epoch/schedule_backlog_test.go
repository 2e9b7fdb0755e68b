//go:build schedule

package epoch_test

import (
	"context"
	"testing"

	"github.com/spanlock/spanlock/internal/schedule"
)

// TestScheduleBarrier: Barrier returns when the callbacks retired before it have been
// called, and not earlier, and it is woken.
func TestScheduleBarrier(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		var called schedule.Word[int]
		call := func() { called.Store(called.Load() + 1) }
		p.Go("writer", func() {
			s.Retire(call)
			s.Retire(call)
			if err := s.Barrier(context.Background()); err != nil || called.Load() < 2 {
				schedule.Failf("Barrier: %v, %d called", err, called.Load())
			}
		})
		p.Go("other", func() { s.Retire(func() {}) })
		p.Go("reader", s.read)
	})
}

// TestScheduleCancelBarrier: a cancelled Barrier leaves nothing behind.
func TestScheduleCancelBarrier(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		var called schedule.Word[bool]
		ctx, cancel := p.Context()
		p.Go("writer", func() {
			s.Retire(func() { called.Store(true) })
			if s.Barrier(ctx) == nil && !called.Load() {
				schedule.Failf("Barrier returned before the callback")
			}
		})
		p.Go("canceller", cancel)
	})
}

// TestScheduleMaxPending: there is never more pending than MaxPending, and a writer that
// waits for room gets it.
func TestScheduleMaxPending(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		s := newShelf(p, 2)
		var pending schedule.Word[int64]
		retire := func(cost int64) {
			b := s.replace()
			err := s.RetireContext(context.Background(), cost, func() {
				b.reclaimed.Store(true)
				pending.Store(pending.Load() - cost)
			})
			if err != nil {
				schedule.Failf("%v", err)
			}
			if n := s.Stats().PendingCost; n > 2 {
				schedule.Failf("%d pending", n)
			}
		}
		p.Go("writer", func() { retire(2) })
		p.Go("writer", func() { retire(1) })
		p.Go("reader", s.read)
	})
}

// TestScheduleCancelRoom: a wait for room that ends with its context leaves the room to
// others.
func TestScheduleCancelRoom(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		s := newShelf(p, 1)
		ctx, cancel := p.Context()
		p.Go("first", func() {
			if err := s.RetireContext(context.Background(), 1, func() {}); err != nil {
				schedule.Failf("%v", err)
			}
		})
		p.Go("second", func() {
			s.RetireContext(ctx, 1, func() {})
		})
		p.Go("canceller", cancel)
	})
}
