package rangelock_test

import (
	"math/rand/v2"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// TestSearchSizes: in trees of every shape each key is found in its range, and keys
// beside them in none: nodes with any number of keys, and as many ranges as make the
// searches of small, of wider and of tall trees run.
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
				t.Fatalf("Acquire(%d) reports %t with %d ranges [10 i + 3, 10 i + 7)", key, ok, n)
			}
			if !ok {
				continue
			}
			if r := g.Range(); r.Lo != lo {
				t.Fatalf("Acquire(%d) holds %v with %d ranges [10 i + 3, 10 i + 7)", key, r, n)
			}
			g.Release()
		}
	}
	for _, size := range sizes {
		some := size < 10_000 // look at each size, and not only at the last
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
	// Leaves that are not full, after splits in the middle and merges.
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
