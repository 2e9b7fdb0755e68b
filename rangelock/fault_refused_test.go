//go:build invariants || race

package rangelock_test

import (
	"cmp"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// tensPinned is tens in a map whose readers pin, because the map has a compare function.
func tensPinned(values ...string) (*intMap, *recorder) {
	rec := &recorder{}
	m := rangelock.NewFunc(cmp.Compare[int], &rangelock.Options[int, string]{OnRetire: func(_ intRange, v string) { rec.add(v) }})
	fillTens(m, values...)
	return m, rec
}

// refusedReader starts a TryAcquire of a key, and holds it after its look at the range. Then it
// calls exclude, which must make that look out of date. It returns when the reader has added
// itself, has been refused, and is about to take its count back.
func refusedReader(t *testing.T, m *intMap, key int, exclude func()) (*call, *window) {
	t.Helper()
	looked := windowAt(t, "rangelock: range looked at")
	refused := windowAt(t, "rangelock: refused, before the undo")
	reader := start("TryAcquire", func() {
		if _, err := m.TryAcquire(key); err != rangelock.ErrBusy {
			t.Errorf("TryAcquire = %v, want %v", err, rangelock.ErrBusy)
		}
	})
	looked.await(t)
	exclude()
	looked.letGo()
	refused.await(t)
	return reader, refused
}

// TestUndoWakesWriter makes a writer wait for two counts, a guard's and a refused reader's. The
// guard is released first, so only the reader's undo can wake the writer. In the second half the
// writer does not wait; there the undo must finish the range.
//
// It kills 16_wake_lost_undo, each half by itself, and 53_undo_left_out.
func TestUndoWakesWriter(t *testing.T) {
	t.Run("Exclude", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m, _ := tens("a")
			g := hold(t, m, 5)
			var w intWriter
			var excluding *call
			reader, refused := refusedReader(t, m, 5, func() {
				w = m.Lock()
				excluding = start("Exclude after the last undo", func() {
					if err := w.Exclude(rg(0, 10)); err != nil {
						t.Error(err)
					}
				})
				excluding.waits(t)
			})
			g.Release()
			excluding.waits(t)
			refused.letGo()
			reader.returns(t)
			excluding.returns(t)
			w.Unlock()
			usable(t, m)
		})
	})
	t.Run("Retire", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m, rec := tens("a")
			g := hold(t, m, 5)
			reader, refused := refusedReader(t, m, 5, func() {
				if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
					t.Error(n, err)
				}
			})
			g.Release()
			refused.letGo()
			reader.returns(t)
			start("Drain after the last undo", func() { m.Drain(bg) }).returns(t)
			if rec.String() != "a" {
				t.Errorf("retired are %q", rec)
			}
			usable(t, m)
		})
	})
}

// TestUndoAfterUnlock has a refused reader take its count back after the writer has let readers in
// again. If Unlock stored the state word, because it assumed that no count can be in a range that
// it has excluded, the reader's count would be lost, and its undo would go below zero.
//
// It kills 28_clear_by_store, and 53_undo_left_out by what is left in the word.
func TestUndoAfterUnlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		var w intWriter
		reader, refused := refusedReader(t, m, 5, func() {
			w = m.Lock()
			if err := w.Exclude(rg(0, 10)); err != nil {
				t.Error(err)
			}
		})
		w.Unlock()
		refused.letGo()
		reader.returns(t)
		w = m.Lock()
		if !w.TryExclude(rg(0, 10)) {
			t.Errorf("the refused reader has left its count: state %#x", m.State(5))
		}
		w.Unlock()
		usable(t, m)
	})
}

// TestUndoPinned has a reader add itself to a range after the range has been finished, and holds it
// before its undo. Until the undo the header must not go through OnRetire and be used again. Only
// the reader's pin prevents that.
//
// It kills 64_undo_unpinned.
func TestUndoPinned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tensPinned("a")
		reader, refused := refusedReader(t, m, 5, func() {
			if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
				t.Error(n, err)
			}
		})
		synctest.Wait()
		if rec.String() != "" {
			t.Errorf("%q is retired though a reader has its count in the header", rec)
		}
		refused.letGo()
		reader.returns(t)
		start("Drain", func() { m.Drain(bg) }).returns(t)
		if rec.String() != "a" {
			t.Errorf("retired are %q", rec)
		}
		usable(t, m)
	})
}

// TestLookBeforeAdd checks that a reader that finds an excluded range turns back without adding
// itself. Otherwise readers that are refused in a loop could hold above zero the count that a
// writer waits for. Here one such reader would delay the Exclude without end.
//
// It kills 67_add_without_look.
func TestLookBeforeAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		g := hold(t, m, 5)
		w := m.Lock()
		excluding := start("Exclude", func() { w.Exclude(rg(0, 10)) })
		excluding.waits(t)
		windowAt(t, "rangelock: refused, before the undo") // no reader may arrive here
		reader := start("TryAcquire", func() {
			if _, err := m.TryAcquire(5); err != rangelock.ErrBusy {
				t.Errorf("TryAcquire = %v", err)
			}
		})
		synctest.Wait()
		g.Release()
		excluding.returns(t)
		reader.returns(t)
		w.Unlock()
	})
}

// TestReleaseBeforePark has a guard released between the writer's last look at the count and the
// moment when it parks. The writer has stored its parker before it looked, so the release leaves it
// a wake-up.
//
// It kills 54_waiter_after_look.
func TestReleaseBeforePark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		g := hold(t, m, 5)
		w := m.Lock()
		parking := windowAt(t, "rangelock: before the writer parks")
		excluding := start("Exclude", func() { w.Exclude(rg(0, 10)) })
		parking.await(t)
		g.Release()
		parking.letGo()
		excluding.returns(t)
		w.Unlock()
		usable(t, m)
	})
}

// TestUnlockInOrder holds a writer that is letting readers in again, and checks that it still has
// the semaphore: another transaction would share its state.
//
// It kills 63_commit_after_unlock.
func TestUnlockInOrder(t *testing.T) {
	for _, name := range []string{"Unlock", "Downgrade"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens("a")
				w := m.Lock()
				if err := w.Insert(rg(10, 20), "b"); err != nil {
					t.Fatal(err)
				}
				letting := windowAt(t, "rangelock: a range let in by commit")
				ending := start(name, func() {
					if name == "Unlock" {
						w.Unlock()
					} else {
						w.Downgrade().Unlock()
					}
				})
				letting.await(t)
				if _, ok := m.TryLock(); ok {
					t.Fatal("a second transaction has begun before the first was visible")
				}
				letting.letGo()
				ending.returns(t)
				usable(t, m)
			})
		})
	}
}
