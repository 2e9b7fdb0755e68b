package main

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/spanlock/spanlock/benchmarks/internal/stat"
	"github.com/spanlock/spanlock/rangelock"
)

// longGuards is row 6.
func longGuards(b *bench) {
	writersBesideGuards(b)
	readersBesideGuards(b)
	swapOfHeld(b)
	latencyBesideGuards(b)
}

// writersBesideGuards lets a writer replace ranges that are not held, and counts how
// often it does so while others are held. If the store's lock keeps it out, that is never.
func writersBesideGuards(b *bench) {
	n := 4 * b.scale.guards
	f := newFixture(uint64Kind, n, false)
	s := b.about("writer beside held guards", "guards", b.scale.guards, "n", n)
	series := newSeries()
	for range b.scale.rounds {
		for _, st := range f.stores {
			idle := f.writesWhile(b, st, func() func() { return func() {} })
			held := f.writesWhile(b, st, func() func() { return f.holdMany(st, b.scale.guards) })
			series.add(st.name(), 100*held/idle)
			series.add(st.name()+" idle", idle/1e6)
		}
	}
	for i, st := range f.stores {
		var target *bound
		if i == 0 {
			target = atLeast(98)
		}
		s.add(st.name(), "% kept", series[st.name()], target)
		s.add(st.name(), "M/s idle", series[st.name()+" idle"], nil)
	}
}

// readersBesideGuards reads ranges that are not held while others are held.
func readersBesideGuards(b *bench) {
	n := 4 * b.scale.guards
	f := newFixture(uint64Kind, n, false)
	keys := make([]uint64, len(f.keys))
	first := uint64(b.scale.guards) * width
	for i, key := range f.keys {
		keys[i] = first + key%(uint64(n)*width-first)
	}
	s := b.about("reader beside held guards", "guards", b.scale.guards, "n", n)
	series := newSeries()
	for round := range b.scale.rounds {
		for _, st := range f.stores {
			if st.name() == "mutex" {
				continue // it would wait for the guard
			}
			idle, _ := readFor(st, keys, round*40_503, b.scale.window)
			release := f.holdMany(st, b.scale.guards)
			held, _ := readFor(st, keys, round*40_503, b.scale.window)
			release()
			series.add(st.name(), 100*held/idle)
		}
	}
	for i, st := range f.stores {
		var target *bound
		if i == 0 {
			target = atLeast(95)
		}
		if series[st.name()] != nil {
			s.add(st.name(), "% kept", series[st.name()], target)
		}
	}
}

// writesWhile returns how many ranges above the held ones a writer replaces in a second,
// between the call of take and the call of the function that take returns.
func (f *fixture[K]) writesWhile(b *bench, st store[K], take func() (release func())) float64 {
	release := take()
	var stop atomic.Bool
	var done atomic.Int64
	ended := make(chan struct{})
	first := b.scale.guards
	start := time.Now()
	go func() {
		defer close(ended)
		var cs [1]change[K]
		for i := 0; !stop.Load(); i++ {
			cs[0] = change[K]{swap, f.ranges[first+i*7919%(len(f.ranges)-first)]}
			st.apply(cs[:], 0)
			done.Store(int64(i + 1))
		}
	}()
	time.Sleep(b.scale.window)
	n, took := done.Load(), time.Since(start)
	stop.Store(true)
	release()
	<-ended
	return float64(n) / took.Seconds()
}

// holdMany holds the first n ranges. For a store with a mutex it holds that lock, once.
func (f *fixture[K]) holdMany(st store[K], n int) (release func()) {
	if st.name() == "mutex" {
		n = 1
	}
	releases := make([]func(), n)
	for i := range releases {
		releases[i] = st.hold(f.ranges[i].lo)
	}
	return func() {
		for _, release := range releases {
			release()
		}
	}
}

// swapOfHeld times Swap of ranges that are held, and of ranges that are not.
func swapOfHeld(b *bench) {
	n := b.scale.guards
	f := newFixture(uint64Kind, n, false)
	m := f.ours().m
	guards := make([]rangelock.Guard[uint64, *int], n)
	ctx := context.Background()
	swapAll := func(count int) time.Duration {
		start := time.Now()
		for i := range count {
			r := f.ranges[i]
			must(m.Swap(ctx, rangelock.Span(r.lo, r.hi), r.v) == nil)
		}
		return time.Since(start)
	}
	inTurns := func(count int, held bool) (d time.Duration) {
		for count > 0 {
			k := min(count, n)
			count -= k
			if held {
				for i := range k {
					guards[i], _ = m.Acquire(f.ranges[i].lo)
				}
			}
			d += swapAll(k)
			if held {
				for i := range k {
					guards[i].Release()
				}
			}
			must(m.Drain(ctx) == nil)
		}
		return d
	}
	s := b.about("Swap of held ranges beside free ones", "n", n)
	o := b.duel(1,
		contender{name: "held", clock: func(_, count int) time.Duration { return inTurns(count, true) }},
		contender{name: "free", clock: func(_, count int) time.Duration { return inTurns(count, false) }})
	s.compare(o, map[string]*bound{"free": atMost(1.2)})
}

// percentiles are what is reported of latencies.
var percentiles = []float64{50, 90, 99, 99.9, 100}

// latencyBesideGuards reads at a fixed pace while one goroutine holds a guard on
// another range for 5 ms of every 10, and a writer replaces a third range every
// millisecond.
func latencyBesideGuards(b *bench) {
	f := newFixture(uint64Kind, 1000, false)
	s := b.about("paced reads beside long guards", "n", 1000)
	series := newSeries()
	keys := f.keys
	held, written := f.ranges[0], []change[uint64]{{swap, f.ranges[1]}}
	for round := range b.scale.rounds {
		for _, st := range f.stores {
			var times []float64
			holder := func() {
				release := st.hold(held.lo)
				time.Sleep(5 * time.Millisecond)
				release()
				time.Sleep(5 * time.Millisecond)
			}
			writer := func() {
				st.apply(written, 0)
				time.Sleep(time.Millisecond)
			}
			beside(holder, func() {
				beside(writer, func() { times = readPaced(st, keys, round*40_503, 2*b.scale.window) })
			})
			for _, p := range percentiles {
				series.add(st.name()+" "+percentile(p), stat.Quantile(times, p/100))
			}
		}
	}
	for _, p := range percentiles {
		for _, st := range f.stores {
			s.add(st.name(), "ns "+percentile(p), series[st.name()+" "+percentile(p)], nil)
		}
	}
}

func percentile(p float64) string {
	if p == 100 {
		return "max"
	}
	return "p" + strconv.FormatFloat(p, 'g', -1, 64)
}
