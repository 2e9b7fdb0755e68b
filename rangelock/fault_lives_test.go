//go:build invariants || race

package rangelock_test

import (
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// nextLife gives the range object of [0, 10), which nobody holds, its next life as [50, 60)
// with the value v, and returns when readers may enter that.
func nextLife(t *testing.T, m *intMap, v string) {
	t.Helper()
	if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	must(t, m.Drain(bg))
	must(t, m.Insert(bg, rg(50, 60), v))
}

// TestBoundsOfLife holds a reader that searches without a pin when it has loaded the word of
// the range that it has come to, until the range object is another range, and lets it
// compare the bounds then. They do not cover its key.
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

// TestCountInPassing holds a reader that has added its one to a range object between two
// lives, and lets the next life begin. The one must be in the word still when the reader
// takes it back: one too few would be a guard of somebody else.
//
// It kills 28_birth_by_store: a word that is stored at birth.
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
		excluding.waits(t) // for the one in passing
		refused.letGo()
		reader.returns(t)
		excluding.returns(t) // it was told
		w.Unlock()
		usable(t, m)
	})
}

// TestGetOfLife holds a Get that writes nothing between its two looks at the word, until the
// range object is another range with another value.
func TestGetOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := rangelock.New(&rangelock.Options[int, int]{OnRetire: func(intRange, int) {}})
		must(t, m.Insert(bg, rg(0, 10), 1))
		found := windowAt(t, "rangelock: range found")
		reader := start("Get", func() {
			if v, ok := m.Get(5); ok {
				t.Errorf("Get(5) = %d, and there is no range", v)
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
