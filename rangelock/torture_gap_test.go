package rangelock_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// TestTortureNoGap lines up readers that search with a transaction that has taken a range out of
// the tree and has not yet put the next one in, or has not yet ended. The transactions use Swap,
// Update, and Retire or Remove followed by Insert of other pieces. The keys are covered before
// and after each transaction, so no reader may miss one.
//
//	proveMiss that believes any miss                          10, 10
//	proveMiss that does not look whether seq is odd           10, 10
//	proveMiss that does not look whether pub has changed       0, 9
//	detach that finishes a range with guards on it            10, 10
//	nodes used again without their grace period               10, 5 of 5
//	commit that stores the state word                          1, 0
func TestTortureNoGap(t *testing.T) {
	const first, keys, width = 1000, 640, 4
	atEachProcs(t, byBuild(60, 8), func(t *testing.T, rng *rand.Rand) {
		m := rangelock.New[int, int](nil)
		w := m.Lock()
		for k := first; k < first+keys; k += width {
			w.Insert(rangelock.Span(k, k+width), 0)
		}
		w.Unlock()
		must := func(err error) {
			if err != nil {
				t.Error(err)
			}
		}
		write := func(rng *rand.Rand) {
			w := m.Lock()
			defer w.Unlock()
			for range 1 + rng.IntN(3) {
				// A block that is always one range, two or four.
				lo := first + rng.IntN(keys/(2*width))*2*width
				r := rangelock.Span(lo, lo+2*width)
				take := w.Retire
				switch rng.IntN(5) {
				case 0:
					must(w.Swap(r, 0))
					continue
				case 1:
					must(w.Update(lo+rng.IntN(2*width), 0))
					continue
				case 2:
					must(w.Exclude(r))
					continue
				case 3:
					take = w.Remove
				}
				_, err := take(r)
				must(err)
				n := width >> rng.IntN(2)
				for k := r.Lo; k < r.Hi; k += n {
					must(w.Insert(rangelock.Span(k, k+n), 0))
				}
			}
		}
		read := func(rng *rand.Rand) {
			key := first + rng.IntN(keys)
			ok := true
			var g rangelock.Guard[int, int]
			var err error
			switch rng.IntN(5) {
			case 0:
				if g, ok = m.Acquire(key); ok {
					g.Release()
				}
			case 1:
				if g, err = m.TryAcquire(key); err == nil {
					g.Release()
				}
				ok = err != rangelock.ErrNotFound
			case 2:
				if g, err = m.AcquireContext(context.Background(), key); err == nil {
					g.Release()
				}
				ok = err == nil
			case 3:
				_, ok = m.Get(key)
			case 4:
				ok = m.View(key, func(rangelock.Range[int], int) {})
			}
			if !ok {
				t.Errorf("the reader finds no range for %d, which was covered at all times", key)
			}
		}
		crowd(t, rng, 200, write, read, read)
		if err := m.Verify(); err != nil {
			t.Error(err)
		}
	})
}

// TestTortureNeverThere lines up readers that search with a transaction that inserts a range and
// takes it out again: no reader may find the range. The headers are recycled fast, so the test
// also lines up a reader that has found a header with the header's next life.
//
//	newHeader without the excluded bit                        10, 9
//	look that does not look at the excluded bit                8, 10
func TestTortureNeverThere(t *testing.T) {
	const keys = 64
	atEachProcs(t, byBuild(60, 8), func(t *testing.T, rng *rand.Rand) {
		m := rangelock.New[int, int](nil)
		w := m.Lock()
		for k := 0; k < keys; k++ { // even tens stay
			w.Insert(rangelock.Span(20*k, 20*k+10), 0)
		}
		w.Unlock()
		write := func(rng *rand.Rand) {
			w := m.Lock()
			defer w.Unlock()
			for range 1 + rng.IntN(3) {
				lo := 20*rng.IntN(keys) + 10
				r := rangelock.Span(lo, lo+10)
				if err := w.Insert(r, 1); err != nil {
					t.Error(err)
				}
				if rng.IntN(2) == 0 {
					w.Update(lo, 2)
				}
				if rng.IntN(2) == 0 {
					w.Swap(r, 3)
				}
				take := w.Remove
				if rng.IntN(2) == 0 {
					take = w.Retire
				}
				if n, err := take(r); n != 1 || err != nil {
					t.Errorf("take out %v: %d, %v", r, n, err)
				}
			}
		}
		read := func(rng *rand.Rand) {
			key := 20*rng.IntN(keys) + 10 + rng.IntN(10)
			found := false
			switch rng.IntN(3) {
			case 0:
				_, found = m.Acquire(key)
			case 1:
				_, err := m.TryAcquire(key)
				found = err == nil
			case 2:
				_, found = m.Get(key)
			}
			if found {
				t.Errorf("found a range for %d, which was there only within a transaction", key)
			}
		}
		crowd(t, rng, 200, write, read, read)
	})
}
