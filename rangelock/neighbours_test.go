package rangelock_test

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// sameWalk compares what a walk yields with the entries that it should yield.
func sameWalk(t *testing.T, name string, seq iter.Seq2[rangelock.Range[int], int], want []entry) {
	t.Helper()
	i := 0
	for r, v := range seq {
		if i >= len(want) || want[i].v != v || want[i].r.String() != r.String() {
			t.Fatalf("%s yields %v %d at %d, want %v", name, r, v, i, want)
		}
		i++
	}
	if i != len(want) {
		t.Fatalf("%s yields %d ranges, want %v", name, i, want)
	}
}

// checkNeighbours compares the walks and the neighbours with those of the model.
func checkNeighbours(t *testing.T, m *rangelock.Map[int, int], ref *model, rng *rand.Rand, space int) {
	t.Helper()
	key := rng.IntN(space+20) - 10
	r := rangelock.Span(key, key+1+rng.IntN(space))
	if rng.IntN(8) == 0 {
		r = rangelock.From(key)
	}
	in := ref.overlapping(r)
	sameWalk(t, fmt.Sprintf("AllIn(%v)", r), m.AllIn(r), in)
	back := slices.Clone(in)
	slices.Reverse(back)
	sameWalk(t, fmt.Sprintf("Backward(%v)", r), m.Backward(r), back)

	all := ref.overlapping(rangelock.From(math.MinInt))
	same := func(name string, r rangelock.Range[int], v int, ok bool, want []entry) {
		t.Helper()
		if ok != (len(want) > 0) || ok && (r.String() != want[0].r.String() || v != want[0].v) {
			t.Fatalf("%s = %v, %d, %t, want %v", name, r, v, ok, want)
		}
	}
	first, v, ok := m.First()
	same("First", first, v, ok, all[:min(1, len(all))])
	last, v, ok := m.Last()
	same("Last", last, v, ok, all[max(0, len(all)-1):])
	if a, b, also := m.Bounds(); also != ok || ok && (a != first || b != last) {
		t.Fatalf("Bounds = %v, %v, %t, want %v, %v, %t", a, b, also, first, last, ok)
	}

	var below, above, at []entry // the nearest one first
	for _, e := range all {
		switch {
		case !e.r.Unbounded && e.r.Hi <= key:
			below = []entry{e}
		case e.r.Lo > key && above == nil:
			above = []entry{e}
		case e.r.Lo <= key:
			at = []entry{e}
		}
	}
	prev := at
	if prev == nil {
		prev = below
	}
	g, ok := m.AcquirePrev(key)
	if ok {
		same(fmt.Sprintf("AcquirePrev(%d)", key), g.Range(), g.Value(), ok, prev)
		g.Release()
	} else if len(prev) > 0 {
		t.Fatalf("AcquirePrev(%d) finds nothing, want %v", key, prev)
	}
	var gaps []rangelock.Range[int]
	end := r.Lo
	for _, e := range in {
		if end < e.r.Lo {
			gaps = append(gaps, rangelock.Span(end, e.r.Lo))
		}
		if end = e.r.Hi; e.r.Unbounded {
			end = math.MaxInt
		}
	}
	if r.Unbounded && end != math.MaxInt {
		gaps = append(gaps, rangelock.From(end))
	} else if !r.Unbounded && end < r.Hi {
		gaps = append(gaps, rangelock.Span(end, r.Hi))
	}
	stable := func(name string, x interface {
		Before(int) (rangelock.Range[int], int, bool)
		After(int) (rangelock.Range[int], int, bool)
		Gaps(rangelock.Range[int]) iter.Seq[rangelock.Range[int]]
	}) {
		t.Helper()
		r1, v1, ok1 := x.Before(key)
		same(fmt.Sprintf("%s.Before(%d)", name, key), r1, v1, ok1, below)
		r1, v1, ok1 = x.After(key)
		same(fmt.Sprintf("%s.After(%d)", name, key), r1, v1, ok1, above)
		if got := slices.Collect(x.Gaps(r)); !slices.Equal(got, gaps) {
			t.Fatalf("%s.Gaps(%v) = %v, want %v", name, r, got, gaps)
		}
	}
	rd := m.RLock()
	stable("Reader", rd)
	rd.Unlock()
	w := m.Lock()
	stable("Writer", w)
	w.Unlock()
}

