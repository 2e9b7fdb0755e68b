package rangelock_test

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// TestTortureAtomic lines up readers with transactions of several operations that must become
// visible together. Transaction v writes v into three ranges, by random operations: the ranges
// at clock and at last, and one that is at left when v is even and at right otherwise. A reader
// that has seen v in one range must afterwards see v or more in each range. A reader that finds
// v at clock twice must find between those two looks exactly what transaction v has left.
//
//	enter that keeps a refused add                            10, 10
//	newHeader without the excluded bit                        10, 10
//	proveMiss that does not look whether seq is odd           10, 10
//	proveMiss that does not look whether pub has changed       2, 10
//	undo without releaseSlow                                   0, 10
func TestTortureAtomic(t *testing.T) {
	const clock, left, right, last = 100, 3100, 1100, 2100
	atEachProcs(t, byBuild(60, 8), func(t *testing.T, rng *rand.Rand) {
		m := rangelock.New[int, *int](nil)
		w := m.Lock()
		for k := 0; k < 4000; k += 50 {
			if k != left && k != right {
				w.Insert(rangelock.Span(k, k+10), new(int))
			}
		}
		w.Insert(rangelock.Span(left, left+10), new(int))
		w.Unlock()

		version := 0
		must := func(err error) {
			if err != nil {
				t.Error(err)
			}
		}
		renew := func(rng *rand.Rand, w rangelock.Writer[int, *int], key int) {
			r := rangelock.Span(key, key+10)
			v := version
			switch rng.IntN(4) {
			case 0:
				must(w.Update(key, &v))
			case 1:
				must(w.Swap(r, &v))
			case 2:
				_, err := w.Retire(r)
				must(err)
				must(w.Insert(r, &v))
			case 3: // in place; only a reader with a guard may look at it
				must(w.Exclude(r))
				_, p, _ := w.Find(key)
				*p = v
			}
		}
		write := func(rng *rand.Rand) {
			w := m.Lock()
			defer w.Unlock()
			version++
			from, to := left, right
			if version%2 == 0 {
				from, to = to, from
			}
			v := version
			steps := []func(){
				func() { renew(rng, w, clock) },
				func() { renew(rng, w, last) },
				func() { must(w.Insert(rangelock.Span(to, to+10), &v)) },
				func() { _, err := w.Retire(rangelock.Span(from, from+10)); must(err) },
			}
			rng.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
			for _, step := range steps {
				step()
			}
		}
		// look returns the version in a range, or -1.
		look := func(rng *rand.Rand, key int) int {
			if rng.IntN(2) == 0 {
				v := -1
				m.View(key, func(_ rangelock.Range[int], p *int) { v = *p })
				return v
			}
			for {
				g, err := m.TryAcquire(key)
				if err == nil {
					defer g.Release()
					return *g.Value()
				}
				if err == rangelock.ErrNotFound {
					return -1
				}
				runtime.Gosched()
			}
		}
		read := func(rng *rand.Rand) {
			v1 := look(rng, clock)
			places := []int{left, right, last}
			rng.Shuffle(3, func(i, j int) { places[i], places[j] = places[j], places[i] })
			var seen [3]int
			for i, key := range places {
				seen[i] = look(rng, key)
			}
			v2 := look(rng, clock)
			newest := v1
			for i, key := range places {
				if seen[i] >= 0 && seen[i] < newest {
					t.Errorf("version %d at %d after version %d elsewhere", seen[i], key, newest)
				}
				newest = max(newest, seen[i])
				if v1 != v2 {
					continue
				}
				want := v1
				if key == left && v1%2 != 0 || key == right && v1%2 == 0 {
					want = -1
				}
				if seen[i] != want {
					t.Errorf("version %d at %d, want %d, between two looks that found version %d", seen[i], key, want, v1)
				}
			}
			if v2 < newest {
				t.Errorf("version %d of the clock after version %d elsewhere", v2, newest)
			}
		}
		crowd(t, rng, 200, write, read, read)
	})
}
