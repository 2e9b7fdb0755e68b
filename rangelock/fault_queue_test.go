//go:build invariants || race

package rangelock_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestTurnBesidePassing holds a refused reader that has not taken its count back yet. A caller
// that wants an exclusive guard waits for it. The undo, which is the last to leave, grants the
// guard.
//
// It kills 108_releaser_no_turn.
func TestTurnBesidePassing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		looked := windowAt(t, "rangelock: range looked at")
		undoing := windowAt(t, "rangelock: refused, before the undo")
		var reader intGuard
		reading := start("Acquire", func() { reader, _ = m.Acquire(5) })
		looked.await(t)
		e := alone(t, m, 5)
		looked.letGo()
		undoing.await(t)
		second, e2 := exclusively(t, m, 5)
		second.waits(t)
		e.Release()
		second.waits(t)
		undoing.letGo()
		second.returns(t)
		reading.waits(t)
		wantTry(t, m, 5, rangelock.ErrBusy)
		e2.Release()
		reading.returns(t)
		reader.Release()
		tidy(t, m)
	})
}

// TestTurnAfterRelease holds a caller that has found an announced reader and is about to join the
// queue. The reader leaves then, and sees no queue: the caller must grant itself.
//
// It kills 101_joiner_no_grant.
func TestTurnAfterRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		announcing(t, m)
		g := hold(t, m, 5)
		joining := windowAt(t, "rangelock: before the line")
		acquiring, e := exclusively(t, m, 5)
		joining.await(t)
		g.Release()
		joining.letGo()
		acquiring.returns(t)
		e.Release()
		tidy(t, m)
	})
}

// TestClaimLooksAtLines: a caller that takes an exclusive guard on an announced range looks for
// readers in the lines after it has set its flag, even if the state word counts no reader.
//
// It kills 105_lines_unseen.
func TestClaimLooksAtLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		announcing(t, m)
		g := hold(t, m, 5)
		if _, err := m.TryAcquireExclusive(5); err != rangelock.ErrBusy {
			t.Fatalf("TryAcquireExclusive beside an announced guard: %v", err)
		}
		acquiring, e := exclusively(t, m, 5)
		acquiring.waits(t)
		g.Release()
		acquiring.returns(t)
		e.Release()
		tidy(t, m)
	})
}

// TestClaimBeforeLook holds a caller that has set the flag of an exclusive guard on an announced
// range and has not looked at the lines yet. No reader may enter from then on: the look could
// miss it.
//
// It kills 176_claim_looks_first.
func TestClaimBeforeLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		announcing(t, m)
		claimed := windowAt(t, "rangelock: alone, before the look at the lines")
		acquiring, e := exclusively(t, m, 5)
		claimed.await(t)
		wantTry(t, m, 5, rangelock.ErrBusy)
		claimed.letGo()
		acquiring.returns(t)
		e.Release()
		tidy(t, m)
	})
}

// TestAnnouncedAfterClaim holds a reader that is about to announce itself. Then another caller
// takes an exclusive guard on the range, or joins its queue, or excludes it. The reader must look
// at the state word after that. When its mark has been taken away, no caller waits for it.
//
// It kills 110_announced_no_look and 117_grant_no_look.
func TestAnnouncedAfterClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		announcing(t, m)
		before := windowAt(t, "rangelock: range looked at")
		refused := windowAt(t, "rangelock: refused in a line")
		var g intGuard
		reading := start("Acquire", func() { g, _ = m.Acquire(5) })
		before.await(t)
		e := alone(t, m, 5)
		before.letGo()
		refused.await(t)
		if reading.returned() {
			t.Fatal("a reader has entered beside an exclusive guard")
		}
		// The mark of the refused reader delays the next exclusive guard, and the writer after it.
		second, e2 := exclusively(t, m, 5)
		second.waits(t)
		e.Release()
		second.waits(t)
		refused.letGo()
		second.returns(t)
		reading.waits(t)
		e2.Release()
		reading.returns(t)
		g.Release()
		tidy(t, m)
	})
}

