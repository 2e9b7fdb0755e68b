package rangelock_test

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestDrainRange checks for which of the ranges that have left DrainRange waits, with and without
// an OnRetire.
func TestDrainRange(t *testing.T) {
	for _, x := range []struct {
		name  string
		r     intRange
		waits string // those that it waits for, of [0, 10)=a [10, 20)=b [20, 30)=c, which have left and have guards
	}{
		{"one", rg(0, 10), "a"},
		{"part of one", rg(12, 13), "b"},
		{"its last key", rg(19, 20), "b"},
		{"two", rg(19, 21), "bc"},
		{"all", rangelock.From(-100), "abc"},
		{"none", rg(-5, 0), ""},
		{"behind them", rangelock.From(30), ""},
		{"one that is in the map", rg(30, 35), ""},
	} {
		for _, with := range []bool{true, false} {
			t.Run(x.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, _ := tens("a", "b", "c", "d")
					if !with {
						m = rangelock.New[int, string](nil)
						fillTens(m, "a", "b", "c", "d")
					}
					var guards []intGuard
					for i := range 4 {
						guards = append(guards, hold(t, m, 10*i+5))
					}
					_, err := m.Retire(bg, rg(0, 30))
					must(t, err)
					must(t, m.Insert(bg, rg(0, 30), "new")) // this range is in the map: DrainRange does not wait for it
					guards = append(guards, hold(t, m, 5))

					err = m.DrainRange(endedContext(), x.r)
					if (x.waits == "") != (err == nil) || err != nil && !errors.Is(err, context.Canceled) {
						t.Errorf("with an ended context: %v", err)
					}
					c := start("DrainRange", func() { must(t, m.DrainRange(bg, x.r)) })
					waits := x.waits
					for i, v := range "abc" {
						if len(waits) > 0 {
							c.waits(t)
						} else {
							c.returns(t)
						}
						guards[i].Release()
						waits = strings.TrimPrefix(waits, string(v))
					}
					c.returns(t)
					if _, used, watched := m.Slots(); used != 0 || watched != 0 {
						t.Errorf("%d slots in use, %d watched", used, watched)
					}
					guards[3].Release()
					guards[4].Release()
					usable(t, m)
				})
			})
		}
	}
}

// TestDrainRangeOnRetire checks that DrainRange waits until OnRetire has returned, not only until
// it is called, and checks the text of its error.
func TestDrainRangeOnRetire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		m := rangelock.New(&rangelock.Options[int, string]{OnRetire: func(intRange, string) { <-open }})
		fillTens(m, "a", "b", "c")
		g := hold(t, m, 15)
		_, err := m.Retire(bg, rg(0, 20))
		must(t, err)
		c := start("DrainRange", func() { must(t, m.DrainRange(bg, rg(5, 6))) })
		c.waits(t)
		wantText := func(r intRange, want string) {
			t.Helper()
			ctx, cancel := context.WithTimeout(bg, time.Second)
			defer cancel()
			err := m.DrainRange(ctx, r)
			var e *rangelock.WaitError[int]
			if !errors.As(err, &e) || e.For != rangelock.ForRetire || e.Range != r || err.Error() != want {
				t.Errorf("DrainRange(%v) = %v, want %s", r, err, want)
			}
		}
		wantText(rg(5, 6), "rangelock: gave up waiting for OnRetire over [5, 6) after 1s: context deadline exceeded")
		wantText(rg(5, 15), "rangelock: gave up waiting for OnRetire over [5, 15) after 1s; still held: [10, 20): context deadline exceeded")
		if w := m.Stats().Waits; len(w) != 1 || w[0].String() != "OnRetire over [5, 6) for 2s" {
			t.Errorf("waits: %v", w)
		}
		if _, _, watched := m.Slots(); watched != 1 {
			t.Errorf("%d slots are watched by the one DrainRange that was not given up", watched)
		}
		close(open)
		c.returns(t)
		g.Release()
		must(t, m.Drain(bg))
		usable(t, m)
	})
}

