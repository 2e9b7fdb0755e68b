package main

import (
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// write is row 7. The collector is off, so that only the snapshot pays for the garbage of
// the snapshot.
func write(b *bench) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for _, n := range b.scale.writes {
		writePairs(b, n)
		writeSwaps(b, n)
	}
	for _, size := range b.scale.batches {
		writeBatches(b, size)
	}
	bulkLoad(b)
}

// gapped returns a fixture of n ranges with gaps, and with one more store of ours, which
// has an OnRetire.
func gapped(n int) *fixture[uint64] {
	f := newFixture(uint64Kind, n, true)
	retiring := &retiringOurs{newOurs(uint64Kind, &rangelock.Options[uint64, *int]{
		OnRetire: func(rangelock.Range[uint64], *int) {},
	})}
	retiring.load(f.ranges)
	f.stores = slices.Insert(f.stores, 1, store[uint64](retiring))
	return f
}

// retiringOurs is a rangelock.Map with an OnRetire that does nothing.
type retiringOurs struct{ *ours[uint64] }

func (retiringOurs) name() string { return "ours with OnRetire" }

// writePairs inserts a range and removes it again.
func writePairs(b *bench, n int) {
	f := gapped(n)
	s := b.about("insert and remove", "n", n)
	v := 1
	var cs []contender
	for _, st := range f.stores {
		cs = append(cs, contender{name: st.name(), garbage: st.name() == "snapshot", run: func(_, from, count int) {
			var c [1]change[uint64]
			for i := range count {
				r := missing(uint64Kind, (from+i)*7919%n, &v)
				c[0] = change[uint64]{insert, r}
				st.apply(c[:], 0)
				c[0].what = remove
				st.apply(c[:], 0)
			}
		}})
	}
	o := b.duel(1, cs...)
	s.compare(o, map[string]*bound{"mutex": atMost(1.2)})
	s.add("ours with OnRetire/mutex", "×", o.ratios("ours with OnRetire", "mutex"), atMost(1.5))
	for i := range cs {
		var target *bound
		if cs[i].name == "ours" {
			target = atMost(allocTolerance)
		}
		count := min(20_000, 40*n)
		s.one(cs[i].name, "allocs", allocations(count, func(k int) { cs[i].run(0, 0, k) }), target)
	}
}

// writeSwaps replaces a range by one with another value.
func writeSwaps(b *bench, n int) {
	f := gapped(n)
	s := b.about("swap", "n", n)
	var cs []contender
	for _, st := range f.stores {
		cs = append(cs, contender{name: st.name(), garbage: st.name() == "snapshot", run: func(_, from, count int) {
			var c [1]change[uint64]
			for i := range count {
				c[0] = change[uint64]{swap, f.ranges[(from+i)*7919%n]}
				st.apply(c[:], 0)
			}
		}})
	}
	s.compare(b.duel(1, cs...), map[string]*bound{"mutex": atMost(1.2)})
}

// writeBatches makes transactions of size inserts and then of size removals; an
// operation is one of them.
func writeBatches(b *bench, size int) {
	const n = 10_000
	f := gapped(n)
	s := b.about("operation of a transaction", "n", n, "operations", size)
	v := 1
	var cs []contender
	for _, st := range f.stores {
		run := func(_, from, count int) {
			changes := make([]change[uint64], size)
			for done := 0; done < count; done += 2 * size {
				for i := range changes {
					changes[i] = change[uint64]{insert, missing(uint64Kind, (from+done+i)*7919%n, &v)}
				}
				st.apply(changes, 0)
				for i := range changes {
					changes[i].what = remove
				}
				st.apply(changes, 0)
			}
		}
		c := contender{name: st.name(), garbage: st.name() == "snapshot"}
		c.clock = func(from, count int) time.Duration {
			// Only whole transactions are made; the time is reduced in proportion.
			whole := (count + 2*size - 1) / (2 * size) * 2 * size
			start := time.Now()
			run(0, from, whole)
			return time.Duration(float64(time.Since(start)) * float64(count) / float64(whole))
		}
		cs = append(cs, c)
	}
	s.compare(b.duel(1, cs...), nil)
}

// bulkLoad fills empty stores with ranges in the order of their keys.
func bulkLoad(b *bench) {
	n := b.scale.loaded
	rs := makeRanges(uint64Kind, n, 1)
	s := b.about("bulk load", "n", n)
	o := &bout{times: make(map[string][]float64), names: storeNames}
	for range b.scale.rounds {
		for _, st := range newStores(uint64Kind) {
			runtime.GC()
			start := time.Now()
			st.load(rs)
			o.times[st.name()] = append(o.times[st.name()], float64(time.Since(start))/float64(n))
		}
	}
	s.compare(o, nil)
}
