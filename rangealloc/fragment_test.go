package rangealloc_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// index is a way to keep gaps.
type index interface {
	take(size uint64) (lo uint64, ok bool)
	put(lo, size uint64)
	gaps() (n int, largest uint64)
}

// sortedSlice is the naive index: gaps in a slice by address, and a linear search for the first
// that is large enough.
type sortedSlice []struct{ lo, hi uint64 }

func (s *sortedSlice) take(size uint64) (uint64, bool) {
	for i := range *s {
		g := &(*s)[i]
		if g.hi-g.lo < size {
			continue
		}
		lo := g.lo
		if g.lo += size; g.lo == g.hi {
			*s = slices.Delete(*s, i, i+1)
		}
		return lo, true
	}
	return 0, false
}

func (s *sortedSlice) put(lo, size uint64) {
	i, _ := slices.BinarySearchFunc(*s, lo, func(g struct{ lo, hi uint64 }, lo uint64) int {
		if g.lo < lo {
			return -1
		}
		return 1
	})
	hi := lo + size
	before, after := i > 0 && (*s)[i-1].hi == lo, i < len(*s) && (*s)[i].lo == hi
	switch {
	case before && after:
		(*s)[i-1].hi = (*s)[i].hi
		*s = slices.Delete(*s, i, i+1)
	case before:
		(*s)[i-1].hi = hi
	case after:
		(*s)[i].lo = lo
	default:
		*s = slices.Insert(*s, i, struct{ lo, hi uint64 }{lo, hi})
	}
}

func (s *sortedSlice) gaps() (n int, largest uint64) {
	for _, g := range *s {
		largest = max(largest, g.hi-g.lo)
	}
	return len(*s), largest
}

// trees is the package's index without an allocator.
type trees struct {
	*rangealloc.Gaps
	best bool
}

func (x trees) take(size uint64) (uint64, bool) {
	if x.best {
		return x.Best(size)
	}
	return x.First(size)
}
func (x trees) put(lo, size uint64)           { x.Put(lo, size) }
func (x trees) gaps() (n int, largest uint64) { return x.Count(), x.Largest() }

// whole is an allocator with its map; its gaps are not compared.
type whole struct {
	a    *rangealloc.Allocator[uint64, int]
	free func(lo uint64) error
}

func (x whole) take(size uint64) (uint64, bool) {
	r, err := x.a.Alloc(ctx, size, 1, 0)
	return r.Lo, err == nil
}

func (x whole) put(lo, _ uint64) {
	if err := x.free(lo); err != nil {
		panic(err)
	}
}

func (x whole) gaps() (n int, largest uint64) {
	if err := x.a.Map().Drain(ctx); err != nil {
		panic(err)
	}
	for _, g := range x.a.GapRanges() {
		n++
		largest = max(largest, g.Hi-g.Lo)
	}
	return n, largest
}

// churned is the result of a churn.
type churned struct {
	took    time.Duration // of the churn without the filling
	gaps    int
	largest uint64 // gap
	free    uint64 // keys
	refused int
	hash    uint64 // of all the answers
}

// churn fills about three quarters of n keys with ranges of 1 to 4096 keys, most of them small.
// Then it frees a random range and allocates one, ops times.
func churn(x index, n uint64, ops int) (c churned) {
	rng := rand.New(rand.NewPCG(1, 2))
	type taken struct{ lo, size uint64 }
	var live []taken
	c.free = n
	alloc := func() {
		size := 1 + rng.Uint64N(1<<rng.IntN(13))
		lo, ok := x.take(size)
		if !ok {
			c.refused++
			return
		}
		c.hash = c.hash*1099511628211 ^ lo
		c.free -= size
		live = append(live, taken{lo, size})
	}
	for c.free > n/4 {
		alloc()
	}
	start := time.Now()
	for range ops {
		i := rng.IntN(len(live))
		t := live[i]
		live[i] = live[len(live)-1]
		live = live[:len(live)-1]
		x.put(t.lo, t.size)
		c.free += t.size
		alloc()
	}
	c.took = time.Since(start)
	c.gaps, c.largest = x.gaps()
	return c
}

