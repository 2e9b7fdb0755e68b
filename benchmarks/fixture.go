package main

import "runtime"

// fixture is the same ranges in all stores, and keys to ask for.
type fixture[K any] struct {
	kind   *kind[K]
	ranges []ranged[K]
	keys   []K // random, covered by the ranges; a power of two of them
	stores []store[K]
}

// width is how many keys a range of a fixture covers.
const width = 100

// newFixture makes n ranges that touch, or that have gaps of their own width between them.
func newFixture[K any](k *kind[K], n int, gaps bool) *fixture[K] {
	f := &fixture[K]{kind: k, stores: newStores(k)}
	step := 1
	if gaps {
		step = 2
	}
	f.ranges = makeRanges(k, n*step, step)
	f.keys = makeKeys(k, n*step, step)
	for _, s := range f.stores {
		s.load(f.ranges)
	}
	runtime.GC()
	return f
}

// makeRanges returns every step-th of the first n ranges.
func makeRanges[K any](k *kind[K], n, step int) []ranged[K] {
	rs := make([]ranged[K], 0, n/step)
	values := make([]int, n)
	for i := 0; i < n; i += step {
		values[i] = i + 1
		rs = append(rs, ranged[K]{k.key(uint64(i) * width), k.key(uint64(i)*width + width), &values[i]})
	}
	return rs
}

// makeKeys returns random keys in every step-th of the first n ranges.
func makeKeys[K any](k *kind[K], n, step int) []K {
	keys := make([]K, 1<<18)
	if n < 1e5 {
		keys = keys[:1<<16]
	}
	rng := random(0x9E3779B97F4A7C15)
	for i := range keys {
		at := rng.next() % uint64(n*width)
		keys[i] = k.key(at/uint64(width*step)*uint64(width*step) + at%width)
	}
	return keys
}

// missing returns the range that would fill the j-th gap of a fixture.
func missing[K any](k *kind[K], j int, v *int) ranged[K] {
	lo := uint64(2*j+1) * width
	return ranged[K]{k.key(lo), k.key(lo + width), v}
}

func (f *fixture[K]) ours() *ours[K] { return f.stores[0].(*ours[K]) }

// readings are contenders that read random keys of the fixture.
func (f *fixture[K]) readings() []contender {
	cs := make([]contender, len(f.stores))
	for i, s := range f.stores {
		cs[i] = reading(s.name(), f.keys, s)
	}
	return cs
}

func reading[K any](name string, keys []K, s store[K]) contender {
	mask := len(keys) - 1
	return contender{name: name, run: func(worker, from, n int) {
		sum := 0
		for i := range n {
			sum += s.read(keys[(from+i)&mask])
		}
		sink[worker&63].n.Add(uint64(sum))
	}}
}

// random is George Marsaglia's xorshift: the same keys in every run.
type random uint64

func (r *random) next() uint64 {
	*r ^= *r << 13
	*r ^= *r >> 7
	*r ^= *r << 17
	return uint64(*r)
}
