//go:build invariants || race

package rangelock_test

import (
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// nextLife gives the header of [0, 10), which has no guard, its next life as [50, 60) with the
// value v. When it returns readers may enter that range.
func nextLife(t *testing.T, m *intMap, v string) {
	t.Helper()
	if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	must(t, m.Drain(bg))
	must(t, m.Insert(bg, rg(50, 60), v))
}

// TestBoundsOfLife holds a reader that searches without a pin after it has loaded the state word
// of the range that it has found. When it goes on the header is in its next life. The reader
// compares the bounds then, which do not cover its key.
func TestBoundsOfLife(t *testing.T) {
	for _, point := range []string{"rangetree: state loaded", "rangelock: range found", "rangelock: range looked at"} {
		t.Run(point, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens("a")
				at := windowAt(t, point)
				reader := start("TryAcquire", func() {
					if g, err := m.TryAcquire(5); err == nil {
						t.Errorf("TryAcquire(5) has entered %v", g.Range())
						g.Release()
					}
				})
				at.await(t)
				nextLife(t, m, "b")
				at.letGo()
				reader.returns(t)
				usable(t, m)
			})
		})
	}
}

// TestCountInPassing holds a reader that has added one to the state word of a header between two
// lives, and lets the next life begin. The state word must still have the reader's one when the
// reader takes it back. Otherwise the reader would take back the count of another guard.
//
// It kills 28_birth_by_store, which stores the state word when a life begins.
func TestCountInPassing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		looked := windowAt(t, "rangelock: range looked at")
		refused := windowAt(t, "rangelock: refused, before the undo")
		reader := start("TryAcquire", func() {
			if g, err := m.TryAcquire(5); err == nil {
				t.Errorf("TryAcquire(5) has entered %v", g.Range())
				g.Release()
			}
		})
		looked.await(t)
		if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		must(t, m.Drain(bg))
		looked.letGo()
		refused.await(t)
		must(t, m.Insert(bg, rg(50, 60), "b"))
		w := m.Lock()
		excluding := start("Exclude", func() { must(t, w.Exclude(rg(50, 60))) })
		excluding.waits(t) // for the refused reader's count
		refused.letGo()
		reader.returns(t)
		excluding.returns(t) // the reader woke it
		w.Unlock()
		usable(t, m)
	})
}

// TestGetOfLife holds a Get that writes nothing between its two looks at the state word, until
// the header is in its next life, with another value.
func TestGetOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := rangelock.New(&rangelock.Options[int, int]{OnRetire: func(intRange, int) {}})
		must(t, m.Insert(bg, rg(0, 10), 1))
		found := windowAt(t, "rangelock: range found")
		reader := start("Get", func() {
			if v, ok := m.Get(5); ok {
				t.Errorf("Get(5) = %d, but no range covers 5", v)
			}
		})
		found.await(t)
		if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		must(t, m.Drain(bg))
		must(t, m.Insert(bg, rg(50, 60), 2))
		found.letGo()
		reader.returns(t)
	})
}
