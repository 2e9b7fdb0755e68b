//go:build schedule

package epoch_test

import (
	"context"
	"testing"

	"github.com/spanlock/spanlock/epoch"
	"github.com/spanlock/spanlock/internal/schedule"
	"github.com/spanlock/spanlock/internal/seam"
)

// block is memory that is reclaimed, that is, reused for something else.
type block struct{ reclaimed seam.Bool }

// shelf is where readers find a block, and the domain that they pin meanwhile.
type shelf struct {
	*epoch.Domain
	at seam.Pointer[block]
}

// newShelf returns a shelf with a block on it. Its domain starts at an epoch that wraps
// within a few steps. In the end there must be no pin.
func newShelf(p *schedule.Program, limit int64) *shelf {
	s := &shelf{Domain: epoch.NewAt(^uint64(1), 2, limit)}
	s.at.Store(new(block))
	p.After(func() {
		if n := s.Stats(); n.Pins != 0 || n.Pending != 0 {
			schedule.Failf("in the end %v", n)
		}
		if driven, asleep, line := s.Waiting(); driven || asleep || line != 0 {
			schedule.Failf("in the end driven %v, asleep %v, %d in line", driven, asleep, line)
		}
	})
	return s
}

// read looks twice at the block on the shelf, under a pin.
func (s *shelf) read() {
	g := s.Pin()
	b := s.at.Load()
	if b.reclaimed.Load() {
		schedule.Failf("found reclaimed memory")
	}
	if b.reclaimed.Load() {
		schedule.Failf("memory reclaimed under a pin")
	}
	g.Unpin()
}

// replace puts another block on the shelf and returns the old one.
func (s *shelf) replace() *block { return s.at.Swap(new(block)) }

// retire replaces the block. A callback reclaims the old one.
func (s *shelf) retire() {
	b := s.replace()
	s.Retire(func() { b.reclaimed.Store(true) })
}

// synchronize replaces the block and reclaims the old one itself.
func (s *shelf) synchronize() {
	b := s.replace()
	if err := s.Synchronize(context.Background()); err != nil {
		schedule.Failf("%v", err)
	}
	b.reclaimed.Store(true)
}

// TestScheduleRetire: a callback runs after the pins that may have seen its block.
func TestScheduleRetire(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 5}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		p.Go("reader", s.read)
		p.Go("writer", s.retire)
	})
}

// TestScheduleRetireTwice: two grace periods, with a slow reader that the first advance may
// overlook, and another reader.
func TestScheduleRetireTwice(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		p.Go("reader", s.read)
		p.Go("reader", s.read)
		p.Go("writer", func() { s.retire(); s.retire() })
	})
}

// TestScheduleStamp: two callbacks in one piece of the backlog have stamps of their own,
// though the epoch moves in between.
func TestScheduleStamp(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		p.Go("writer", func() { s.retire(); s.retire() })
		p.Go("advancer", func() { s.Advance(); s.Advance() })
		p.Go("reader", s.read)
	})
}

// TestScheduleSynchronize: the last pin that a writer waits for wakes the writer, and no
// earlier one does.
func TestScheduleSynchronize(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 5}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		p.Go("reader", s.read)
		p.Go("writer", s.synchronize)
	})
}

// TestScheduleTwoSynchronize: one writer drives, the other stands in line and takes over.
func TestScheduleTwoSynchronize(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		p.Go("reader", s.read)
		p.Go("writer", s.synchronize)
		p.Go("writer", s.synchronize)
	})
}

// TestScheduleHeldPin: the driver sleeps on a pin that was taken before, and a second
// reader of the same slot comes and goes.
func TestScheduleHeldPin(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		g := s.Pin()
		p.Go("holder", func() { g.Unpin() })
		p.Go("writer", s.synchronize)
		p.Go("reader", s.read)
	})
}

// TestScheduleCancelDriver: a driver that gives up hands its duty to a waiter in line.
func TestScheduleCancelDriver(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		ctx, cancel := p.Context()
		g := s.Pin()
		p.Go("holder", func() { g.Unpin() })
		p.Go("impatient", func() {
			b := s.replace()
			if s.Synchronize(ctx) == nil {
				b.reclaimed.Store(true)
			}
		})
		p.Go("writer", s.synchronize)
		p.Go("canceller", cancel)
	})
}

// TestScheduleSlowAdvancer: two goroutines advance at once, each slow at any place. They
// never move the epoch back, nor over a pin.
func TestScheduleSlowAdvancer(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		var seen schedule.Word[uint64]
		seen.Store(s.Epoch())
		advance := func() {
			for range 2 {
				s.Advance()
				if now := s.Epoch(); int64(now-seen.Load()) > 0 {
					seen.Store(now)
				}
			}
		}
		p.Go("advancer", advance)
		p.Go("advancer", advance)
		p.Go("reader", s.read)
		p.After(func() {
			if now, before := s.Epoch(), seen.Load(); int64(now-before) < 0 {
				schedule.Failf("the epoch went back from %d to %d", before, now)
			}
		})
	})
}

// TestScheduleCookie: to a goroutine that polls, no grace period ends too early.
func TestScheduleCookie(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		p.Go("reader", s.read)
		p.Go("poller", func() {
			b := s.replace()
			c := s.Cookie()
			for range 4 {
				if c.Done() {
					b.reclaimed.Store(true)
					return
				}
			}
		})
		p.Go("other", func() { s.Advance() })
	})
}