// TestTakeBackWakesWriter is the same with a writer: it waits for the mark of a refused reader,
// which is the last.
//
// It kills 109_leaves_silently.
func TestTakeBackWakesWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a")
		announcing(t, m)
		before := windowAt(t, "rangelock: range looked at")
		refused := windowAt(t, "rangelock: refused in a line")
		var ok bool
		reading := start("Acquire", func() { _, ok = m.Acquire(5) })
		before.await(t)
		w := m.Lock()
		if !w.TryExclude(rg(0, 10)) {
			t.Fatal("TryExclude of a range without guards")
		}
		before.letGo()
		refused.await(t)
		excluding := start("Exclude", func() { must(t, w.Exclude(rg(0, 10))) })
		excluding.waits(t)
		refused.letGo()
		excluding.returns(t)
		if n, err := w.Retire(rg(0, 10)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		w.Unlock()
		reading.returns(t)
		must(t, m.Drain(bg))
		if ok || rec.String() != "a" {
			t.Errorf("found %t, retired %q", ok, rec)
		}
		tidy(t, m)
	})
}

// TestTakeBackLooksAgain holds a reader that was refused because of an exclusive guard. When the
// reader takes its mark away that guard has been released, and a writer waits for the mark.
//
// It kills 173_word_before_mark_refused.
func TestTakeBackLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		announcing(t, m)
		before := windowAt(t, "rangelock: range looked at")
		refused := windowAt(t, "rangelock: refused in a line")
		reading := start("TryAcquire", func() { wantTry(t, m, 5, rangelock.ErrBusy) })
		before.await(t)
		e := alone(t, m, 5)
		before.letGo()
		refused.await(t)
		e.Release()
		w := m.Lock()
		excluding := start("Exclude", func() { must(t, w.Exclude(rg(0, 10))) })
		excluding.waits(t)
		refused.letGo()
		excluding.returns(t)
		reading.returns(t)
		w.Unlock()
		tidy(t, m)
	})
}

// TestAnnouncedTooLate holds a caller that is about to set the flag announced. A writer detaches
// the range meanwhile. The flag must not be set then, not even by a caller that gets no guard. If
// it were set beside the finishing swap, the swap would fail, and no goroutine would finish the
// range.
//
// It kills 113_announced_by_or.
func TestAnnouncedTooLate(t *testing.T) {
	for name, held := range map[string]bool{"with a guard": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, rec := tens("a")
				given := windowAt(t, "rangelock: before a range is announced")
				meeting := start("Announcing", func() { m.Announcing(5) })
				given.await(t)
				finishing := windowAt(t, "rangelock: before the finishing swap")
				var g intGuard
				if held {
					g = hold(t, m, 5)
					finishing.letGo()
				}
				retiring := start("Retire and Insert", func() {
					w := m.Lock()
					defer w.Unlock()
					if n, err := w.Retire(rg(0, 10)); n != 1 || err != nil {
						t.Error(n, err)
					}
					must(t, w.Insert(rg(0, 10), "b"))
				})
				if held {
					retiring.returns(t)
				} else {
					finishing.await(t)
				}
				given.letGo()
				meeting.returns(t)
				finishing.letGo()
				retiring.returns(t)
				if held {
					g.Release()
				}
				start("Drain", func() { m.Drain(bg) }).returns(t)
				if rec.String() != "a" {
					t.Errorf("retired are %q, want a", rec)
				}
				tidy(t, m)
			})
		})
	}
}

// TestLineAfterExclude holds a caller that is about to take an exclusive guard, or to join the
// queue, while a writer excludes the range and retires it. No caller may wait in the queue of a
// range that has left, and the flag must not keep the range from being finished.
//
// It kills 102_reserved_by_or, 104_line_not_sent_back and 106_reserved_kept.
func TestLineAfterExclude(t *testing.T) {
	for name, line := range map[string]bool{"before": true, "after": false} {
		t.Run("lined up "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, rec := tens("a")
				g := hold(t, m, 5)
				if line {
					ctx, cancel := context.WithCancel(bg)
					defer cancel()
					first := start("AcquireExclusiveContext", func() { m.AcquireExclusiveContext(ctx, 5) })
					first.waits(t)
					must(t, m.Swap(bg, rg(0, 10), "b"))
					first.returns(t)
					g.Release()
				} else {
					found := windowAt(t, "rangelock: before the line")
					acquiring := start("AcquireExclusive", func() {
						e, _ := m.AcquireExclusive(5)
						e.Release()
					})
					found.await(t)
					must(t, m.Swap(bg, rg(0, 10), "b"))
					found.letGo()
					acquiring.returns(t)
					g.Release()
				}
				start("Drain", func() { m.Drain(bg) }).returns(t)
				if rec.String() != "a" || m.Lines() != 0 {
					t.Errorf("retired are %q, want a; %d lines", rec, m.Lines())
				}
			})
		})
	}
}