// TestDrainRangeNotProlonged lets a range over the same keys leave while DrainRange waits.
// DrainRange does not wait for it, even if it gets the slot of a range that DrainRange has waited
// for.
func TestDrainRangeNotProlonged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b")
		a, b := hold(t, m, 5), hold(t, m, 15)
		retire := func(r intRange) {
			t.Helper()
			_, err := m.Retire(bg, r)
			must(t, err)
		}
		retire(rg(0, 20))
		c := start("DrainRange", func() { must(t, m.DrainRange(bg, rg(0, 20))) })
		c.waits(t)
		a.Release()
		synctest.Wait()
		must(t, m.Insert(bg, rg(0, 10), "A"))
		late := hold(t, m, 5)
		retire(rg(0, 10))
		if length, used, _ := m.Slots(); length != 2 || used != 2 {
			t.Errorf("%d slots, %d in use: the slot of a is not used again", length, used)
		}
		c.waits(t)
		b.Release()
		c.returns(t)
		late.Release()
		must(t, m.Drain(bg))
		usable(t, m)
	})
}

// TestDrainRangeTable checks a table of many slots. DrainRange waits for the range in the last
// slot, later ranges get slots that are free again, and in the end the table is empty.
func TestDrainRangeTable(t *testing.T) {
	const n = 3000
	synctest.Test(t, func(t *testing.T) {
		m := rangelock.New[int, string](nil)
		guards := make([]intGuard, n)
		for i := range n {
			must(t, m.Insert(bg, rg(i, i+1), "x"))
			guards[i] = hold(t, m, i)
		}
		_, err := m.Retire(bg, rangelock.From(0))
		must(t, err)
		c := start("DrainRange", func() { must(t, m.DrainRange(bg, rg(n-1, n+5))) })
		c.waits(t)
		for i := range n - 1 {
			guards[i].Release()
		}
		c.waits(t)
		for i := range n - 1 {
			must(t, m.Insert(bg, rg(i, i+1), "x"))
			guards[i] = hold(t, m, i)
		}
		_, err = m.Retire(bg, rangelock.From(0))
		must(t, err)
		if length, used, _ := m.Slots(); length != n || used != n {
			t.Errorf("%d slots, %d in use, want %d", length, used, n)
		}
		c.waits(t)
		guards[n-1].Release()
		c.returns(t)
		for i := range n - 1 {
			guards[i].Release()
		}
		must(t, m.Drain(bg))
		if length, used, watched := m.Slots(); length != 0 || used != 0 || watched != 0 {
			t.Errorf("nothing is pending: %d slots, %d in use, %d watched", length, used, watched)
		}
		usable(t, m)
	})
}

// TestDrainRangePanics checks that a compare that panics leaves nothing behind.
func TestDrainRangePanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := false
		m := rangelock.NewFunc(func(a, b int) int {
			if bad && (a == 15 || b == 15) {
				panic("rangelock: not really, this is the test's")
			}
			return cmp.Compare(a, b)
		}, &rangelock.Options[int, string]{})
		var guards []intGuard
		for _, lo := range []int{0, 5, 15} {
			must(t, m.Insert(bg, rg(lo, lo+5), "x"))
			guards = append(guards, hold(t, m, lo))
		}
		_, err := m.Retire(bg, rg(0, 20))
		must(t, err)
		bad = true
		wantPanic(t, "DrainRange", func() { m.DrainRange(bg, rg(0, 100)) })
		bad = false
		if _, used, watched := m.Slots(); used != 3 || watched != 0 {
			t.Errorf("%d slots in use, %d watched", used, watched)
		}
		for i := range guards {
			guards[i].Release()
		}
		must(t, m.DrainRange(bg, rg(0, 100)))
		usable(t, m)
	})
}

// TestDrainRangeBadRange checks that DrainRange refuses ranges that are not valid, with their
// bounds.
func TestDrainRangeBadRange(t *testing.T) {
	m, _ := tens("a")
	for _, r := range []intRange{rg(5, 5), rg(7, 3)} {
		err := m.DrainRange(bg, r)
		var e *rangelock.RangeError[int]
		if !errors.Is(err, rangelock.ErrBadRange) || !errors.As(err, &e) || e.Op != "DrainRange" || e.Range != r {
			t.Errorf("DrainRange(%v) = %v", r, err)
		}
	}
}
