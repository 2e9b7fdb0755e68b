package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestLoadNothingStale checks that Load of an empty sequence also panics on a Writer that has ended
// (P8).
func TestLoadNothingStale(t *testing.T) {
	nothing := func(func(intRange, string) bool) {}
	wantPanic(t, "Load of the zero Writer", func() { intWriter{}.Load(nothing) })
	m, _ := tens("a")
	w := m.Lock()
	w.Unlock()
	wantPanic(t, "Load after Unlock", func() { w.Load(nothing) })
}

// TestDrainNotProlonged checks that Drain does not wait for ranges that leave after it was called,
// beside another Drain that waits and after one that was cancelled.
func TestDrainNotProlonged(t *testing.T) {
	for _, cancelled := range []bool{false, true} {
		t.Run(fmt.Sprintf("cancelled=%t", cancelled), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, rec := tens("a", "b")
				a, b := hold(t, m, 5), hold(t, m, 15)
				if _, err := m.Retire(bg, rg(0, 10)); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(bg)
				defer cancel()
				first := start("the first Drain", func() { m.Drain(ctx) })
				first.waits(t)
				if cancelled {
					cancel()
					first.returns(t)
				}
				second := drains(t, m)
				second.waits(t)
				if _, err := m.Retire(bg, rg(10, 20)); err != nil {
					t.Fatal(err)
				}
				a.Release()
				first.returns(t)
				if !second.returned() {
					t.Errorf("retired are %q: Drain waits for a range that left after it was called", rec)
				}
				b.Release()
				second.returns(t)
			})
		})
	}
}

// TestCostOverflow checks that costs whose sum overflows an int64 exceed every MaxPending, and are
// allowed where MaxPending is 0.
func TestCostOverflow(t *testing.T) {
	for _, bound := range []int64{0, math.MaxInt64} {
		m := rangelock.New(&rangelock.Options[int, string]{
			MaxPending: bound,
			Cost:       func(intRange, string) int64 { return math.MaxInt64 },
		})
		fillTens(m, "a", "b")
		func() {
			defer func() {
				if x := recover(); x != nil {
					t.Errorf("Retire with MaxPending %d panics: %v", bound, x)
				}
			}()
			n, err := m.Retire(bg, rg(0, 20))
			if bound == 0 && (n != 2 || err != nil) || bound != 0 && !errors.Is(err, rangelock.ErrBacklog) {
				t.Errorf("Retire with MaxPending %d = %d, %v", bound, n, err)
			}
		}()
		func() {
			defer func() {
				if x := recover(); x != nil {
					t.Errorf("Close with MaxPending %d panics: %v", bound, x)
				}
			}()
			if err := m.Close(bg); err != nil {
				t.Error(err)
			}
		}()
	}
}
