package rangealloc_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// naive is an allocator that keeps one cell per key: the number of the range that has the key.
// Keys are numbered from the lowest key.
type naive struct {
	base  int64 // the low bits of the lowest key
	cells []int // 0: free; n: range n; -n: range n, which is being freed
}

// runs yields the stretches of free cells.
func (m *naive) runs(yield func(lo, hi int) bool) {
	for lo := 0; lo < len(m.cells); lo++ {
		hi := lo
		for hi < len(m.cells) && m.cells[hi] == 0 {
			hi++
		}
		if hi > lo && !yield(lo, hi) {
			return
		}
		lo = hi
	}
}

// way is a way to choose the place of an allocation.
type way int

const (
	first way = iota
	best
	top
)

// choose returns the start of an allocation that begins at low or higher and ends at high or
// lower, or -1 if it does not fit.
func (m *naive) choose(size, align int, by way, low, high int) int {
	at, in := -1, len(m.cells)+1
	m.runs(func(lo, hi int) bool {
		whole := hi - lo
		lo, hi = max(lo, low), min(hi, high)
		for p := lo; p+size <= hi; p++ {
			if (m.base+int64(p))&int64(align-1) != 0 {
				continue
			}
			if by == top {
				at = p
				continue
			}
			if at < 0 || by == best && whole < in {
				at, in = p, whole
			}
			break
		}
		return true
	})
	return at
}

func (m *naive) fill(lo, size, n int) {
	for i := range size {
		m.cells[lo+i] = n
	}
}

// TestModel does the same random operations with an allocator and with a naive one, over keys of
// several kinds, at both ends of each kind. After each step it compares the answers, the gaps and
// the ranges. Gaps, ranges and keys that are being freed must together be all the keys.
func TestModel(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 2
	}
	for range seeds {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			runModel[uint8](t, seed, rangelock.From[uint8](0), 256)
			runModel[uint8](t, seed, rangelock.Span[uint8](3, 255), 252)
			runModel[int8](t, seed, rangelock.From[int8](-128), 256)
			runModel[int8](t, seed, rangelock.Span[int8](-128, 127), 255)
			runModel[int16](t, seed, rangelock.Span[int16](-50, 70), 120)
			runModel[uint32](t, seed, rangelock.From[uint32](math.MaxUint32-99), 100)
			runModel[uint64](t, seed, rangelock.From[uint64](math.MaxUint64-149), 150)
			runModel[int64](t, seed, rangelock.From[int64](math.MaxInt64-149), 150)
			runModel[int](t, seed, rangelock.Span(math.MinInt, math.MinInt+200), 200)
			runModel[uintptr](t, seed, rangelock.Span[uintptr](0, 90), 90)
		})
	}
}

func runModel[K rangealloc.Integer](t *testing.T, seed uint64, all rangelock.Range[K], keys int) {
	for _, withOnRetire := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := &modelRun[K]{
				T: t, all: all, rng: rand.New(rand.NewPCG(seed, uint64(keys))),
				naive: naive{base: int64(all.Lo), cells: make([]int, keys)},
				live:  make(map[int]stretch),
				held:  make(map[int]*rangelock.Guard[K, int]),
			}
			var o rangelock.Options[K, int]
			if withOnRetire {
				o.OnRetire = func(_ rangelock.Range[K], n int) { r.retired = append(r.retired, n) }
			}
			r.a = rangealloc.New(all, &o)
			for step := range 250 {
				what := r.step(step + 1)
				synctest.Wait()
				r.compare()
				if t.Failed() {
					t.Fatalf("seed %d, %T, OnRetire %v, step %d: %s", seed, all.Lo, withOnRetire, step, what)
				}
			}
			for _, g := range r.held {
				g.Release()
			}
			if err := r.a.Close(ctx); err != nil {
				t.Error(err)
			}
			if got := r.a.GapRanges(); !slices.Equal(got, []rangelock.Range[K]{all}) || r.a.Expected() != 0 {
				t.Errorf("after Close: gaps %v", got)
			}
			slices.Sort(r.retired)
			if withOnRetire && !slices.Equal(r.retired, r.allocated) {
				t.Errorf("retired %v, want %v", r.retired, r.allocated)
			}
		})
	}
}

// stretch is where a range of the model lies.
type stretch struct{ lo, size int }

