//go:build invariants || race

package rangelock_test

import (
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestSequenceProvesMiss holds a reader that has read an even publication sequence until a
// transaction has taken the range of its key out of the tree. Then the reader searches, and is held
// again when it has found nothing. There was never a gap for readers, and the sequence shows it,
// because it has changed: while the transaction runs, after its end, and after 2^32 additions.
//
// It kills 36_miss_on_changed and 22_seq_wrap.
func TestSequenceProvesMiss(t *testing.T) {
	for _, end := range []string{"half-way", "over", "long over"} {
		for _, reading := range []string{"TryAcquire", "Get"} {
			t.Run(end+"/"+reading, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, _ := tens("a", "b")
					seq := m.Publication()
					begun := windowAt(t, "rangelock: publication sequence read")
					searched := windowAt(t, "rangelock: nothing found")
					reader := start(reading, func() {
						if reading == "Get" {
							if v, _ := m.Get(15); v != "new" {
								t.Errorf("Get = %q, want new", v)
							}
							return
						}
						g, err := m.TryAcquire(15)
						if end == "half-way" {
							if err != rangelock.ErrBusy {
								t.Errorf("TryAcquire = %v, want %v", err, rangelock.ErrBusy)
							}
							return
						}
						// The reader has looked at the leaf again.
						if err != nil || g.Value() != "new" {
							t.Errorf("TryAcquire = %v, want the new range", err)
							return
						}
						g.Release()
					})
					begun.await(t)
					w := m.Lock()
					if n, err := w.Retire(rg(10, 20)); n != 1 || err != nil {
						t.Fatal(n, err)
					}
					begun.letGo()
					searched.await(t)
					if end == "half-way" {
						searched.letGo()
						synctest.Wait()
					}
					must(t, w.Insert(rg(10, 20), "new"))
					w.Unlock()
					if end == "long over" {
						m.SetPublication(seq + 1<<32)
					}
					searched.letGo()
					reader.returns(t)
					usable(t, m)
				})
			})
		}
	}
}

// TestNextBelievesNoGap holds a reader that knows that no range covers its key, and now looks for
// the next range. Meanwhile a transaction retires that next range. The range behind it is not the
// answer, because the transaction inserts another before it ends.
//
// It kills 80_next_unproved.
func TestNextBelievesNoGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "", "c", "", "e")
		between := windowAt(t, "rangelock: no range covers the key")
		reader := start("AcquireNext", func() {
			g, ok := m.AcquireNext(15)
			if !ok || g.Value() != "new" {
				t.Errorf("AcquireNext = %q, %t, want the new range", g.Value(), ok)
			}
			g.Release()
		})
		between.await(t)
		w := m.Lock()
		if n, err := w.Retire(rg(20, 30)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		between.letGo()
		reader.waits(t)
		must(t, w.Insert(rg(22, 28), "new"))
		w.Unlock()
		reader.returns(t)
		usable(t, m)
	})
}
