//go:build invariants || race

package rangelock_test

import (
	"testing"
	"testing/synctest"
)

// promote makes the range at 5 hot.
func promote(t *testing.T, m *intMap) {
	t.Helper()
	if !m.Promote(5) {
		t.Fatal("the range is not hot")
	}
}

// TestPromotedBeforeBit holds a writer that is about to exclude a cold range. Then the
// range becomes hot, and a reader counts in one of its stripes. The writer must look
// for stripes after it has set its bit, and so wait for that guard.
//
// It kills 29_stripes_before_bit.
func TestPromotedBeforeBit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		before := windowAt(t, "rangelock: before the bit of exclusion")
		w := m.Lock()
		excluding := start("Exclude", func() {
			if err := w.Exclude(rg(0, 10)); err != nil {
				t.Error(err)
			}
		})
		before.await(t)
		promote(t, m)
		g := hold(t, m, 5)
		before.letGo()
		excluding.waits(t)
		g.Release()
		excluding.returns(t)
		w.Unlock()
		usable(t, m)
	})
}

// TestLateStripeReleaser is TestLateReleaser for a hot range, in its strict form: the
// header's next life is detached, too, and would be finished but for a guard in a
// stripe, which the word does not show. The late releaser has looked at the stripes of
// the life before.
//
// It kills 26_finish_no_generation.
func TestLateStripeReleaser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a")
		promote(t, m)
		g := hold(t, m, 5)
		retiring, detached := retireHeld(t, m)
		late := windowAt(t, "rangelock: before the finishing swap")
		releasing := start("Release", g.Release)
		late.await(t)
		detached.letGo()
		retiring.returns(t)
		start("Drain", func() { m.Drain(bg) }).returns(t)
		if rec.String() != "a" {
			t.Fatalf("retired are %q, want a", rec)
		}
		if err := m.Insert(bg, rg(0, 10), "b"); err != nil {
			t.Fatal(err)
		}
		promote(t, m)
		next := hold(t, m, 5)
		if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		late.letGo()
		releasing.returns(t)
		synctest.Wait()
		if rec.String() != "a" {
			t.Fatalf("the late releaser has retired the header's next life, under a guard: %q", rec)
		}
		next.Release()
		synctest.Wait()
		if rec.String() != "ab" && rec.String() != "a b" {
			t.Errorf("retired are %q, want a b", rec)
		}
		usable(t, m)
	})
}

// TestColdAgain holds a reader that has seen the range hot, and is about to add to a
// stripe; then the range becomes cold. Nobody is in the reader's way, so it enters, though
// a transaction is under way elsewhere for which it would wait if it fell back.
//
// It kills 100_cold_again_falls_back.
func TestColdAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b")
		promote(t, m)
		before := windowAt(t, "rangelock: before a stripe")
		w := m.Lock()
		must(t, w.Exclude(rg(10, 20)))
		var g intGuard
		acquiring := start("Acquire", func() { g, _ = m.Acquire(5) })
		before.await(t)
		m.Sweep()
		if n := m.Stats().Hot; n != 0 {
			t.Fatalf("%d hot ranges after the sweep", n)
		}
		before.letGo()
		acquiring.returns(t)
		if w.TryExclude(rg(0, 10)) {
			t.Error("TryExclude with a guard on the range")
		}
		g.Release()
		w.Unlock()
		usable(t, m)
	})
}

// TestSetMovesOn holds the last releaser of a detached hot range when it has seen which
// set the range has, and not yet looked at it. A sweep takes the set away, and another
// range gets it, with a reader. That reader owes nothing to the first range: the releaser
// must finish it, or nobody will.
//
// It kills 85_set_moves_on.
func TestSetMovesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a", "b")
		promote(t, m)
		g := hold(t, m, 5)
		if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		look := windowAt(t, "rangelock: before the look at a set")
		releasing := start("Release", g.Release)
		look.await(t)
		m.Sweep()
		synctest.Wait() // the grace period is over: nobody is pinned
		if n := m.IdleSets(); n != 1 {
			t.Fatalf("%d idle sets", n)
		}
		if !m.Promote(15) || m.IdleSets() != 0 {
			t.Fatal("the other range has not got the set")
		}
		other := hold(t, m, 15)
		look.letGo()
		releasing.returns(t)
		start("Drain", func() { m.Drain(bg) }).returns(t)
		if rec.String() != "a" {
			t.Errorf("retired are %q, want a", rec)
		}
		other.Release()
		usable(t, m)
	})
}
