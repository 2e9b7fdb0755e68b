package rangelock_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestLeafImmutable holds a walk over the map between its search in a leaf and its
// reading of that leaf, and has a range inserted before all others there. If the
// leaf is edited in place its ranges move on by one under the walk, which then
// yields a range a second time.
//
// It kills 20_tree_in_place.
func TestLeafImmutable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order stoppableOrder
		m := rangelock.NewFunc(order.compare, (*rangelock.Options[int, string])(nil))
		fillTens(m, "", "b", "", "d")
		// All looks for what starts after the end of the last range, which starts at 30.
		searching := order.stopAt(t, 30, 40)
		var walked string
		walking := start("All", func() { walked = text(m.All()) })
		searching.await(t)
		must(t, m.Insert(bg, rg(-10, 0), "x"))
		searching.letGo()
		walking.returns(t)
		if want := "[10, 20)=b [30, 40)=d"; walked != want {
			t.Errorf("All yields %q, want %q", walked, want)
		}
		usable(t, m)
	})
}

// TestOverSeparator attaches a range that reaches from one leaf's end over the
// separator into the keys of the next, by Insert and by Swap, from both sides. The
// separator has to move, or a search for a key behind it ends in the wrong leaf.
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
					// A gap before the range that is swapped, so that the new one starts
					// before it.
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