// TestChurn: over many random steps the trees give the same answers as the naive first fit, and
// the largest gap that best fit leaves is possible.
func TestChurn(t *testing.T) {
	n, ops := uint64(1<<20), 40_000
	if testing.Short() || invariants.Enabled {
		n, ops = 1<<17, 4_000
	}
	first := trees{Gaps: rangealloc.NewGaps(n)}
	got, want := churn(first, n, ops), churn(&sortedSlice{{0, n}}, n, ops)
	got.took, want.took = 0, 0
	if got != want {
		t.Errorf("trees %+v, naive %+v", got, want)
	}
	a := rangealloc.New[uint64, int](rangelock.Span(0, n), nil)
	got = churn(whole{a, func(lo uint64) error { return a.Free(ctx, lo) }}, n, ops)
	if got.took = 0; got != want {
		t.Errorf("allocator %+v, naive %+v", got, want)
	}
	if err := a.CheckGaps(); err != nil {
		t.Error(err)
	}
	best := trees{rangealloc.NewGaps(n), true}
	if c := churn(best, n, ops); c.largest > c.free || c.gaps == 0 {
		t.Errorf("best fit: %+v", c)
	} else {
		t.Logf("first fit: %d gaps, %d refused; best fit: %d gaps, %d refused", want.gaps, want.refused, c.gaps, c.refused)
	}
}

// BenchmarkChurn frees one range and allocates one, a million times for each b.N, with the keys
// three quarters full. Run it with -benchtime=1x. It measures the index alone, and the allocator,
// whose difference is the map's share.
func BenchmarkChurn(b *testing.B) {
	const n, ops = 1 << 24, 1_000_000
	allocator := func() *rangealloc.Allocator[uint64, int] {
		return rangealloc.New[uint64, int](rangelock.Span[uint64](0, n), nil)
	}
	for _, x := range []struct {
		name string
		make func() index
	}{
		{"by=slice/fit=first", func() index { return &sortedSlice{{0, n}} }},
		{"by=trees/fit=first", func() index { return trees{Gaps: rangealloc.NewGaps(n)} }},
		{"by=trees/fit=best", func() index { return trees{rangealloc.NewGaps(n), true} }},
		{"by=allocator/fit=first/free=now", func() index {
			a := allocator()
			return whole{a, func(lo uint64) error { return a.Free(ctx, lo) }}
		}},
		{"by=allocator/fit=first/free=later", func() index {
			a := allocator()
			return whole{a, func(lo uint64) error { return a.FreeLater(ctx, lo) }}
		}},
	} {
		b.Run(x.name, func(b *testing.B) {
			for range b.N {
				c := churn(x.make(), n, ops)
				b.ReportMetric(float64(c.took.Nanoseconds())/ops, "ns/pair")
				b.ReportMetric(float64(c.gaps), "gaps")
				b.ReportMetric(100*(1-float64(c.largest)/float64(c.free)), "%fragmented")
				b.ReportMetric(float64(c.refused), "refused")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// TestAllocations: in the steady state a pair of Alloc and FreeLater allocates little, because
// the map and the trees reuse their nodes.
func TestAllocations(t *testing.T) {
	if invariants.Enabled || debugBuild {
		t.Skip("a checking build has other sizes and allocates in its checks")
	}
	a := rangealloc.New[uint64, int](rangelock.Span[uint64](0, 1<<20), nil)
	for range 100 {
		if _, err := a.Alloc(ctx, 10, 1, 0); err != nil {
			t.Fatal(err)
		}
	}
	for name, free := range map[string]func(lo uint64) error{
		"Free":      func(lo uint64) error { return a.Free(ctx, lo) },
		"FreeLater": func(lo uint64) error { return a.FreeLater(ctx, lo) },
	} {
		n := testing.AllocsPerRun(2000, func() {
			r, err := a.Alloc(ctx, 64, 64, 0)
			if err == nil {
				err = free(r.Lo)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%s: %v allocations", name, n)
		if n > 1 {
			t.Errorf("%s: %v allocations in a pair", name, n)
		}
	}
}
