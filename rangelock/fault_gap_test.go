package rangelock_test

import (
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestGapInsideTransaction reads a key half-way through a transaction that retires its range and
// inserts another there. No reader may see the gap, though it is in the tree.
//
// It kills 18_false_gap, 36_miss_on_odd, 78_even_between_operations and
// 55_remove_keeps_even.
func TestGapInsideTransaction(t *testing.T) {
	for name, read := range readings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens("a", "b", "c")
				w := m.Lock()
				if n, err := w.Retire(rg(10, 20)); n != 1 || err != nil {
					t.Fatal(n, err)
				}
				wantTry(t, m, 15, rangelock.ErrBusy)
				var got string
				reader := start(name, func() { got = read(m, 15) })
				reader.waits(t)
				must(t, w.Insert(rg(10, 20), "new"))
				wantTry(t, m, 15, rangelock.ErrBusy)
				reader.waits(t)
				w.Unlock()
				reader.returns(t)
				if got != "new" {
					t.Errorf("%s has seen %q, want new", name, got)
				}
				usable(t, m)
			})
		})
	}
}

// TestNothingEarly checks for each operation that puts a range into the tree that no reader can
// enter the range before the transaction ends.
//
// It kills 19_early_visible.
func TestNothingEarly(t *testing.T) {
	for name, change := range map[string]func(w intWriter) error{
		"Insert": func(w intWriter) error { return w.Insert(rg(20, 30), "new") },
		"Update": func(w intWriter) error { return w.Update(15, "new") },
		"Swap":   func(w intWriter) error { return w.Swap(rg(0, 40), "new") },
	} {
		key := map[string]int{"Insert": 25, "Update": 15, "Swap": 5}[name]
		for reading, read := range readings {
			t.Run(name+"/"+reading, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, _ := tens("a", "b")
					w := m.Lock()
					must(t, change(w))
					wantTry(t, m, key, rangelock.ErrBusy)
					var got string
					reader := start(reading, func() { got = read(m, key) })
					reader.waits(t)
					w.Unlock()
					reader.returns(t)
					if got != "new" {
						t.Errorf("%s has seen %q, want new", reading, got)
					}
					usable(t, m)
				})
			})
		}
	}
}

// TestSequenceBeforeSearch holds a reader in the middle of a search that has seen a gap inside a
// transaction, and lets the transaction end. The reader has read the publication sequence before
// its search, so it does not believe the gap. It searches again, and finds the new range.
//
// It kills 61_sequence_after_search.
func TestSequenceBeforeSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order stoppableOrder
		m := rangelock.NewFunc(order.compare, (*rangelock.Options[int, string])(nil))
		fillTens(m, "a", "b")
		w := m.Lock()
		if n, err := w.Retire(rg(10, 20)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		searching := order.stopAt(t, 15, 10) // the key with the end of [0, 10)
		reader := start("TryAcquire", func() {
			g, err := m.TryAcquire(15)
			if err != nil || g.Value() != "new" {
				t.Errorf("TryAcquire = %v, want the new range", err)
				return
			}
			g.Release()
		})
		searching.await(t)
		must(t, w.Insert(rg(10, 20), "new"))
		w.Unlock()
		searching.letGo()
		reader.returns(t)
		usable(t, m)
	})
}

// TestNeighbourBeside holds a reader in the middle of its search of a leaf. Meanwhile a
// transaction retires a neighbour of the reader's range and inserts another range into that slot,
// where the search then ends. The reader's range has been in the map all the time and the
// transaction does not change it, so the reader must get it and must not wait.
//
// It kills 152_look_again_left_out.
func TestNeighbourBeside(t *testing.T) {
	for name, read := range map[string]func(m *intMap) string{
		"TryAcquire": func(m *intMap) string {
			g, err := m.TryAcquire(15)
			if err != nil {
				return err.Error()
			}
			defer g.Release()
			return g.Value()
		},
		"Get": func(m *intMap) string {
			v, _ := m.Get(15)
			return v
		},
		"AcquireNext": func(m *intMap) string {
			g, _ := m.AcquireNext(15)
			defer g.Release()
			return g.Value()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var order stoppableOrder
				m := rangelock.NewFunc(order.compare, (*rangelock.Options[int, string])(nil))
				fillTens(m, "a", "b", "c")
				searching := order.stopAt(t, 10, 15) // the range in the middle with the key
				var got string
				reader := start(name, func() { got = read(m) })
				searching.await(t)
				w := m.Lock()
				if n, err := w.Retire(rg(20, 30)); n != 1 || err != nil {
					t.Fatal(n, err)
				}
				must(t, w.Insert(rg(-10, 0), "new"))
				searching.letGo()
				reader.returns(t)
				if got != "b" {
					t.Errorf("%s = %q, want b", name, got)
				}
				w.Unlock()
				usable(t, m)
			})
		})
	}
}

// TestGapBesideRange looks for keys at the bounds of ranges and just outside of them. Outside,
// the search ends at a range that does not cover the key.
//
// It kills 59_end_unchecked.
func TestGapBesideRange(t *testing.T) {
	for name, m := range map[string]*intMap{
		"ordered": rangelock.New[int, string](nil),
		"func":    rangelock.NewFunc[int, string](new(stoppableOrder).compare, nil),
	} {
		t.Run(name, func(t *testing.T) {
			fillTens(m, "", "b", "", "d")
			must(t, m.Insert(bg, rangelock.From(50), "f"))
			for key, want := range map[int]any{
				-1: nil, 9: nil, 10: "b", 19: "b", 20: nil, 29: nil, 30: "d", 39: "d", 40: nil,
				49: nil, 50: "f", 1 << 30: "f",
			} {
				if want == nil {
					want = rangelock.ErrNotFound
				}
				wantTry(t, m, key, want)
				v, ok := m.Get(key)
				if ok != (want != rangelock.ErrNotFound) || ok && v != want {
					t.Errorf("Get(%d) = %q, %t", key, v, ok)
				}
			}
		})
	}
}
