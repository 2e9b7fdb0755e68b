package main

// batches is row 14: one call of GetMany for sixteen keys, compared with sixteen single
// lookups. An operation is one key.
func batches(b *bench) {
	for _, n := range b.scale.batched {
		f := newFixture(uint64Kind, n, false)
		s := b.about("lookups sixteen at a time", "n", n)
		ours, rival := f.stores[0], f.stores[1]
		name := rival.name() + " one by one"
		target := atMost(0.25)
		if n > 100_000 {
			target = atMost(0.30)
		}
		s.compare(b.duel(1,
			f.many(),
			reading(name, f.keys, rival),
			reading("ours one by one", f.keys, ours),
			f.getting("ours Get one by one"),
		), map[string]*bound{name: target})
	}
}

// batchSize is how many keys a call of GetMany gets.
const batchSize = 16

// many looks keys up sixteen at a time.
func (f *fixture[K]) many() contender {
	m := f.ours().m
	mask := len(f.keys) - 1
	return contender{name: "ours", run: func(worker, from, n int) {
		sum := 0
		add := func(_ int, v *int, ok bool) {
			if ok {
				sum += *v
			}
		}
		for n > 0 {
			at := from & mask
			batch := f.keys[at:min(at+min(batchSize, n), len(f.keys))]
			m.GetMany(batch, add)
			from += len(batch)
			n -= len(batch)
		}
		sink[worker&63].n.Add(uint64(sum))
	}}
}

// getting reads random keys of ours without a guard.
func (f *fixture[K]) getting(name string) contender {
	m := f.ours()
	mask := len(f.keys) - 1
	return contender{name: name, run: func(worker, from, n int) {
		sum := 0
		for i := range n {
			sum += m.get(f.keys[(from+i)&mask])
		}
		sink[worker&63].n.Add(uint64(sum))
	}}
}
