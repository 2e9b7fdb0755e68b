//go:build invariants || race

package rangelock_test

import (
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestSequenceProvesMiss holds a reader that has read an even publication sequence
// until a transaction has taken its key's range out of the tree, lets it search,
// and holds it again when it has found nothing. There was never a gap for readers,
// and the changed sequence says so: while the transaction is under way, when it is
// over, and when 2^32 additions have passed.
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
						// It looks at the leaf again.
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

// TestNextBelievesNoGap holds a reader that looks for the next range, when it knows that
// none covers its key, until a transaction has taken the next one out. What comes behind
// that is not the next range: the transaction puts another there before it ends.
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
