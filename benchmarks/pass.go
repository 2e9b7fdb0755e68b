package main

import (
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// pass is row 15: what a writer's look at the readers costs it. A writer excludes a range on
// which nobody is, while nothing else is held, and again while there are guards on other
// ranges; the difference is what it has looked at for their sake.
func pass(b *bench) {
	const n = 4096
	f := newFixture(uint64Kind, n, false)
	m := f.ours().m
	for _, held := range []int{16, 64, 256} {
		s := b.about("Exclude beside held guards", "n", n, "guards", held)
		exclude := func(count int) time.Duration {
			start := time.Now()
			for i := range count {
				r := f.ranges[held+i*7919%(n-held)]
				w := m.Lock()
				must(w.Exclude(rangelock.Span(r.lo, r.hi)) == nil)
				w.Unlock()
			}
			return time.Since(start)
		}
		o := b.duel(1,
			contender{name: "beside guards", clock: func(_, count int) time.Duration {
				release := f.holdMany(f.stores[0], held)
				defer release()
				return exclude(count)
			}},
			contender{name: "idle", clock: func(_, count int) time.Duration { return exclude(count) }})
		s.times(o)
		more := o.minus("beside guards", "idle")
		for i := range more {
			more[i] /= 1000
		}
		s.add("beside guards - idle", "µs", more, atMost(map[int]float64{16: 0.1, 64: 0.2, 256: 0.8}[held]))
	}
}
