package rangelock_test

import (
	"cmp"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/rangelock"
)

// TestTortureStorm lines up refused readers that undo their count with a writer that is about to
// park: four goroutines only call TryAcquire and Release on one range while a writer excludes it
// again and again. Each Exclude must end.
//
//	awaitSlow that parks before it looks                       2, not run
//	releaseSlow without the Wake                              10, not run
//	undo without releaseSlow                                   0, 10
//
// Without the look before the add none of 20 runs fails, because on two processors the count is
// zero often enough. TestTortureLook checks that look.
func TestTortureStorm(t *testing.T) {
	atEachProcs(t, 1, func(t *testing.T, rng *rand.Rand) {
		m := rangelock.New[int, int](nil)
		m.Insert(t.Context(), rangelock.Span(0, 10), 1)
		read := func(rng *rand.Rand) {
			for range 64 {
				if g, err := m.TryAcquire(5); err == nil {
					if rng.IntN(64) == 0 {
						runtime.Gosched()
					}
					g.Release()
				}
			}
		}
		write := func(*rand.Rand) {
			w := m.Lock()
			if err := w.Exclude(rangelock.Span(0, 10)); err != nil {
				t.Error(err)
			}
			w.Unlock()
		}
		crowd(t, rng, byBuild(300, 50), write, read, read, read, read)
	})
}

// TestTortureLook checks that a reader that comes to an excluded or a full range only looks at
// its state word. It adds no count that it would have to take back, so no number of refused
// readers can hold the count above zero. Without the look before the add, in enter or in
// enterPinned, the test fails each time.
func TestTortureLook(t *testing.T) {
	if !invariants.Enabled {
		t.Skip("a normal build does not call the hook in the windows")
	}
	for name, m := range map[string]*rangelock.Map[int, int]{
		"ordered": rangelock.New[int, int](nil),
		"func":    rangelock.NewFunc[int, int](cmp.Compare[int], nil),
	} {
		t.Run(name, func(t *testing.T) {
			m.Insert(t.Context(), rangelock.Span(0, 10), 1)
			looked, undone := 0, 0
			invariants.SetHook(func(point string) {
				switch point {
				case "rangelock: range found":
					looked++
				case "rangelock: refused, before the undo":
					undone++
				}
			})
			defer invariants.SetHook(nil)
			w := m.Lock()
			if err := w.Exclude(rangelock.Span(0, 10)); err != nil {
				t.Fatal(err)
			}
			if _, err := m.TryAcquire(5); err != rangelock.ErrBusy {
				t.Errorf("TryAcquire of an excluded range: %v", err)
			}
			w.Unlock()
			m.SetReaders(5, rangelock.Limit)
			if _, err := m.TryAcquire(5); err != rangelock.ErrBusy {
				t.Errorf("TryAcquire of a full range: %v", err)
			}
			if looked != 2 || undone != 0 {
				t.Errorf("%d readers looked and %d took a count back, want 2 and 0", looked, undone)
			}
		})
	}
}
