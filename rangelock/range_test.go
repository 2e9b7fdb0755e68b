package rangelock_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestContains checks Contains at the bounds, with unbounded ranges, with ranges that are not
// valid, and with NaN.
func TestContains(t *testing.T) {
	nan := math.NaN()
	for _, x := range []struct {
		r    rangelock.Range[float64]
		key  float64
		want bool
	}{
		{rangelock.Span(1.0, 3.0), 1, true}, {rangelock.Span(1.0, 3.0), 2, true}, {rangelock.Span(1.0, 3.0), 3, false},
		{rangelock.Span(1.0, 3.0), 0, false}, {rangelock.From(1.0), 1, true}, {rangelock.From(1.0), math.Inf(1), true},
		{rangelock.From(1.0), 0, false}, {rangelock.Span(3.0, 1.0), 2, false}, {rangelock.Span(1.0, 1.0), 1, false},
		{rangelock.Span(1.0, 3.0), nan, false}, {rangelock.From(nan), 1, false}, {rangelock.Span(1.0, nan), 1, false},
		{rangelock.Range[float64]{}, 0, false},
	} {
		if got := rangelock.Contains(x.r, x.key); got != x.want {
			t.Errorf("Contains(%v, %v) = %t", x.r, x.key, got)
		}
	}
	down := rangelock.NewFunc[int, int](func(a, b int) int { return cmp.Compare(b, a) }, nil)
	if r := rangelock.Span(9, 5); !down.Contains(r, 9) || !down.Contains(r, 6) || down.Contains(r, 5) || down.Contains(r, 10) || !down.Contains(rangelock.From(3), -100) {
		t.Error("Map.Contains does not use the order of the map")
	}
	wantPanic(t, "Contains of the zero Map", func() { new(intMap).Contains(rg(0, 1), 0) })
}

// TestOverlap compares Overlap with a look at every key.
func TestOverlap(t *testing.T) {
	var all []rangelock.Range[int]
	for lo := range 5 {
		all = append(all, rangelock.From(lo))
		for hi := range 5 {
			all = append(all, rg(lo, hi))
		}
	}
	for _, a := range all {
		for _, b := range all {
			want := false
			for key := range 8 {
				want = want || rangelock.Contains(a, key) && rangelock.Contains(b, key)
			}
			if got := rangelock.Overlap(a, b); got != want {
				t.Errorf("Overlap(%v, %v) = %t", a, b, got)
			}
		}
	}
}

// TestPrefix checks that a text is in the range of a prefix exactly if it begins with the prefix.
func TestPrefix(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		b := make([]byte, rng.IntN(4))
		for i := range b {
			b[i] = []byte{0, 'a', 'b', 0xfe, 0xff}[rng.IntN(5)]
		}
		return string(b)
	}
	m := rangelock.NewFunc[[]byte, int](bytes.Compare, nil)
	for range 20000 {
		p, s := text(), text()+text()
		want := len(s) >= len(p) && s[:len(p)] == p
		if got := rangelock.Contains(rangelock.Prefix(p), s); got != want {
			t.Fatalf("%q in %v: %t", s, rangelock.Prefix(p), got)
		}
		b := []byte(p)
		if got := m.Contains(rangelock.PrefixBytes(b), []byte(s)); got != want || string(b) != p {
			t.Fatalf("%q in %v: %t, and the prefix has become %q", s, rangelock.PrefixBytes(b), got, b)
		}
	}
}

// TestGetRange checks that GetRange returns bounds and value of a range, in maps made by New and by
// NewFunc, and that it waits for a transaction that changes the range.
func TestGetRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, m := range []*intMap{rangelock.New[int, string](nil), rangelock.NewFunc[int, string](cmp.Compare[int], nil)} {
			must(t, m.Insert(bg, rg(0, 10), "a"))
			must(t, m.Insert(bg, rangelock.From(20), "b"))
			for key, want := range map[int]struct {
				r  intRange
				v  string
				ok bool
			}{-1: {}, 0: {rg(0, 10), "a", true}, 9: {rg(0, 10), "a", true}, 10: {}, 20: {rangelock.From(20), "b", true}, math.MaxInt: {rangelock.From(20), "b", true}} {
				if r, v, ok := m.GetRange(key); r != want.r || v != want.v || ok != want.ok {
					t.Errorf("GetRange(%d) = %v, %q, %t", key, r, v, ok)
				}
			}
			w := m.Lock()
			must(t, w.Swap(rg(0, 10), "c"))
			getting := start("GetRange", func() {
				if r, v, ok := m.GetRange(5); r != rg(0, 10) || v != "c" || !ok {
					t.Errorf("GetRange(5) = %v, %q, %t", r, v, ok)
				}
			})
			getting.waits(t)
			w.Unlock()
			getting.returns(t)
			must(t, m.Close(bg))
			if _, _, ok := m.GetRange(5); ok {
				t.Error("GetRange finds a range of a closed map")
			}
		}
	})
}

// TestDo checks that the transaction ends when the function returns, fails or panics, and that Do
// returns the function's error.
func TestDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		failed := errors.New("failed")
		must(t, m.Do(bg, func(w intWriter) error { return w.Insert(rg(10, 20), "b") }))
		if err := m.Do(bg, func(w intWriter) error {
			must(t, w.Insert(rg(20, 30), "c"))
			return failed
		}); err != failed {
			t.Errorf("the error is %v", err)
		}
		func() {
			defer func() {
				if recover() != failed {
					t.Error("the panic is lost")
				}
			}()
			m.Do(bg, func(w intWriter) error { panic(failed) })
		}()
		wantTry(t, m, 15, "b")
		wantTry(t, m, 25, "c")
		ctx, cancel := context.WithCancel(bg)
		cancel()
		called := func(intWriter) error { t.Error("called"); return nil }
		if err := m.Do(ctx, called); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
		tidy(t, m)
		must(t, m.Close(bg))
		if err := m.Do(bg, called); err != rangelock.ErrClosed {
			t.Errorf("on a closed map: %v", err)
		}
	})
}

// TestContended checks that Contended reports a writer that waits for the transaction.
func TestContended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		w := m.Lock()
		if w.Contended() {
			t.Error("Contended is true without a waiter")
		}
		next := start("Lock", func() { m.Lock().Unlock() })
		next.waits(t)
		if !w.Contended() {
			t.Error("Contended is false while a writer waits")
		}
		w.Unlock()
		next.returns(t)
		wantPanic(t, "Contended after Unlock", func() { w.Contended() })
		tidy(t, m)
	})
}
