//go:build invariants || race

package rangelock_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestLoadRetiredAtOnce: the next writer retires the range that was just loaded. It finds the
// callers' guards on the range, though no caller has run yet.
//
// Kills 90_count_after_commit: with the counts added after the transaction the value is retired
// while the callers hold guards.
func TestLoadRetiredAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens()
		h := newGatedLoad()
		a, b := ask(bg, m, 5, h.load), ask(bg, m, 6, h.load)
		synctest.Wait()
		inserted := windowAt(t, "rangelock: a load is inserted")
		h.send <- loaded(0, 10, "v")
		inserted.await(t)
		// The writer is in the queue before the load's transaction ends.
		next := start("Retire", func() {
			if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
				t.Error(n, err)
			}
		})
		next.waits(t)
		a.waits(t)
		told := windowAt(t, "rangelock: a flight tells")
		inserted.letGo()
		told.await(t)
		next.returns(t)
		if rec.String() != "" {
			t.Error("retired before the callers had their guards")
		}
		told.letGo()
		a.gets(t, "v")
		if synctest.Wait(); rec.String() != "" {
			t.Error("retired under a guard")
		}
		b.gets(t, "v")
		if synctest.Wait(); rec.String() != "v" {
			t.Errorf("retired are %q", rec)
		}
		usable(t, m)
	})
}

// TestLoadLandsOnce: a miss that comes while a load is being inserted finds the range,
// and does not load again.
//
// Kills 91_landed_before_insert: when the miss searches, the load call is not in the list any more,
// and the range is not in the tree yet.
func TestLoadLandsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens()
		h := newGatedLoad()
		a := ask(bg, m, 5, h.load)
		a.waits(t)
		back := windowAt(t, "rangelock: a load has returned")
		h.send <- loaded(0, 10, "v")
		back.await(t)
		b := ask(bg, m, 6, noLoad(t)) // before the transaction: joins the load call
		b.waits(t)
		inserted := windowAt(t, "rangelock: a load is inserted")
		back.letGo()
		inserted.await(t)
		c := ask(bg, m, 7, noLoad(t)) // during the transaction: waits for its end
		c.waits(t)
		inserted.letGo()
		a.gets(t, "v")
		b.gets(t, "v")
		c.gets(t, "v")
		usable(t, m)
	})
}

// TestLoadLeaveAtLanding: a caller whose context ends after its guard was counted does not leave.
// It returns with the guard.
//
// Kills 92_leaver_keeps_count: the count stays on the range, and its value is never retired.
func TestLoadLeaveAtLanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens()
		h := newGatedLoad()
		ctx, cancel := context.WithCancel(bg)
		a := ask(ctx, m, 5, h.load)
		a.waits(t)
		inserted := windowAt(t, "rangelock: a load is inserted")
		h.send <- loaded(0, 10, "v")
		inserted.await(t)
		cancel()
		a.waits(t) // for the end of the transaction: the range is not visible before
		inserted.letGo()
		a.gets(t, "v")
		usable(t, m)
	})
}

// TestLoadOverlapGone: a caller comes after the range that was in the way of a load has been removed.
// It is not told ErrOverlap, although the load's own callers have not been told yet.
//
// Kills 42_refused_after_commit: a caller can join the load call after its transaction has ended.
func TestLoadOverlapGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("", "b")
		h := newGatedLoad()
		a := ask(bg, m, 5, h.load)
		a.waits(t)
		brought := windowAt(t, "rangelock: a load has been brought")
		h.send <- loaded(0, 20, "v")
		brought.await(t)
		if n, err := m.Retire(bg, rg(10, 20)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		b := ask(bg, m, 5, h.load)
		b.waits(t)
		brought.letGo()
		a.fails(t, rangelock.ErrOverlap)
		b.waits(t) // for the load that it has started
		h.send <- loaded(0, 20, "v")
		b.gets(t, "v")
		usable(t, m)
	})
}

// TestLoadStaleAtLanding: a load has returned, and its call waits for its turn as a writer behind a
// transaction that invalidates its key, or a part of its range. The load is stale.
//
// Kills 42_window_not_narrowed.
func TestLoadStaleAtLanding(t *testing.T) {
	for _, r := range []intRange{rg(0, 10), rg(5, 6), rg(6, 7), rg(4, 5), rg(9, 100)} {
		synctest.Test(t, func(t *testing.T) {
			m, rec := tens()
			h := newGatedLoad()
			a := ask(bg, m, 5, h.load)
			a.waits(t)
			w := m.Lock()
			h.send <- loaded(0, 10, "old")
			a.waits(t)
			if n, err := w.Retire(r); n != 0 || err != nil {
				t.Fatal(n, err)
			}
			w.Unlock()
			a.waits(t)
			h.send <- loaded(0, 10, "new")
			a.gets(t, "new")
			if synctest.Wait(); rec.String() != "old" {
				t.Errorf("retired are %q", rec)
			}
			usable(t, m)
		})
	}
}
