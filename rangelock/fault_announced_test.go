//go:build invariants || race

package rangelock_test

import (
	"cmp"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestAnnouncedBeforeBit holds a writer that is about to exclude a range. Then the range
// becomes an announced one, with a reader. The writer must see in the word that it has set
// its bit in that it has to look at the lines, and so wait for that guard.
//
// It kills 29_announced_before_bit.
func TestAnnouncedBeforeBit(t *testing.T) {
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
		announcing(t, m)
		g := hold(t, m, 5)
		before.letGo()
		excluding.waits(t)
		g.Release()
		excluding.returns(t)
		w.Unlock()
		usable(t, m)
	})
}

// TestLateAnnounced is TestLateReleaser for an announced range, in its strict form: the
// header's next life is detached, too, and would be finished but for a guard in a line,
// which the word does not show. The late releaser has looked at the lines for the life
// before.
//
// It kills 26_finish_no_generation.
func TestLateAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a")
		announcing(t, m)
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
		announcing(t, m)
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

// TestAnnouncedWhileLeaving holds a reader that has found a range, and another one that is
// about to set the flag announced, until the range is out of the tree and its writer has seen
// that nobody announces it. Then the first reader announces itself and is in. The writer has
// not excluded the range, so it must not finish it by what it has seen.
//
// It kills 163_look_before_excluded.
func TestAnnouncedWhileLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := rangelock.NewFunc[int, string](cmp.Compare[int], nil)
		must(t, m.Insert(bg, rg(0, 10), "a"))
		found := windowAt(t, "rangelock: range found")
		setting := windowAt(t, "rangelock: before a range is announced")
		leaving := windowAt(t, "rangelock: before a range leaves")
		var g intGuard
		acquiring := start("Acquire", func() { g, _ = m.Acquire(5) })
		found.await(t)
		meeting := start("Announcing", func() { m.Announcing(5) })
		setting.await(t)
		retiring := start("Retire", func() {
			if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
				t.Error(n, err)
			}
		})
		leaving.await(t)
		setting.letGo()
		meeting.returns(t)
		found.letGo()
		acquiring.returns(t)
		leaving.letGo()
		retiring.returns(t)
		draining := start("Drain", func() { must(t, m.Drain(bg)) })
		draining.waits(t)
		if v := g.Value(); v != "a" {
			t.Errorf("the value under a guard is %q", v)
		}
		g.Release()
		draining.returns(t)
		usable(t, m)
	})
}
