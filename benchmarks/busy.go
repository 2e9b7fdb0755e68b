package main

import (
	"time"

	"github.com/spanlock/spanlock/benchmarks/internal/stat"
)

// busyWriter is row 5: a writer holds the lock for a millisecond, working on a range
// that is not read, and then sleeps for a millisecond.
func busyWriter(b *bench) {
	f := newFixture(uint64Kind, 1000, false)
	v := 1
	far := ranged[uint64]{1 << 40, 1<<40 + width, &v}
	for _, s := range f.stores {
		s.apply([]change[uint64]{{insert, far}}, 0)
	}
	writer := func(s store[uint64]) func() {
		cs := []change[uint64]{{swap, far}}
		return func() {
			s.apply(cs, time.Millisecond)
			time.Sleep(time.Millisecond)
		}
	}
	onlyOurs := func(s store[uint64], target *bound) *bound {
		if s.name() == "ours" {
			return target
		}
		return nil
	}

	s := b.about("1 reader, busy writer beside idle", "n", 1000)
	series := newSeries()
	for round := range b.scale.rounds {
		from := round * 40_503
		for _, st := range f.stores {
			name := st.name()
			var idle, busy, idleTimes, busyTimes = 0.0, 0.0, []float64(nil), []float64(nil)
			idle, idleTimes = readFor(st, f.keys, from, b.scale.window)
			beside(writer(st), func() { busy, busyTimes = readFor(st, f.keys, from, b.scale.window) })
			series.add(name+" kept", 100*busy/idle)
			series.add(name+" idle", tail(idleTimes))
			series.add(name+" busy", tail(busyTimes))

			idleTimes = readPaced(st, f.keys, from, b.scale.window)
			beside(writer(st), func() { busyTimes = readPaced(st, f.keys, from, b.scale.window) })
			series.add(name+" paced idle", tail(idleTimes))
			series.add(name+" paced busy", tail(busyTimes))
		}
	}
	for _, st := range f.stores {
		name := st.name()
		s.add(name, "% kept", series[name+" kept"], onlyOurs(st, atLeast(98)))
		s.add(name, "× p99.9", stat.Ratios(series[name+" busy"], series[name+" idle"]), onlyOurs(st, atMost(2)))
		s.add(name, "× p99.9 paced", stat.Ratios(series[name+" paced busy"], series[name+" paced idle"]), nil)
		s.add(name, "ns p99.9 idle", series[name+" idle"], nil)
		s.add(name, "ns p99.9 busy", series[name+" busy"], nil)
		s.add(name, "ns p99.9 paced idle", series[name+" paced idle"], nil)
		s.add(name, "ns p99.9 paced busy", series[name+" paced busy"], nil)
	}

	for _, g := range b.scale.crowd {
		s := b.about("readers beside a busy writer", "n", 1000, "g", g)
		series := newSeries()
		for round := range b.scale.rounds {
			for _, st := range f.stores {
				beside(writer(st), func() {
					series.add(st.name(), rateOf(st, f.keys, g, round*40_503, b.scale.window)/1e6)
				})
			}
		}
		for _, st := range f.stores {
			s.add(st.name(), "M/s", series[st.name()], nil)
		}
	}
}

// series are values by name, one for each round.
type series map[string][]float64

func newSeries() series { return make(series) }

func (s series) add(name string, x float64) { s[name] = append(s[name], x) }
