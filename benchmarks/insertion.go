package main

import (
	"runtime"
	"time"
)

// insertion is the part of row 12 about maps that are built range by range: all in one
// transaction, because the rival, a google/btree, has no lock; and with a transaction for each.
func insertion(b *bench) {
	n := b.scale.inserted
	inOrder := makeRanges(uint64Kind, n, 1)
	for _, how := range []string{"in order", "in random order"} {
		rs, target := inOrder, 1.2
		if how != "in order" {
			rs, target = shuffled(inOrder), 1.0
		}
		s := b.about("insertion one by one", "n", n, "order", how)
		o := &bout{times: make(map[string][]float64), names: []string{"ours", "google/btree", "ours, a transaction each", "counted", "snapshot"}}
		for range min(b.scale.rounds, 5) {
			for _, name := range o.names {
				runtime.GC()
				o.add(name, timeInsertion(name, rs), n)
			}
		}
		s.compare(o, map[string]*bound{"google/btree": atMost(target)})
	}
}

// timeInsertion inserts the ranges into a new store of that name.
func timeInsertion(name string, rs []ranged[uint64]) time.Duration {
	one := func(s store[uint64]) time.Duration {
		var c [1]change[uint64]
		start := time.Now()
		for i := range rs {
			c[0] = change[uint64]{insert, rs[i]}
			s.apply(c[:], 0)
		}
		return time.Since(start)
	}
	switch name {
	case "google/btree":
		t := newTree(uint64Kind)
		start := time.Now()
		t.load(rs)
		return time.Since(start)
	case "counted":
		return one(newCounted(uint64Kind))
	case "snapshot":
		// One change for each range would copy a path of the tree a million times.
		return insertAll(newSnapshot(uint64Kind), rs)
	case "ours":
		return insertAll[uint64](newOurs(uint64Kind, nil), rs)
	}
	return one(newOurs(uint64Kind, nil))
}

// insertAll inserts the ranges with one call of apply.
func insertAll[K any](s store[K], rs []ranged[K]) time.Duration {
	cs := make([]change[K], len(rs))
	for i := range rs {
		cs[i] = change[K]{insert, rs[i]}
	}
	start := time.Now()
	s.apply(cs, 0)
	return time.Since(start)
}

// shuffled returns the ranges in random order.
func shuffled[K any](rs []ranged[K]) []ranged[K] {
	rs = append([]ranged[K](nil), rs...)
	rng := random(0x9E3779B97F4A7C15)
	for i := len(rs) - 1; i > 0; i-- {
		j := int(rng.next() % uint64(i+1))
		rs[i], rs[j] = rs[j], rs[i]
	}
	return rs
}

// grownFixture is ours and one rival, with n ranges that touch and were inserted in random
// order, some at a time.
func grownFixture[K any](k *kind[K], n int) *fixture[K] {
	f := &fixture[K]{kind: k, stores: []store[K]{newOurs(k, nil), newRWMutex(k)}}
	f.ranges, f.keys = makeRanges(k, n, 1), makeKeys(k, n, 1)
	for _, s := range f.stores {
		for rs := shuffled(f.ranges); len(rs) > 0; {
			some := min(len(rs), 1000)
			insertAll(s, rs[:some])
			rs = rs[some:]
		}
	}
	runtime.GC()
	return f
}
