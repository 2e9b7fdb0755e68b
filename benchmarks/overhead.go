package main

// overhead is row 3: what a guard costs on top of the search, which is read here as
// the search of a Reader, that holds the map and needs no guard.
func overhead(b *bench) {
	f := newFixture(uint64Kind, 1000, false)
	m := f.ours()
	r := m.m.RLock()
	defer r.Unlock()
	mask := len(f.keys) - 1
	get := contender{name: "get", run: func(worker, from, n int) {
		sum := 0
		for i := range n {
			sum += m.get(f.keys[(from+i)&mask])
		}
		sink[worker&63].n.Add(uint64(sum))
	}}
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
	s.add("(ours-search)/rmw2", "×", o.over("ours", "search"), atMost(2.5))
	s.add("(get-search)/rmw2", "×", o.over("get", "search"), atMost(1.5))
}

// over returns by how many yardsticks a takes longer than b, round by round.
func (o *bout) over(a, b string) []float64 {
	xs := make([]float64, len(o.times[a]))
	for i := range xs {
		xs[i] = (o.times[a][i] - o.times[b][i]) / o.times[yardstick][i]
	}
	return xs
}
