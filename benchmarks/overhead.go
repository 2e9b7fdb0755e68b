package main

import "github.com/spanlock/spanlock/benchmarks/internal/stat"

// overhead is row 3: the cost of a guard beyond that of the search. The search is measured
// with a Reader, which holds the map and needs no guard.
func overhead(b *bench) {
	f := newFixture(uint64Kind, 1000, false)
	m := f.ours()
	r := m.m.RLock()
	defer r.Unlock()
	mask := len(f.keys) - 1
	get := f.getting("get")
	search := contender{name: "search", run: func(worker, from, n int) {
		sum := 0
		for i := range n {
			_, v, _ := r.Find(f.keys[(from+i)&mask])
			sum += *v
		}
		sink[worker&63].n.Add(uint64(sum))
	}}
	s := b.about("over the search", "keys", "uint64", "n", 1000, "g", 1)
	o := b.duel(1, f.readings()[0], get, search)
	s.times(o)
	s.add("(ours-search)/rmw2", "×", o.over("ours", "search"), atMost(1.3))
	// One atomic write would be half of rmw2.
	s.add("(get-search)/rmw2", "×", o.over("get", "search"), atMost(0.5))
}

// over returns how many yardsticks longer a takes than b, round by round.
func (o *bout) over(a, b string) []float64 {
	return stat.Ratios(o.minus(a, b), o.times[yardstick])
}
