//go:build invariants || race

package rangelock_test

import (
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestLoadTogether removes all ranges and loads the same ones again in one transaction. It holds
// the end of the transaction at each point where readers could see a part of it, and looks for
// keys that have a range before and after.
//
// It kills 157_load_after_even.
func TestLoadTogether(t *testing.T) {
	for _, point := range []string{"rangelock: a load published by commit", "rangelock: before the stamp of limbo"} {
		t.Run(point, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := rangelock.New[int, string](nil)
				fillTens(m, "a", "b", "c")
				w := m.Lock()
				if n, err := w.Clear(); n != 3 || err != nil {
					t.Fatal(n, err)
				}
				if n, err := w.Load(rising(0, 3)); n != 3 || err != nil {
					t.Fatal(n, err)
				}
				at := windowAt(t, point)
				ending := start("Unlock", w.Unlock)
				at.await(t)
				for _, key := range []int{5, 15, 25} {
					wantTry(t, m, key, "new")
				}
				at.letGo()
				ending.returns(t)
				usable(t, m)
			})
		})
	}
}
