//go:build schedule

package epoch_test

import (
	"context"
	"testing"

	"github.com/spanlock/spanlock/epoch"
	"github.com/spanlock/spanlock/internal/schedule"
	"github.com/spanlock/spanlock/internal/seam"
)

// block is memory that is reclaimed: reused for something else.
type block struct{ reclaimed seam.Bool }

// shelf is where readers find a block, and the domain that they pin meanwhile.
type shelf struct {
	*epoch.Domain
	at seam.Pointer[block]
}

// newShelf returns a shelf with a block on it. Its domain starts at an epoch that wraps
// within few steps, and in the end nobody may be pinned.
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

// read looks at what is on the shelf, twice, under a pin.
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

// replace puts another block there and returns the old one.
func (s *shelf) replace() *block { return s.at.Swap(new(block)) }

// retire replaces the block and has the old one reclaimed by a callback.
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

// TestScheduleRetireTwice: two grace periods, in which a slow reader can be overlooked by
// the first advance, and another reader.
func TestScheduleRetireTwice(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		p.Go("reader", s.read)
		p.Go("reader", s.read)
		p.Go("writer", func() { s.retire(); s.retire() })
	})
}

// TestScheduleStamp: two callbacks in one piece of the backlog have stamps of their own,
// though the epoch moves on in between.
func TestScheduleStamp(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		p.Go("writer", func() { s.retire(); s.retire() })
		p.Go("advancer", func() { s.Advance(); s.Advance() })
		p.Go("reader", s.read)
	})
}

// TestScheduleSynchronize: a writer that waits is woken by the last pin that it waits
// for, and not before.
func TestScheduleSynchronize(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 5}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		p.Go("reader", s.read)
		p.Go("writer", s.synchronize)
	})
}

// TestScheduleTwoSynchronize: one drives, the other stands in line, and takes over.
func TestScheduleTwoSynchronize(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		s := newShelf(p, 0)
		p.Go("reader", s.read)
		p.Go("writer", s.synchronize)
		p.Go("writer", s.synchronize)
	})
}

// TestScheduleHeldPin: the driver sleeps on a pin that is held from before, and a second
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

// TestScheduleCancelDriver: a driver that gives up hands its duty to who stands in line.
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

// TestScheduleSlowAdvancer: two who advance at once, each slow at any place, never move
// the epoch back, nor over a pin.
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

// TestScheduleCookie: who polls sees no grace period end too early.
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