type modelRun[K rangealloc.Integer] struct {
	*testing.T
	all   rangelock.Range[K]
	rng   *rand.Rand
	a     *rangealloc.Allocator[K, int]
	naive naive
	live  map[int]stretch                  // what is allocated or being freed, by its number
	held  map[int]*rangelock.Guard[K, int] // guards, by the number of the range

	allocated, retired []int // numbers
}

// at returns the range of size cells that begins at lo.
func (r *modelRun[K]) at(lo, size int) rangelock.Range[K] {
	if lo+size == len(r.naive.cells) {
		q := r.all
		q.Lo += K(lo)
		return q
	}
	return rangelock.Span(r.all.Lo+K(lo), r.all.Lo+K(lo)+K(size))
}

func (r *modelRun[K]) allocate(lo, size, n int) {
	r.naive.fill(lo, size, n)
	r.live[n] = stretch{lo, size}
	r.allocated = append(r.allocated, n)
}

// step does one operation to both, and describes it. n is the number for a new range.
func (r *modelRun[K]) step(n int) string {
	switch op := r.rng.IntN(12); {
	case op < 4 || op > 9:
		size, align := 1+r.rng.IntN(20), 1<<r.rng.IntN(6)
		if r.rng.IntN(10) == 0 {
			size = 1 + r.rng.IntN(min(len(r.naive.cells), 127))
		}
		if op == 11 {
			return r.evict(size, align, n)
		}
		var got rangelock.Range[K]
		var err error
		by, low, high := way(op), 0, len(r.naive.cells)
		switch op {
		case 0:
			got, err = r.a.Alloc(ctx, K(size), K(align), n)
		case 1:
			got, err = r.a.AllocBest(ctx, K(size), K(align), n)
		case 2:
			got, err = r.a.AllocTop(ctx, K(size), K(align), n)
		case 3:
			by, low = first, r.rng.IntN(high)
			high = low + 1 + r.rng.IntN(high-low)
			got, err = r.a.AllocIn(ctx, r.at(low, high-low), K(size), K(align), n)
		case 10:
			by = first
			got, err = r.a.AllocFunc(ctx, K(size), K(align), func(q rangelock.Range[K]) (int, error) {
				if _, ok := r.a.Map().Get(q.Lo); ok {
					r.Errorf("%v is seen", q)
				}
				return n, nil
			})
		}
		lo := r.naive.choose(size, align, by, low, high)
		switch {
		case lo < 0 && !errors.Is(err, rangealloc.ErrNoSpace):
			r.Errorf("%v, %v, want ErrNoSpace", got, err)
		case lo >= 0 && (err != nil || got != r.at(lo, size)):
			r.Errorf("%v, %v, want %v", got, err, r.at(lo, size))
		case lo >= 0:
			r.allocate(lo, size, n)
		}
		return fmt.Sprintf("alloc %d aligned to %d, by %v in [%d, %d)", size, align, by, low, high)
	case op < 5:
		lo := r.rng.IntN(len(r.naive.cells))
		size := 1 + r.rng.IntN(min(20, len(r.naive.cells)-lo))
		err := r.a.AllocAt(ctx, r.at(lo, size), n)
		free := !slices.ContainsFunc(r.naive.cells[lo:lo+size], func(c int) bool { return c != 0 })
		if free != (err == nil) || !free && !errors.Is(err, rangelock.ErrOverlap) {
			r.Errorf("%v, all free: %v", err, free)
		}
		if free {
			r.allocate(lo, size, n)
		}
		return fmt.Sprintf("alloc at %v", r.at(lo, size))
	}
	// The other operations need a range.
	if len(r.live) == 0 {
		return "nothing"
	}
	numbers := make([]int, 0, len(r.live))
	for n := range r.live {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	n = numbers[r.rng.IntN(len(numbers))]
	s := r.live[n]
	lo := r.all.Lo + K(s.lo)
	g, freed := r.held[n], r.naive.cells[s.lo] < 0
	switch op := r.rng.IntN(5); {
	case op == 4 && !freed:
		err := r.a.TryFree(lo)
		if g != nil {
			if !errors.Is(err, rangelock.ErrBusy) {
				r.Errorf("TryFree under a guard: %v", err)
			}
		} else {
			if err != nil {
				r.Error(err)
			}
			r.naive.fill(s.lo, s.size, 0)
			delete(r.live, n)
		}
		return fmt.Sprintf("try to free %d", n)
	case g != nil && (freed || op < 2):
		g.Release()
		delete(r.held, n)
		if freed {
			r.naive.fill(s.lo, s.size, 0)
			delete(r.live, n)
		}
		return fmt.Sprintf("release %d", n)
	case g == nil && op == 0:
		g, ok := r.a.Map().Acquire(lo + K(r.rng.IntN(s.size)))
		if !ok || g.Value() != n || g.Range() != r.at(s.lo, s.size) {
			r.Fatalf("acquire %d: %v", n, ok)
		}
		r.held[n] = &g
		return fmt.Sprintf("acquire %d", n)
	case g == nil && op == 1:
		if err := r.a.Free(ctx, lo); err != nil {
			r.Error(err)
		}
		r.naive.fill(s.lo, s.size, 0)
		delete(r.live, n)
		return fmt.Sprintf("free %d", n)
	default:
		if err := r.a.FreeLater(ctx, lo); err != nil {
			r.Error(err)
		}
		if g != nil {
			r.naive.fill(s.lo, s.size, -n)
		} else {
			r.naive.fill(s.lo, s.size, 0)
			delete(r.live, n)
		}
		return fmt.Sprintf("free %d later", n)
	}
}

// evict allocates with the ranges as candidates in the order of their age; some are named twice
// and some not at all.
func (r *modelRun[K]) evict(size, align, n int) string {
	numbers := make([]int, 0, len(r.live))
	for n := range r.live {
		if r.rng.IntN(8) > 0 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	var named []K
	plan := naive{base: r.naive.base, cells: slices.Clone(r.naive.cells)}
	lo, high := plan.choose(size, align, first, 0, len(plan.cells)), len(plan.cells)
	var victims []int
	most := 2*r.a.Map().Len() + 1 // AllocEvict asks for no more
	for _, v := range numbers {
		s := r.live[v]
		if lo >= 0 || len(named) == most {
			break
		}
		named = append(named, r.all.Lo+K(s.lo))
		if r.held[v] == nil && plan.cells[s.lo] > 0 {
			plan.fill(s.lo, s.size, 0)
			victims = append(victims, v)
			lo = plan.choose(size, align, first, 0, high)
		}
	}
	asked := 0
	got, err := r.a.AllocEvict(ctx, K(size), K(align), n, func() (K, bool) {
		if asked++; asked <= len(named) {
			return named[asked-1], true
		}
		return 0, false
	})
	if lo < 0 {
		if !errors.Is(err, rangealloc.ErrNoSpace) {
			r.Errorf("%v, %v, want ErrNoSpace", got, err)
		}
	} else {
		if err != nil || got != r.at(lo, size) || asked != len(named) {
			r.Errorf("%v, %v, asked %d times, want %v, %d", got, err, asked, r.at(lo, size), len(named))
		}
		for _, v := range victims {
			delete(r.live, v)
		}
		r.naive.cells = plan.cells
		r.allocate(lo, size, n)
	}
	return fmt.Sprintf("evict %v for %d aligned to %d", victims, size, align)
}

// compare compares the gaps and the ranges with the model's.
func (r *modelRun[K]) compare() {
	if err := r.a.CheckGaps(); err != nil {
		r.Error(err)
	}
	for _, n := range r.retired {
		if s, ok := r.live[n]; ok {
			r.Errorf("range %d at %v is retired, but has an owner or a guard", n, s)
		}
	}
	var gaps []rangelock.Range[K]
	r.naive.runs(func(lo, hi int) bool {
		gaps = append(gaps, r.at(lo, hi-lo))
		return true
	})
	if got := r.a.GapRanges(); !slices.Equal(got, gaps) {
		r.Errorf("gaps %v, want %v", got, gaps)
	}
	n := 0
	for q, v := range r.a.Map().All() {
		n++
		if s, ok := r.live[v]; !ok || r.naive.cells[s.lo] != v || q != r.at(s.lo, s.size) {
			r.Errorf("range %d at %v, want %v", v, q, s)
		}
	}
	for _, s := range r.live {
		if r.naive.cells[s.lo] > 0 {
			n--
		}
	}
	if n != 0 {
		r.Errorf("%d ranges too many in the map", n)
	}
}
