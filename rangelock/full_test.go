package rangelock_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// TestMaxRanges fills a map up to MaxRanges. Each operation that would make one range more then
// returns ErrFull and does nothing. Operations that do not make one more succeed.
//
// It kills 196_no_bound_in_load and 192_no_bound_for_loads.
func TestMaxRanges(t *testing.T) {
	rec := &recorder{}
	m := rangelock.New(&rangelock.Options[int, string]{
		MaxRanges:  3,
		OnRetire:   func(_ intRange, v string) { rec.add(v) },
		SplitValue: func(_ intRange, _ int, v string) (string, string, error) { return v + "l", v + "r", nil },
	})
	fillTens(m, "a", "b", "c")
	seq := func(rs ...intRange) iter.Seq2[intRange, string] {
		return func(yield func(intRange, string) bool) {
			for _, r := range rs {
				if !yield(r, "l") {
					return
				}
			}
		}
	}
	for name, do := range map[string]func(w intWriter) error{
		"Insert":  func(w intWriter) error { return w.Insert(rg(50, 60), "x") },
		"Swap":    func(w intWriter) error { return w.Swap(rg(50, 60), "x") },
		"Replace": func(w intWriter) error { return w.Replace(rg(50, 60), "x") },
		"Split":   func(w intWriter) error { return w.Split(5) },
		"Load":    func(w intWriter) error { return second(w.Load(seq(rg(50, 60)))) },
	} {
		w := m.Lock()
		err := do(w)
		w.Unlock()
		var of *rangelock.RangeError[int]
		if !errors.Is(err, rangelock.ErrFull) || !errors.As(err, &of) || of.Op != name {
			t.Errorf("%s = %v", name, err)
		}
		if s := text(m.All()); s != "[0, 10)=a [10, 20)=b [20, 30)=c" {
			t.Errorf("after %s: %s", name, s)
		}
	}
	_, err := m.AcquireOrLoad(bg, 55, func(context.Context, int) (intRange, string, error) { return rg(50, 60), "loaded", nil })
	if !errors.Is(err, rangelock.ErrFull) {
		t.Errorf("AcquireOrLoad = %v", err)
	}
	if err := m.Swap(bg, rg(0, 20), "d"); err != nil {
		t.Errorf("Swap of two for one = %v", err)
	}
	if err := m.Insert(bg, rg(50, 60), "e"); err != nil {
		t.Errorf("Insert of the third = %v", err)
	}
	if _, err := m.Remove(bg, rg(50, 60)); err != nil {
		t.Fatal(err)
	}
	usable(t, m)

	// The bound also holds for a Load of ascending ranges, which counts what it has built so far.
	big := rangelock.New(&rangelock.Options[int, string]{MaxRanges: 100})
	w := big.Lock()
	defer w.Unlock()
	n, err := w.Load(func(yield func(intRange, string) bool) {
		for i := 0; yield(rg(10*i, 10*i+10), "v"); i++ {
		}
	})
	if n != 100 || !errors.Is(err, rangelock.ErrFull) || big.Len() != 100 {
		t.Errorf("Load = %d, %v; Len is %d", n, err, big.Len())
	}
	if err := w.Insert(rg(-5, 0), "v"); !errors.Is(err, rangelock.ErrFull) {
		t.Errorf("Insert behind it = %v", err)
	}
	wantPanic(t, "a negative MaxRanges", func() { rangelock.New(&rangelock.Options[int, string]{MaxRanges: -1}) })
}

// TestSplitValueFails checks that Split returns the error of a SplitValue that fails. The range is
// as it was, open to readers, with its value.
//
// It kills 193_split_publishes_first.
func TestSplitValueFails(t *testing.T) {
	rec := &recorder{}
	full := errors.New("disk full")
	m := rangelock.New(&rangelock.Options[int, string]{
		OnRetire:   func(_ intRange, v string) { rec.add(v) },
		SplitValue: func(intRange, int, string) (string, string, error) { return "l", "r", full },
	})
	fillTens(m, "a", "b")
	w := m.Lock()
	err := w.Split(5)
	if err == nil || !errors.Is(err, full) || err.Error() != "rangelock: Split [0, 10): SplitValue at 5: disk full" {
		t.Errorf("Split = %v", err)
	}
	g, err := m.TryAcquire(5) // during the transaction: it has changed nothing
	if err != nil || g.Value() != "a" || g.Range() != rg(0, 10) {
		t.Fatalf("after it: %v", err)
	}
	g.Release()
	w.Unlock()
	if s := text(m.All()); s != "[0, 10)=a [10, 20)=b" || rec.String() != "" {
		t.Errorf("%s, retired are %q", s, rec)
	}
	usable(t, m)
}

// TestErrorsTyped checks that errors.As finds the operation and its ranges or its key in errors.
func TestErrorsTyped(t *testing.T) {
	m := rangelock.New(&rangelock.Options[int, string]{MergeValue: func(_, _ intRange, l, _ string) (string, bool) { return l, false }})
	fillTens(m, "a", "b")
	w := m.Lock()
	defer w.Unlock()
	for _, x := range []struct {
		err          error
		op           string
		range_, othr intRange
		is           error
		text         string
	}{
		{w.Insert(rg(5, 15), "x"), "Insert", rg(5, 15), rg(0, 10), rangelock.ErrOverlap, "rangelock: range overlaps an attached range: Insert [5, 15) would overlap [0, 10)"},
		{second(w.Retire(rg(5, 20))), "Retire", rg(5, 20), rg(0, 10), rangelock.ErrPartial, "rangelock: operation would cut a range: Retire [5, 20) would cut [0, 10)"},
		{w.Exclude(rg(5, 5)), "Exclude", rg(5, 5), intRange{}, rangelock.ErrBadRange, "rangelock: range is not valid: Exclude [5, 5)"},
		{w.Resize(5, rg(5, 15)), "Resize", rg(5, 15), rg(10, 20), rangelock.ErrOverlap, "rangelock: range overlaps an attached range: Resize [5, 15) would overlap [10, 20)"},
		{w.Merge(10), "Merge", rg(0, 10), rg(10, 20), rangelock.ErrPartial, "rangelock: operation would cut a range: Merge [0, 10) is not to go with [10, 20)"},
	} {
		var of *rangelock.RangeError[int]
		if !errors.As(x.err, &of) || of.Op != x.op || of.Range != x.range_ || of.Other != x.othr || of.Err != x.is {
			t.Errorf("%s: %v (%#v)", x.op, x.err, of)
		}
		if x.err == nil || x.err.Error() != x.text {
			t.Errorf("%s: %v, want %s", x.op, x.err, x.text)
		}
	}
	for op, err := range map[string]error{"Update": w.Update(77, "x"), "Split": w.Split(77), "Merge": w.Merge(77), "Resize": w.Resize(77, rg(1, 2))} {
		var of *rangelock.KeyError[int]
		if !errors.As(err, &of) || of.Op != op || of.Key != 77 || !errors.Is(err, rangelock.ErrNotFound) {
			t.Errorf("%s: %v", op, err)
		}
	}
}
