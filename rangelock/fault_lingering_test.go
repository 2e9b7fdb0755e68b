//go:build invariants || race

package rangelock_test

import (
	"testing"
	"testing/synctest"
)

// TestLateGuardLingers lets a reader in when the writer that retires the range has seen
// none and has not set the bits yet. The survey must show the range for as long as that
// guard is held, be it for days.
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

// TestLastGuardBesideLingering lets the last guard go when the writer has detached the
// range and has not entered it among those that linger. Buried before that, it would
// be entered in its next life and stay for ever.
//
// It kills 84_lingering_buried.
func TestLastGuardBesideLingering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a", "b")
		g := hold(t, m, 5)
		lingers := windowAt(t, "rangelock: a range lingers")
		retiring := start("Retire", func() {
			if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
				t.Error(n, err)
			}
		})
		lingers.await(t)
		g.Release()
		synctest.Wait()
		lingers.letGo()
		retiring.returns(t)
		if rec.String() != "a" {
			t.Errorf("retired are %q, want a", rec)
		}
		if n := m.Lingering(); n != 0 {
			t.Errorf("%d ranges linger", n)
		}
		usable(t, m)
	})
}
