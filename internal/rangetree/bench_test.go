package rangetree_test

import (
	"math/rand/v2"
	"testing"

	"github.com/spanlock/spanlock/internal/rangetree"
)

// BenchmarkFind searches trees of ranges that touch, loaded in order, for random keys.
func BenchmarkFind(b *testing.B) {
	for _, n := range []int{100, 1_000, 100_000, 1_000_000} {
		b.Run(map[int]string{100: "n=100", 1_000: "n=1000", 100_000: "n=100000", 1_000_000: "n=1000000"}[n], func(b *testing.B) {
			var t rangetree.Tree[uint64]
			rangetree.InitOrdered(&t)
			build := t.Append()
			for i := range uint64(n) {
				e := new(entry[uint64])
				t.Set(&e.Entry, i*10, i*10+10, false)
				build.Add(&e.Entry)
			}
			build.Publish()
			keys := make([]uint64, 1<<12)
			for i := range keys {
				keys[i] = rand.Uint64N(uint64(n) * 10)
			}
			i := 0
			for b.Loop() {
				i++
				if e, _ := t.Find(keys[i&(1<<12-1)]); e == nil {
					b.Fatal("not found")
				}
			}
		})
	}
}

// BenchmarkGrow inserts ranges that touch in random order.
func BenchmarkGrow(b *testing.B) {
	const n = 100_000
	order := rand.Perm(n)
	es := make([]entry[uint64], n)
	for b.Loop() {
		var t rangetree.Tree[uint64]
		rangetree.InitOrdered(&t)
		for _, i := range order {
			e := &es[i].Entry
			lo := uint64(i) * 10
			t.Set(e, lo, lo+10, false)
			var s rangetree.Slot[uint64]
			if t.Place(&s, lo, lo+10, false) != nil {
				b.Fatal("something is in the way")
			}
			t.Insert(&s, e)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/insert")
}
