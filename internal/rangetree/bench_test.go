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
				e.Lo, e.Hi = i*10, i*10+10
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
				if t.Find(keys[i&(1<<12-1)]) == nil {
					b.Fatal("not found")
				}
			}
		})
	}
}
