package main

import (
	"context"
	"errors"
	"time"

	"github.com/spanlock/spanlock/epoch"
	"github.com/spanlock/spanlock/rangelock"
)

// backlog is row 13.
func backlog(b *bench) {
	backlogOfDomain(b)
	backlogOfMap(b)
}

// backlogOfDomain retires while a pin stalls the epoch, until the domain refuses, and
// then tries some more.
func backlogOfDomain(b *bench) {
	n := b.scale.retired
	s := b.about("stalled pin", "retirements", n, "MaxPending", n/2)
	series := newSeries()
	for range b.scale.drains {
		d := &epoch.Domain{MaxPending: int64(n / 2)}
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		runs, refused := 0, 0
		most := int64(0)
		pin := d.Pin()
		for i := range n {
			if err := d.RetireContext(ended, 1, func() { runs++ }); err != nil {
				must(errors.Is(err, context.Canceled))
				refused++
			}
			if i%(n/10) == 0 {
				most = max(most, d.Stats().PendingCost)
			}
		}
		st := d.Stats()
		for wait := 0; st.StalledFor == 0 && wait < 100; wait++ {
			time.Sleep(time.Millisecond) // like a program that polls
			st = d.Stats()
		}
		most = max(most, st.PendingCost)
		reported := 0.0
		if st.StalledFor > 0 && refused == n-n/2 {
			reported = 1
		}
		start := time.Now()
		pin.Unpin()
		must(d.Barrier(context.Background()) == nil)
		series.add("drain", time.Since(start).Seconds())
		must(runs == n-refused)
		series.add("pending", float64(most)/float64(n/2))
		series.add("reported", reported)
	}
	s.backlog(series, "epoch")
}

// backlogOfMap swaps ranges that are held until the map refuses.
func backlogOfMap(b *bench) {
	n := b.scale.retired
	rs := makeRanges(uint64Kind, n, 1)
	s := b.about("held guards", "retirements", n, "MaxPending", n/2)
	series := newSeries()
	guards := make([]rangelock.Guard[uint64, *int], n)
	ctx := context.Background()
	for range b.scale.drains {
		m := newOurs(uint64Kind, &rangelock.Options[uint64, *int]{
			MaxPending: int64(n / 2),
			OnRetire:   func(rangelock.Range[uint64], *int) {},
		})
		m.load(rs)
		refused := 0
		for i := range guards {
			guards[i], _ = m.m.Acquire(rs[i].lo)
		}
		for i := range rs {
			if err := m.m.Swap(ctx, rangelock.Span(rs[i].lo, rs[i].hi), rs[i].v); err != nil {
				must(errors.Is(err, rangelock.ErrBacklog))
				refused++
			}
		}
		most := m.m.Stats().PendingCost
		reported := 0.0
		if refused == n-n/2 {
			reported = 1
		}
		start := time.Now()
		for i := range guards {
			guards[i].Release()
		}
		must(m.m.Drain(ctx) == nil)
		series.add("drain", time.Since(start).Seconds())
		must(m.m.Stats().Retired == int64(n-refused))
		series.add("pending", float64(most)/float64(n/2))
		series.add("reported", reported)
	}
	s.backlog(series, "rangelock")
}

func (s *subject) backlog(x series, who string) {
	s.add(who, "× MaxPending pending", x["pending"], atMost(1))
	s.add(who, "refusals right (1: yes)", x["reported"], atLeast(1))
	s.add(who, "s to drain", x["drain"], atMost(0.5))
}
