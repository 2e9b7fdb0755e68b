package rangelock_test

import (
	"math/rand/v2"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// TestSearchSizes checks in trees of many sizes that each key is found in its range, and that keys
// beside the ranges are found in none. The nodes have any number of keys, and the numbers of
// ranges are such that the searches of small, of wider and of tall trees run.
func TestSearchSizes(t *testing.T) {
	sizes := []int{3000, 33_000, 70_000, 140_000}
	if testing.Short() || rangelock.LeafCap < 32 {
		sizes = []int{600}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	m := rangelock.New[uint64, int](nil)
	n := 0
	check := func(i int) {
		t.Helper()
		lo := uint64(i)*10 + 3
		for key := lo - 1; key <= lo+4; key++ {
			g, ok := m.Acquire(key)
			if want := i < n && key >= lo && key < lo+4; ok != want {
				t.Fatalf("Acquire(%d) returns %t in a map of %d ranges [10 i + 3, 10 i + 7)", key, ok, n)
			}
			if !ok {
				continue
			}
			if r := g.Range(); r.Lo != lo {
				t.Fatalf("Acquire(%d) finds %v in a map of %d ranges [10 i + 3, 10 i + 7)", key, r, n)
			}
			g.Release()
		}
	}
	for _, size := range sizes {
		some := size < 10_000 // check each size on the way, and not only the last
		w := m.Lock()
		for n < size {
			if err := w.Insert(rangelock.Span(uint64(n)*10+3, uint64(n)*10+7), 0); err != nil {
				t.Fatal(err)
			}
			n++
			if some {
				w.Unlock()
				for range 10 {
					check(rng.IntN(n + 1))
				}
				check(n - 1)
				w = m.Lock()
			}
		}
		w.Unlock()
		for i := range n + 1 {
			check(i)
		}
	}
	// Now the leaves are not full, after splits in the middle and merges.
	for range 20 {
		for range n / 100 {
			i := rng.IntN(n)
			lo := uint64(i)*10 + 3
			if k, err := m.Retire(bg, rangelock.Span(lo, lo+4)); err != nil || k != 1 {
				t.Fatalf("Retire of range %d = %d, %v", i, k, err)
			}
			if err := m.Insert(bg, rangelock.Span(lo, lo+4), 0); err != nil {
				t.Fatal(err)
			}
		}
		for range 1000 {
			check(rng.IntN(n + 1))
		}
	}
}
