package rangelock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// parts returns a map with [0, 10)=a, [10, 20)=b and so on, whose values can be split and merged:
// "a" becomes "a1" and "a2", and "x" and "y" become "xy". The value "no" merges with no other.
func parts(values ...string) (*intMap, *recorder) {
	rec := &recorder{}
	m := rangelock.New(&rangelock.Options[int, string]{
		OnRetire:   func(_ intRange, v string) { rec.add(v) },
		SplitValue: func(_ intRange, _ int, v string) (string, string, error) { return v + "1", v + "2", nil },
		MergeValue: func(_, _ intRange, l, r string) (string, bool) { return l + r, l != "no" && r != "no" },
	})
	fillTens(m, values...)
	return m, rec
}

// TestRangeOperations checks what each operation does to the set, what it refuses, and that only
// ranges that leave for good are retired.
func TestRangeOperations(t *testing.T) {
	type change func(w intWriter) error
	split := func(at int) change { return func(w intWriter) error { return w.Split(at) } }
	merge := func(at int) change { return func(w intWriter) error { return w.Merge(at) } }
	resize := func(key int, r intRange) change { return func(w intWriter) error { return w.Resize(key, r) } }
	replace := func(r intRange) change { return func(w intWriter) error { return w.Replace(r, "x") } }
	const all = "[0, 10)=a [10, 20)=b [30, ∞)=d"
	for _, x := range []struct {
		name    string
		do      change
		err     error
		want    string
		retired string
	}{
		{"split", split(4), nil, "[0, 4)=a1 [4, 10)=a2 [10, 20)=b [30, ∞)=d", ""},
		{"split at the start", split(10), nil, all, ""},
		{"split a gap", split(25), rangelock.ErrNotFound, all, ""},
		{"split the unbounded", split(99), nil, "[0, 10)=a [10, 20)=b [30, 99)=d1 [99, ∞)=d2", ""},
		{"merge", merge(10), nil, "[0, 20)=ab [30, ∞)=d", ""},
		{"merge inside", merge(5), rangelock.ErrNotFound, all, ""},
		{"merge over a gap", merge(30), rangelock.ErrNotFound, all, ""},
		{"merge at the first", merge(0), rangelock.ErrNotFound, all, ""},
		{"merge at an end", merge(20), rangelock.ErrNotFound, all, ""},
		{"grow", resize(15, rg(10, 30)), nil, "[0, 10)=a [10, 30)=b [30, ∞)=d", ""},
		{"grow down", resize(33, rangelock.From(20)), nil, "[0, 10)=a [10, 20)=b [20, ∞)=d", ""},
		{"shrink", resize(0, rg(2, 3)), nil, "[2, 3)=a [10, 20)=b [30, ∞)=d", ""},
		{"move", resize(5, rg(22, 24)), nil, "[10, 20)=b [22, 24)=a [30, ∞)=d", ""},
		{"move the unbounded", resize(30, rg(-9, -5)), nil, "[-9, -5)=d [0, 10)=a [10, 20)=b", ""},
		{"resize to the same", resize(0, rg(0, 10)), nil, all, ""},
		{"resize into another", resize(0, rg(0, 11)), rangelock.ErrOverlap, all, ""},
		{"resize onto others", resize(0, rg(12, 40)), rangelock.ErrOverlap, all, ""},
		{"resize a gap", resize(25, rg(22, 24)), rangelock.ErrNotFound, all, ""},
		{"resize to nothing", resize(0, rg(5, 5)), rangelock.ErrBadRange, all, ""},
		{"replace one", replace(rg(0, 10)), nil, "[0, 10)=x [10, 20)=b [30, ∞)=d", "a"},
		{"replace two and a gap", replace(rg(-3, 25)), nil, "[-3, 25)=x [30, ∞)=d", "a b"},
		{"replace a gap", replace(rg(21, 25)), nil, "[0, 10)=a [10, 20)=b [21, 25)=x [30, ∞)=d", ""},
		{"replace a part", replace(rg(5, 20)), rangelock.ErrPartial, all, ""},
		{"replace with nothing", replace(rg(7, 7)), rangelock.ErrBadRange, all, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			m, rec := parts("a", "b")
			if err := m.Insert(bg, rangelock.From(30), "d"); err != nil {
				t.Fatal(err)
			}
			w := m.Lock()
			if err := x.do(w); !errors.Is(err, x.err) {
				t.Errorf("error %v, want %v", err, x.err)
			}
			w.Unlock()
			wantContents(t, m, x.want)
			if err := m.Drain(bg); err != nil {
				t.Fatal(err)
			}
			if rec.sorted() != x.retired {
				t.Errorf("retired are %q, want %q", rec.sorted(), x.retired)
			}
			wantPanic(t, "after Unlock", func() { x.do(w) })
			if err := m.Verify(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRangeOperationsWait checks that each operation waits for a guard on the ranges that it
// touches, and for no other guard, and that a context that ends meanwhile leaves everything as it
// was.
func TestRangeOperationsWait(t *testing.T) {
	for name, do := range map[string]func(w intWriter) error{
		"Split":         func(w intWriter) error { return w.Split(5) },
		"Merge":         func(w intWriter) error { return w.Merge(10) },
		"Resize":        func(w intWriter) error { return w.Resize(5, rg(1, 9)) },
		"Resize, moved": func(w intWriter) error { return w.Resize(5, rg(50, 60)) },
		"Replace":       func(w intWriter) error { return w.Replace(rg(0, 20), "x") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, rec := parts("a", "b", "c")
				g, elsewhere := hold(t, m, 5), hold(t, m, 25)
				defer elsewhere.Release()
				ctx, cancel := context.WithCancel(bg)
				w, err := m.LockContext(ctx)
				if err != nil {
					t.Fatal(err)
				}
				c := start(name, func() {
					if err := do(w); !errors.Is(err, context.Canceled) {
						t.Errorf("cancelled = %v", err)
					}
				})
				c.waits(t)
				wantTry(t, m, 5, rangelock.ErrBusy)
				cancel()
				c.returns(t)
				wantTry(t, m, 5, "a") // readers are let in again before the end of the transaction
				w.Unlock()
				wantContents(t, m, "[0, 10)=a [10, 20)=b [20, 30)=c")

				w = m.Lock()
				c = start(name, func() {
					if err := do(w); err != nil {
						t.Error(err)
					}
				})
				c.waits(t)
				g.Release()
				c.returns(t)
				wantTry(t, m, 2, rangelock.ErrBusy)
				w.Unlock()
				if err := m.Drain(bg); err != nil {
					t.Fatal(err)
				}
				if want := map[bool]string{true: "a b"}[name == "Replace"]; rec.sorted() != want {
					t.Errorf("retired are %q, want %q", rec.sorted(), want)
				}
			})
		})
	}
}

// TestSplitNeedsSplitValue checks that Split does not duplicate a value that OnRetire would then
// get twice, and that without OnRetire both halves get the value.
func TestSplitNeedsSplitValue(t *testing.T) {
	m, _ := tens("a")
	w := m.Lock()
	wantPanic(t, "Split with OnRetire and no SplitValue", func() { w.Split(5) })
	w.Unlock()
	wantContents(t, m, "[0, 10)=a")
	usable(t, m)

	plain := rangelock.New[int, string](nil)
	fillTens(plain, "a", "b")
	w = plain.Lock()
	if err := w.Split(5); err != nil {
		t.Error(err)
	}
	if err := w.Merge(10); !errors.Is(err, rangelock.ErrPartial) {
		t.Errorf("Merge without MergeValue = %v", err)
	}
	w.Unlock()
	wantContents(t, plain, "[0, 5)=a [5, 10)=a [10, 20)=b")
}

// TestMergeRefused checks that a MergeValue that refuses leaves the two ranges as they were.
func TestMergeRefused(t *testing.T) {
	m, _ := parts("a", "no")
	w := m.Lock()
	if err := w.Merge(10); !errors.Is(err, rangelock.ErrPartial) {
		t.Errorf("Merge = %v", err)
	}
	w.Unlock()
	wantContents(t, m, "[0, 10)=a [10, 20)=no")
	usable(t, m)
}

// TestAcquireNext checks which range is next to each key. It also checks that an answer that
// includes a gap waits for a transaction that has begun to publish, and that another answer does
// not.
func TestAcquireNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := parts("a", "b")
		if err := m.Insert(bg, rg(50, 60), "f"); err != nil {
			t.Fatal(err)
		}
		next := func(key int) string {
			g, ok := m.AcquireNext(key)
			if !ok {
				return "none"
			}
			defer g.Release()
			return g.Value()
		}
		for key, want := range map[int]string{-5: "a", 0: "a", 9: "a", 10: "b", 19: "b", 20: "f", 59: "f", 60: "none"} {
			if got := next(key); got != want {
				t.Errorf("AcquireNext(%d) is %s, want %s", key, got, want)
			}
		}
		w := m.Lock()
		if err := w.Insert(rg(30, 40), "d"); err != nil {
			t.Fatal(err)
		}
		if got := next(5); got != "a" { // the answer includes no gap
			t.Errorf("AcquireNext(5) is %s", got)
		}
		var got string
		c := start("AcquireNext over a gap", func() { got = next(20) })
		c.waits(t)
		d := start("AcquireNext behind all", func() { next(60) })
		d.waits(t)
		w.Unlock()
		c.returns(t)
		d.returns(t)
		if got != "d" {
			t.Errorf("AcquireNext(20) is %s: a gap that did not exist after the transaction", got)
		}
	})
}

