package rangelock_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestPageBeside holds a walk that has come to its second leaf and has read the order of the
// ranges there. Then the second of them is retired, and a new range behind all of them takes its
// slot. Read in the old order, the slots give the ranges in a wrong order.
//
// It kills 154_page_believed.
func TestPageBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = rangelock.LeafCap
		var order stoppableOrder
		m := rangelock.NewFunc(order.compare, (*rangelock.Options[int, string])(nil))
		fillTens(m, slices.Repeat([]string{"a"}, n+3)...)
		// All looks for the first range behind the end of the first leaf's last range.
		searching := order.stopAt(t, 10*n+10, 10*n)
		var seen []int
		walking := start("All", func() {
			for r := range m.All() {
				seen = append(seen, r.Lo)
			}
		})
		searching.await(t)
		w := m.Lock()
		if k, err := w.Retire(rg(10*n+10, 10*n+20)); k != 1 || err != nil {
			t.Fatal(k, err)
		}
		must(t, w.Insert(rg(10*n+30, 10*n+40), "x"))
		w.Unlock()
		searching.letGo()
		walking.returns(t)
		if want := []int{10 * n, 10*n + 20, 10*n + 30}; len(seen) < n || !slices.Equal(seen[n:], want) {
			t.Errorf("in the second leaf All yields %v, want %v", seen[min(n, len(seen)):], want)
		}
		usable(t, m)
	})
}

// TestOverSeparator attaches a range that reaches from the end of one leaf over the separator into
// the keys of the next leaf, by Insert and by Swap, from both sides. The separator has to move.
// Otherwise a search for a key behind it ends in the wrong leaf.
//
// It kills 77_raise_missing and 57_lower_missing.
func TestOverSeparator(t *testing.T) {
	const n = rangelock.LeafCap
	for _, how := range []string{"Insert", "Swap"} {
		for shift := -1; shift <= 1; shift++ {
			t.Run(how+map[int]string{-1: "/left", 0: "/middle", 1: "/right"}[shift], func(t *testing.T) {
				m := rangelock.New[int, string](nil)
				fillTens(m, slices.Repeat([]string{"a"}, 4*n)...) // separators at 10*n, 20*n, 30*n
				at := 10 * (2*n + shift)
				r := rg(at-10, at+10)
				if how == "Insert" {
					// One by one: a cut over both leaves would move the separator.
					for _, lo := range []int{at, at - 10} {
						if k, err := m.Remove(bg, rg(lo, lo+10)); k != 1 || err != nil {
							t.Fatal(k, err)
						}
					}
					must(t, m.Insert(bg, r, "new"))
				} else {
					// This makes a gap before the range that is swapped, so that the new range
					// begins before the old one.
					if k, err := m.Remove(bg, rg(at-10, at)); k != 1 || err != nil {
						t.Fatal(k, err)
					}
					must(t, m.Swap(bg, r, "new"))
				}
				for key := range 40 * n {
					want := "a"
					if r.Lo <= key && key < r.Hi {
						want = "new"
					}
					wantTry(t, m, key, want)
				}
				if err := m.Verify(); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