// TestWalksStop leaves each walk after its first step, and starts each with a range that is not
// valid.
func TestWalksStop(t *testing.T) {
	m, _ := tens("a", "", "c", "", "e")
	w := m.Lock()
	defer w.Unlock()
	count := func(name string, seq iter.Seq2[intRange, string], want int) {
		t.Helper()
		n := 0
		for range seq {
			n++
			break
		}
		if n != want {
			t.Errorf("%s has %d steps, want %d", name, n, want)
		}
	}
	count("AllIn", m.AllIn(rg(0, 50)), 1)
	count("Backward", m.Backward(rg(0, 50)), 1)
	count("AllIn of nothing", m.AllIn(rg(5, 5)), 0)
	count("Backward of nothing", m.Backward(rg(5, 5)), 0)
	for gap := range w.Gaps(rg(0, 50)) {
		if gap != rg(10, 20) {
			t.Errorf("the first gap is %v", gap)
		}
		break
	}
	for gap := range w.Gaps(rg(5, 5)) {
		t.Errorf("a range that is not valid has the gap %v", gap)
	}
	empty := rangelock.New[int, string](nil)
	if _, _, ok := empty.First(); ok {
		t.Error("an empty map has a first range")
	}
	if _, _, ok := empty.Last(); ok {
		t.Error("an empty map has a last range")
	}
	if _, ok := empty.AcquirePrev(5); ok {
		t.Error("an empty map has a range before 5")
	}
	nan := rangelock.New[float64, string](nil)
	if _, ok := nan.AcquirePrev(math.NaN()); ok {
		t.Error("there is a range before NaN")
	}
	wantPanic(t, "Gaps of an ended transaction", func() {
		w := empty.Lock()
		w.Unlock()
		w.Gaps(rg(0, 1))
	})
}

// TestBackwardBeside changes the map while it is walked backwards. No range is yielded that overlaps
// the one yielded before, and each range that stays is yielded once.
//
// It kills 233_backward_overlaps.
func TestBackwardBeside(t *testing.T) {
	for at := range 60 {
		for _, change := range []func(w intWriter) error{
			func(w intWriter) error { return w.Put(rg(10*at-15, 10*at+5), "over the last one") },
			func(w intWriter) error { return w.Put(rg(10*at-15, 10*at), "up to the last one") },
			func(w intWriter) error { return evict(w, rg(10*at-25, 10*at)) },
			func(w intWriter) error { return second(w.Clear()) },
		} {
			m := plainTens(nil)
			w := m.Lock()
			for i := range 60 {
				if err := w.Insert(rg(10*i, 10*i+10), "v"); err != nil {
					t.Fatal(err)
				}
			}
			w.Unlock()
			last := 1 << 20
			seen := 0
			for r := range m.Backward(rangelock.From(-100)) {
				if r.Hi > last {
					t.Fatalf("%v is yielded after a range that begins at %d", r, last)
				}
				last = r.Lo
				if seen++; r == rg(10*at, 10*at+10) {
					if err := m.Do(bg, change); err != nil {
						t.Fatal(err)
					}
				}
			}
			if want := 60 - at; seen < want || m.Len() > 0 && seen < 55 {
				t.Errorf("changed at %d: %d ranges are yielded", at, seen)
			}
		}
	}
}

// A table of networks: the example finds the network that has an address, its neighbours, and the
// free ranges.
func ExampleReader_Gaps() {
	nets := rangelock.New[int, string](nil)
	w := nets.Lock()
	for lo, name := range map[int]string{0: "lab", 40: "office", 80: "guests"} {
		if err := w.Insert(rangelock.Span(lo, lo+20), name); err != nil {
			fmt.Println(err)
		}
	}
	w.Unlock()

	r := nets.RLock()
	defer r.Unlock()
	_, below, _ := r.Before(30)
	_, above, _ := r.After(30)
	fmt.Println("30 lies between", below, "and", above)
	for gap := range r.Gaps(rangelock.Span(0, 100)) {
		fmt.Println("free:", gap)
	}
	// Output:
	// 30 lies between lab and office
	// free: [20, 40)
	// free: [60, 80)
}

// The last release before a version, and all of them from the newest on.
func ExampleMap_Backward() {
	releases := rangelock.New[int, string](nil)
	w := releases.Lock()
	for i, name := range []string{"1.0", "1.1", "2.0"} {
		if err := w.Insert(rangelock.Span(10*i, 10*i+5), name); err != nil {
			fmt.Println(err)
		}
	}
	w.Unlock()
	if g, ok := releases.AcquirePrev(17); ok {
		fmt.Println("at 17 it was", g.Value())
		g.Release()
	}
	for r, name := range releases.Backward(rangelock.Span(0, 30)) {
		fmt.Println(r, name)
	}
	// Output:
	// at 17 it was 1.1
	// [20, 25) 2.0
	// [10, 15) 1.1
	// [0, 5) 1.0
}

// evict is Evict without the list of evicted ranges.
func evict(w intWriter, r intRange) error {
	_, err := w.Evict(r)
	return err
}
