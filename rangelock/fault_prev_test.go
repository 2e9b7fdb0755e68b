//go:build invariants || race

package rangelock_test

import (
	"testing"
	"testing/synctest"
)

// TestPrevGap holds a reader between its search for the key and its search for what is below.
// Meanwhile a transaction takes that away, and puts another range into the gap before it ends.
// The reader must not believe in the gap, which is there in the tree and was never there in the
// map.
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
// was changed meanwhile, and changes something. Then the walk looks at all of the leaf, and must
// leave out what was not asked for.
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