// TestGuards checks that a walk holds one guard at a time, releases it when the body breaks out or
// panics, and ends with the context's error.
func TestGuards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := parts("a", "b", "c")
		seen := ""
		for g := range m.Guards(rg(5, 25)) {
			seen += g.Value()
			for key := 5; key < 30; key += 10 {
				if n, want := m.State(key), uint64(0); key/10 == g.Range().Lo/10 {
					if n != 1 {
						t.Errorf("%v: state %#x of its own range", g.Range(), n)
					}
				} else if n != want {
					t.Errorf("%v: state %#x of %d", g.Range(), n, key)
				}
			}
		}
		if seen != "abc" {
			t.Errorf("walked over %q", seen)
		}
		for range m.Guards(rg(0, 30)) {
			break
		}
		wantPanic(t, "the body of Guards", func() {
			for range m.Guards(rg(0, 30)) {
				panic("rangelock: the body's own")
			}
		})
		for range m.Guards(rg(9, 9)) {
			t.Error("Guards of no range yields")
		}
		usable(t, m)

		w := m.Lock()
		if err := w.Exclude(rg(10, 20)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(bg)
		seen = ""
		c := start("GuardsContext", func() {
			for g, err := range m.GuardsContext(ctx, rg(0, 30)) {
				if err != nil {
					seen += err.Error()
					continue
				}
				seen += g.Value() + " "
			}
		})
		c.waits(t)
		cancel()
		c.returns(t)
		w.Unlock()
		if seen != "a rangelock: Guards 10: gave up waiting for the lock: context canceled" {
			t.Errorf("GuardsContext yields %q", seen)
		}
		usable(t, m)
	})
}
