package main

// lookup is row 1.
func lookup(b *bench) {
	for _, n := range b.scale.sizes {
		lookupKind(b, uint64Kind, n)
		lookupKind(b, bytesKind, n)
		lookupKind(b, stringKind, n)
	}
	for _, n := range b.scale.grown {
		f := grownFixture(uint64Kind, n)
		for _, g := range []int{1, 2} {
			s := b.about("lookup in what has grown in random order", "keys", "uint64", "n", n, "g", g)
			s.compare(b.duel(g, f.readings()...), map[string]*bound{"rwmutex": atMost(0.75)})
		}
	}
}

func lookupKind[K any](b *bench, k *kind[K], n int) {
	f := newFixture(k, n, false)
	for _, g := range []int{1, 2} {
		s := b.about("lookup", "keys", k.name, "n", n, "g", g)
		s.compare(b.duel(g, f.readings()...), lookupTargets(k.name, n, g))
	}
}

// lookupTargets returns the targets of row 1 for n ranges and g goroutines.
func lookupTargets(keys string, n, g int) map[string]*bound {
	t := map[string]*bound{"snapshot": atMost(0.5)}
	rwmutex := func(one, two float64) {
		if g == 2 {
			one = two
		}
		t["rwmutex"] = atMost(one)
	}
	switch {
	case keys != "uint64" && n == 1000:
		rwmutex(0.40, 0.36)
	case keys != "uint64":
	case n == 100:
		rwmutex(0.33, 0.28)
	case n == 1000:
		rwmutex(0.38, 0.32)
		t["tidwall"] = atMost(0.40)
	case n >= 100_000:
		rwmutex(0.55, 0.45)
		if n == 100_000 {
			t["tidwall"] = atMost(0.80)
		}
	}
	return t
}

// bareLookup is row 2.
func bareLookup(b *bench) {
	f := newFixture(uint64Kind, 1000, false)
	s := b.about("lookup", "keys", "uint64", "n", 1000, "g", 1)
	s.compare(b.duel(1, f.readings()[0], f.bare()), map[string]*bound{bareName: atMost(0.4)})
}

const bareName = "bare search"

// bare is one search of the rivals' tree, without a lock and without a read of the value.
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
