//go:build invariants || race

package rangelock_test

import (
	"testing"
	"testing/synctest"
)

// TestPrevGap holds a reader between its search for the key and its search for the range below.
// Meanwhile a transaction retires that range, and inserts another into the gap before it ends.
// The reader must not believe the gap: it was in the tree, but never visible in the map.
//
// It kills 234_previous_unproved.
func TestPrevGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "", "c")
		must(t, m.Insert(bg, rg(10, 15), "b"))
		missed := windowAt(t, "rangelock: no range covers the key")
		var g intGuard
		prev := start("AcquirePrev", func() { g, _ = m.AcquirePrev(17) })
		missed.await(t)
		w := m.Lock()
		if n, err := w.Retire(rg(10, 15)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		missed.letGo()
		prev.waits(t)
		must(t, w.Insert(rg(11, 16), "new"))
		w.Unlock()
		prev.returns(t)
		if g.Value() != "new" {
			t.Errorf("AcquirePrev(17) is %v", g.Range())
		}
		g.Release()
		usable(t, m)
	})
}

// TestBackwardLeaf holds a walk backwards between its look at a leaf and its proof that nothing
// has changed meanwhile. The test changes something, so the walk looks at the whole leaf again,
// and must leave out the ranges outside of its bounds.
//
// It kills 239_settled_unbounded.
func TestBackwardLeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b", "c", "d")
		looked := windowAt(t, "rangelock: leaf read backwards")
		var got string
		walk := start("Backward", func() { got = text(m.Backward(rg(15, 25))) })
		looked.await(t)
		must(t, m.Insert(bg, rg(100, 110), "x"))
		looked.letGo()
		walk.returns(t)
		if want := "[20, 30)=c [10, 20)=b"; got != want {
			t.Errorf("Backward yields %s, want %s", got, want)
		}
		usable(t, m)
	})
}
