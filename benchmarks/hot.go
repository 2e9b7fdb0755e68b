package main

import (
	"time"

	"github.com/spanlock/spanlock/benchmarks/internal/stat"
)

// hotRange is row 4: all goroutines read one range of a thousand. The runs with one goroutine
// and with two have separate stores, because a store may adapt to its readers.
func hotRange(b *bench) {
	f, other := newFixture(uint64Kind, 1000, false), newFixture(uint64Kind, 1000, false)
	clear(f.keys)

	s := b.about("2 goroutines beside 1", "n", 1000)
	var cs []contender
	for i, st := range f.stores {
		one := reading(st.name()+" 1", f.keys, other.stores[i])
		two := reading(st.name()+" 2", f.keys, st)
		one.g, two.g = 1, 2
		cs = append(cs, one, two)
	}
	o := b.duel(1, cs...)
	for i, st := range f.stores {
		more := o.ratios(st.name()+" 1", st.name()+" 2")
		for j := range more {
			more[j] *= 2
		}
		var target *bound
		if i == 0 {
			target = atLeast(1.9)
		}
		s.add(st.name(), "× throughput", more, target)
	}

	for _, g := range b.scale.crowd {
		s := b.about("hot range", "n", 1000, "g", g)
		var targets map[string]*bound
		switch g {
		case 1:
			targets = map[string]*bound{"rwmutex": atMost(0.60)}
		case 2:
			targets = map[string]*bound{"rwmutex": atMost(0.40)}
		}
		o := b.duel(g, f.readings()...)
		s.compare(o, targets)
		s.throughput(o, g)
	}
	firstMillisecond(b, f)
}

// firstMillisecond is the hot range in stores that have not been read before: each of two
// goroutines makes as many reads as take about a millisecond.
func firstMillisecond(b *bench, f *fixture[uint64]) {
	const g, reads = 2, 10_000
	fresh := func(name string, open func() store[uint64]) contender {
		return contender{name: name, clock: func(from, n int) (d time.Duration) {
			for ; n > 0; n -= reads {
				s := open()
				s.load(f.ranges)
				c := reading(name, f.keys, s)
				d += sideBySide(g, b.scale.patience, func(worker int) { c.run(worker, from, min(n, reads)) })
			}
			return d
		}}
	}
	s := b.about("hot range, the first millisecond", "n", 1000, "g", g)
	s.compare(b.duel(1,
		fresh("ours", func() store[uint64] { return newOurs(uint64Kind, nil) }),
		fresh("rwmutex", func() store[uint64] { return newRWMutex(uint64Kind) }),
	), map[string]*bound{"rwmutex": atMost(0.40)})
}

// throughput reports millions of operations a second of all g goroutines together.
func (s *subject) throughput(o *bout, g int) {
	for _, name := range o.names {
		per := make([]float64, len(o.times[name]))
		for i := range per {
			per[i] = 1000 * float64(g)
		}
		s.add(name, "M/s", stat.Ratios(per, o.times[name]), nil)
	}
}
