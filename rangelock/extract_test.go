package rangelock_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestExtract: the caller gets the value, and OnRetire does not, in whichever way the range ends.
// An extracted range is never pending.
//
// It kills 210_extracted_retired.
func TestExtract(t *testing.T) {
	for name, first := range map[string]func(w intWriter) bool{
		"by itself":        func(intWriter) bool { return true },
		"after TryExclude": func(w intWriter) bool { return w.TryExclude(rg(10, 20)) },
		"after Exclude":    func(w intWriter) bool { return w.Exclude(rg(0, 30)) == nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := &recorder{}
				m := rangelock.New(&rangelock.Options[int, string]{
					Cost:       func(intRange, string) int64 { return 2 },
					MaxPending: 1,
					OnRetire:   func(_ intRange, v string) { rec.add(v) },
				})
				fillTens(m, "a", "b", "c")
				w := m.Lock()
				if !first(w) {
					t.Fatal("TryExclude reports false without a guard on the range")
				}
				r, v, err := w.Extract(15)
				if r != rg(10, 20) || v != "b" || err != nil {
					t.Errorf("Extract(15) = %v, %q, %v", r, v, err)
				}
				if p := m.Stats().Pending; p != 0 {
					t.Errorf("%d are pending", p)
				}
				r, v, err = w.Extract(15)
				if !errors.Is(err, rangelock.ErrNotFound) || r != (intRange{}) || v != "" {
					t.Errorf("Extract(15) = %v, %q, %v, want ErrNotFound", r, v, err)
				}
				must(t, w.Insert(rg(12, 14), "new"))
				w.Unlock()
				wantContents(t, m, "[0, 10)=a [12, 14)=new [20, 30)=c")
				must(t, m.Drain(bg))
				synctest.Wait()
				if rec.String() != "" {
					t.Errorf("retired are %q", rec)
				}
			})
		})
	}
}

// TestExtractMakesStale: what a load under way returns for keys that are extracted is stale.
//
// It kills 211_extract_not_stale.
func TestExtractMakesStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a", "", "c")
		h := newGatedLoad()
		a := ask(bg, m, 15, h.load)
		a.waits(t)
		w := m.Lock()
		must(t, w.Insert(rg(10, 20), "b"))
		if _, v, err := w.Extract(15); v != "b" || err != nil {
			t.Errorf("Extract = %q, %v", v, err)
		}
		w.Unlock()
		h.send <- loaded(10, 20, "old")
		synctest.Wait()
		h.send <- loaded(10, 20, "new")
		a.gets(t, "new")
		if rec.String() != "old" {
			t.Errorf("retired are %q", rec)
		}
		usable(t, m)
	})
}
