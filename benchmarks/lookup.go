package main

// lookup is row 1.
func lookup(b *bench) {
	for _, n := range b.scale.sizes {
		lookupKind(b, uint64Kind, n)
		lookupKind(b, bytesKind, n)
		lookupKind(b, stringKind, n)
	}
}

func lookupKind[K any](b *bench, k *kind[K], n int) {
	f := newFixture(k, n, false)
	for _, g := range []int{1, 2} {
		s := b.about("lookup", "keys", k.name, "n", n, "g", g)
		rw := 0.50
		if g == 2 {
			rw = 0.35
		}
		s.compare(b.duel(g, f.readings()...), map[string]*bound{
			"rwmutex":  atMost(rw),
			"snapshot": atMost(0.8),
		})
	}
}

// bareLookup is row 2.
func bareLookup(b *bench) {
	f := newFixture(uint64Kind, 1000, false)
	s := b.about("lookup", "keys", "uint64", "n", 1000, "g", 1)
	s.compare(b.duel(1, f.readings()[0], f.bare()), map[string]*bound{bareName: atMost(0.5)})
}

const bareName = "bare search"

// bare is one search of the rivals' tree, without a lock and without a look at what it
// has found.
func (f *fixture[K]) bare() contender {
	t := newTree(f.kind)
	t.load(f.ranges)
	mask := len(f.keys) - 1
	return contender{name: bareName, run: func(worker, from, n int) {
		found := 0
		for i := range n {
			if t.floor(f.keys[(from+i)&mask]).s != nil {
				found++
			}
		}
		sink[worker&63].n.Add(uint64(found))
	}}
}
