//go:build invariants || race

package rangelock_test

import (
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestLateGuardLingers lets a reader enter when the writer that retires the range has seen no
// reader and has not set the bits yet. The survey must show the range while that guard is held,
// however long that is.
func TestLateGuardLingers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b")
		before := windowAt(t, "rangelock: before the bits of detachment")
		var g intGuard
		retiring := start("Swap", func() {
			if err := m.Swap(bg, rg(10, 20), "c"); err != nil {
				t.Error(err)
			}
		})
		before.await(t)
		g = m.Latecomer(15)
		before.letGo()
		retiring.returns(t)
		if got, want := states(m), "10-20:1x:left 0s ago 0-10:0 10-20:0"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		g.Release()
		synctest.Wait()
		if got, want := states(m), "0-10:0 10-20:0"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// TestLastGuardBesideLingering releases a guard that was acquired after the writer's look, when
// the writer has detached the range and is about to note that a guard is held. The range has been
// through OnRetire then, and its slot may belong to another range.
//
// It kills 84_lingering_buried.
func TestLastGuardBesideLingering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a", "b")
		before := windowAt(t, "rangelock: before the bits of detachment")
		lingers := windowAt(t, "rangelock: a range lingers")
		retiring := start("Retire", func() {
			if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
				t.Error(n, err)
			}
		})
		before.await(t)
		g := m.Latecomer(5)
		before.letGo()
		lingers.await(t)
		g.Release()
		synctest.Wait()
		lingers.letGo()
		retiring.returns(t)
		if rec.String() != "a" {
			t.Errorf("retired are %q, want a", rec)
		}
		if n := m.Lingering(); n != 0 {
			t.Errorf("%d ranges are noted as held", n)
		}
		usable(t, m)
	})
}

// TestDrainRangeLooks lets a range leave while DrainRange looks at the table, into a slot that
// DrainRange has not reached. The range has left after the call, so DrainRange does not wait for
// it.
//
// It kills 267_drain_range_prolonged.
func TestDrainRangeLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 300
		m := rangelock.New[int, string](nil)
		guards := make([]intGuard, n)
		for i := range n {
			must(t, m.Insert(bg, rg(i, i+1), "x"))
			guards[i] = hold(t, m, i)
		}
		_, err := m.Retire(bg, rg(0, n))
		must(t, err)
		guards[n-1].Release()
		must(t, m.Insert(bg, rg(n, n+10), "late"))
		late := hold(t, m, n)

		between := windowAt(t, "rangelock: between two looks at what is pending")
		c := start("DrainRange", func() { must(t, m.DrainRange(bg, rg(n, n+1))) })
		between.await(t)
		_, err = m.Retire(bg, rg(n, n+10))
		must(t, err)
		if length, used, _ := m.Slots(); length != n || used != n {
			t.Errorf("%d slots, %d in use, want %d", length, used, n)
		}
		between.letGo()
		c.returns(t)
		late.Release()
		for i := range n - 1 {
			guards[i].Release()
		}
		must(t, m.Drain(bg))
		usable(t, m)
	})
}
