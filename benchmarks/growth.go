package main

import (
	"runtime"
	"time"

	"github.com/spanlock/spanlock/benchmarks/internal/stat"
	"github.com/spanlock/spanlock/rangelock"
)

// growth is row 12.
func growth(b *bench) {
	growthOfLookup(b)
	for _, n := range b.scale.growth {
		size(b, uint64Kind, n)
	}
	for _, n := range b.scale.texts {
		size(b, stringKind, n)
		size(b, bytesKind, n)
	}
	insertion(b)
	for _, g := range b.scale.crowd {
		crowd(b, g)
	}
	for _, k := range b.scale.held {
		manyGuards(b, k)
	}
}

// growthOfLookup compares a lookup among n ranges with one among the fewest, for ours
// and for the rivals: 1 means that both grow alike. It has no target.
func growthOfLookup(b *bench) {
	least := b.scale.growth[0]
	small := newFixture(uint64Kind, least, false)
	for _, n := range b.scale.growth[1:] {
		large := newFixture(uint64Kind, n, false)
		s := b.about("lookup", "n", n, "from", least)
		var cs []contender
		add := func(c contender, from string) {
			c.name += from
			cs = append(cs, c)
		}
		for i, c := range large.readings() {
			add(c, "")
			add(small.readings()[i], " least")
		}
		add(large.bare(), "")
		add(small.bare(), " least")
		o := b.duel(1, cs...)
		s.times(o)
		ours := o.ratios("ours", "ours least")
		for _, rival := range append(storeNames[1:len(storeNames):len(storeNames)], bareName) {
			s.add("ours/"+rival, "× growth", stat.Ratios(ours, o.ratios(rival, rival+" least")), nil)
		}
	}
}

// size builds n ranges and reports how long that takes, how much memory it takes and how
// long it takes to walk over them. If n is small it builds many maps.
func size[K any](b *bench, k *kind[K], n int) {
	rs := makeRanges(k, n, 1)
	copies := max(1, 20_000/n)
	s := b.about("building and walking", "keys", k.name, "n", n)
	series := newSeries()
	per := float64(n * copies)
	rounds := min(b.scale.rounds, 5)
	if n > 1_000_000 {
		rounds = min(rounds, 2)
	}
	for round := range rounds {
		for which, name := range storeNames {
			stores := make([]store[K], copies)
			var took time.Duration
			heap := heapGrowth(func() any {
				for i := range stores {
					// A new list of all stores, of which only this one is kept.
					stores[i] = newStores(k)[which]
					start := time.Now()
					stores[i].load(rs)
					took += time.Since(start)
				}
				return stores
			})
			series.add(name+" build", float64(took)/per)
			if round == 0 {
				series.add(name+" heap", heap/per)
			}
			start := time.Now()
			for _, st := range stores {
				sink[0].n.Add(uint64(st.walk()))
			}
			series.add(name+" walk", float64(time.Since(start))/per)
			if m, ok := stores[0].(*ours[K]); ok {
				series.add("reader", float64(walkReader(m.m, k.key(0), copies))/per)
				series.add("stats", float64(m.m.Stats().Bytes)/float64(n))
			}
		}
	}
	var small *bound // no target for small maps, where the map itself is the largest part
	if n >= 10_000 {
		small = map[string]*bound{"uint64": atMost(88), "string": atMost(120), "bytes": atMost(128)}[k.name]
	}
	for _, name := range storeNames {
		var heap, walk *bound
		if name == "ours" {
			heap, walk = small, atMost(15)
		}
		s.add(name, "ns build", series[name+" build"], nil)
		s.add(name, "ns walk", series[name+" walk"], walk)
		s.add(name, "B heap", series[name+" heap"], heap)
	}
	s.add("ours (Reader)", "ns walk", series["reader"], atMost(15))
	s.add("ours (Stats)", "B", series["stats"], small)
	// The store with a mutex is filled by google/btree's insertions, without the lock.
	var build *bound
	if n == 1_000_000 {
		build = atMost(0.25)
	}
	s.add("ours/mutex", "× build", stat.Ratios(series["ours build"], series["mutex build"]), build)
}

// walkReader walks over the map from a key on, times times, with a Reader.
func walkReader[K any](m *rangelock.Map[K, *int], from K, times int) time.Duration {
	r := m.RLock()
	defer r.Unlock()
	sum := 0
	start := time.Now()
	for range times {
		for _, v := range r.Overlapping(rangelock.From(from)) {
			sum += *v
		}
	}
	d := time.Since(start)
	sink[0].n.Add(uint64(sum))
	return d
}

// crowd reads with many goroutines.
func crowd(b *bench, g int) {
	f := newFixture(uint64Kind, 1000, false)
	s := b.about("lookup by many", "n", 1000, "g", g)
	o := b.duel(g, f.readings()...)
	s.compare(o, nil)
	s.throughput(o, g)
}

// manyGuards holds k guards, spread over all ranges, and reports what another guard costs
// meanwhile, and how much of the heap the held ones take.
func manyGuards(b *bench, k int) {
	n := min(k, 100_000)
	f := newFixture(uint64Kind, n, false)
	held := newOurs(uint64Kind, nil)
	held.load(f.ranges)
	guards := make([]rangelock.Guard[uint64, *int], k)
	heap := heapGrowth(func() any {
		for i := range guards {
			guards[i], _ = held.m.Acquire(f.ranges[i%n].lo)
		}
		return guards
	})
	s := b.about("guards held", "n", n, "guards", k)
	o := b.duel(1,
		reading[uint64]("ours, all held", f.keys, held),
		reading[uint64]("ours", f.keys, f.ours()))
	s.compare(o, nil)
	s.one("ours", "B heap/guard", heap/float64(k), nil)
	for i := range guards {
		guards[i].Release()
	}
	runtime.KeepAlive(held)
}
