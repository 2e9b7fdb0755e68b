//go:build invariants || race

package rangelock_test

import (
	"cmp"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestAnnouncedBeforeBit holds a writer that is about to exclude a range. Then the range becomes
// announced, and gets a reader. The writer must look for announced in the state word after it has
// set excluded. There it sees that it has to look at the lines, so it waits for the guard.
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

// TestLateAnnounced is TestLateReleaser for an announced range, in its strict form: the header's
// next life is detached, too. Only a guard in a line, which the state word does not show, keeps that
// life from being finished. The late releaser has looked at the lines for the life before.
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

// TestAnnouncedWhileLeaving holds a reader that has found a range, and another reader that is about
// to set the flag announced. They wait until the range is out of the tree and its writer has seen
// that the range is not announced. Then the flag is set, and the first reader announces itself and
// has a guard. The writer has not excluded the range, so what it has seen does not allow it to
// finish the range.
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

// TestAnnouncedOfLife holds a reader that has found an announced range and is about to write its
// mark. Meanwhile the header becomes another range, which is announced, too. The reader must see
// that its mark is not of that life.
//
// It kills 164_life_not_compared.
func TestAnnouncedOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		announcing(t, m)
		looked := windowAt(t, "rangelock: range looked at")
		reader := start("TryAcquire", func() {
			if g, err := m.TryAcquire(5); err == nil {
				t.Errorf("TryAcquire(5) has entered %v", g.Range())
				g.Release()
			}
		})
		looked.await(t)
		nextLife(t, m, "b")
		if g := hold(t, m, 55); !m.Announces(55) {
			t.Fatal("the readers of the next range do not announce themselves")
		} else {
			g.Release()
		}
		looked.letGo()
		reader.returns(t)
		tidy(t, m)
	})
}

// TestAnnouncedInLives holds a refused reader that has not removed its mark, until the header is so
// many lives on that its marks are the same again. Then a caller waits for the range, and the reader
// must wake it: what a reader must do depends on the state word that it finds, and not on the life
// in which it came.
//
// It kills 109_leaves_silently and 165_duties_of_own_life.
func TestAnnouncedInLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		announcing(t, m)
		looked := windowAt(t, "rangelock: range looked at")
		refused := windowAt(t, "rangelock: refused in a line")
		reading := start("TryAcquire", func() { wantTry(t, m, 5, rangelock.ErrBusy) }) // it does not queue
		looked.await(t)
		m.SetGeneration(5, 1<<16)
		looked.letGo()
		refused.await(t)
		acquiring, e := exclusively(t, m, 5)
		acquiring.waits(t) // for the mark
		refused.letGo()
		acquiring.returns(t)
		reading.returns(t)
		e.Release()
		tidy(t, m)
	})
}

// TestLeftBeforeBits holds a writer that has seen a guard on a range that leaves, and is about to
// set excluded and detached. Then the last guard is released, and its release has nothing to do. So
// the writer must look again.
//
// It kills 166_no_look_after_bits.
func TestLeftBeforeBits(t *testing.T) {
	for name, retire := range map[string]intRange{"one": rg(0, 10), "several": rg(0, 20)} {
		for _, inLine := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/announced=%t", name, inLine), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, _ := tens("a", "b")
					if inLine {
						announcing(t, m)
					}
					g := hold(t, m, 5)
					before := windowAt(t, "rangelock: before the bits of detachment")
					retiring := start("Retire", func() {
						if _, err := m.Retire(bg, retire); err != nil {
							t.Error(err)
						}
					})
					before.await(t)
					g.Release()
					before.letGo()
					retiring.returns(t)
					start("Drain", func() { must(t, m.Drain(bg)) }).returns(t)
					tidy(t, m)
				})
			})
		}
	}
}

// TestLineWhileLeaving holds the last release of a range that has a queue. The range leaves a map
// without OnRetire while no reader is in it: without a queue it could be finished at once. The
// waiter must be requeued.
//
// It kills 167_line_finished_at_once.
func TestLineWhileLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := rangelock.NewFunc[int, string](cmp.Compare[int], nil)
		must(t, m.Insert(bg, rg(0, 10), "a"))
		g := hold(t, m, 5)
		acquiring := start("AcquireExclusive", func() {
			if _, ok := m.AcquireExclusive(5); ok {
				t.Error("an exclusive guard on a range that has left")
			}
		})
		acquiring.waits(t)
		given := windowAt(t, "rangelock: a count given back")
		releasing := start("Release", g.Release)
		given.await(t)
		if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		acquiring.returns(t)
		given.letGo()
		releasing.returns(t)
		tidy(t, m)
	})
}

// TestCountedInAnnounced holds a reader of an announced range that has found its line full, has
// counted itself, and is refused. A writer waits for its count. When the reader takes the count
// back it must wake the writer.
//
// It kills 168_counted_no_undo.
func TestCountedInAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		m.FillLines()
		announcing(t, m)
		looked := windowAt(t, "rangelock: range looked at")
		refused := windowAt(t, "rangelock: refused, before the undo")
		reading, g := shared(t, m, 5)
		looked.await(t)
		w := m.Lock()
		if !w.TryExclude(rg(0, 10)) {
			t.Fatal("TryExclude of a range without guards")
		}
		looked.letGo()
		refused.await(t)
		excluding := start("Exclude", func() { must(t, w.Exclude(rg(0, 10))) })
		excluding.waits(t)
		refused.letGo()
		excluding.returns(t)
		w.Unlock()
		reading.returns(t)
		g.Release()
		tidy(t, m)
	})
}
