package rangelock_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// checkKeys inserts ranges between the keys, which ascend: one between each pair of neighbours
// except every third pair, and an unbounded one from the last key. Then it looks up every key in
// each way.
func checkKeys[K any](t *testing.T, m *rangelock.Map[K, int], keys []K) {
	t.Helper()
	last := len(keys) - 1
	gap := func(i int) bool { return i%3 == 2 && i != last }
	bounds := func(i int) rangelock.Range[K] {
		if i == last {
			return rangelock.From(keys[i])
		}
		return rangelock.Span(keys[i], keys[i+1])
	}
	w := m.Lock()
	for j := range keys { // every other one first, then those between, in reverse
		i := 2 * j
		if i > last {
			i = 2*(last-j) + 1
		}
		if gap(i) {
			continue
		}
		if err := w.Insert(bounds(i), i); err != nil {
			t.Fatalf("Insert(%v) = %v", bounds(i), err)
		}
	}
	for i := range keys {
		r := bounds(i)
		if err := w.Insert(r, -1); gap(i) != (err == nil) || !gap(i) && !errors.Is(err, rangelock.ErrOverlap) {
			t.Fatalf("Insert(%v) = %v", r, err)
		} else if err == nil {
			if n, err := w.Retire(r); n != 1 || err != nil {
				t.Fatalf("Retire(%v) = %d, %v", r, n, err)
			}
		}
	}
	w.Unlock()
	if err := m.Verify(); err != nil {
		t.Fatal(err)
	}
	for i, k := range keys {
		want := !gap(i)
		g, ok := m.Acquire(k)
		if ok != want || ok && (g.Value() != i || g.Range().String() != bounds(i).String()) {
			t.Fatalf("Acquire(%v) = %t, want %d in %v", k, ok, i, bounds(i))
		}
		if ok {
			g.Release()
		}
		if v, ok := m.Get(k); ok != want || ok && v != i {
			t.Fatalf("Get(%v) = %d, %t, want %d, %t", k, v, ok, i, want)
		}
		if ok := m.View(k, func(_ rangelock.Range[K], v int) {
			if v != i {
				t.Errorf("View(%v) shows %d, want %d", k, v, i)
			}
		}); ok != want {
			t.Fatalf("View(%v) = %t", k, ok)
		}
	}
	n := 0
	for r, i := range m.All() {
		if r.String() != bounds(i).String() {
			t.Fatalf("All yields %v with %d", r, i)
		}
		n++
	}
	if n != m.Len() {
		t.Fatalf("All yields %d ranges, Len is %d", n, m.Len())
	}
	if removed, err := m.Remove(bg, rangelock.From(keys[0])); removed != n || err != nil || m.Len() != 0 {
		t.Fatalf("Remove of all = %d, %v, want %d, and %d are left", removed, err, n, m.Len())
	}
}

// TestKeyFunc checks keys that need a comparison function: slices, structs, and a reversed order.
func TestKeyFunc(t *testing.T) {
	t.Run("bytes", func(t *testing.T) {
		var keys [][]byte
		for _, s := range []string{"", "\x00", "a", "a\x00", "aa", "b", "\xff", "\xff\xff"} {
			keys = append(keys, []byte(s))
		}
		checkKeys(t, rangelock.NewFunc[[]byte, int](bytes.Compare, nil), keys)
		m := rangelock.NewFunc[[]byte, int](bytes.Compare, nil)
		if err := m.Insert(bg, rangelock.Span(nil, []byte("b")), 1); err != nil {
			t.Fatal(err)
		}
		for _, k := range [][]byte{nil, {}, []byte("a")} {
			if v, ok := m.Get(k); !ok || v != 1 {
				t.Errorf("Get(%q) = %d, %t", k, v, ok)
			}
		}
		if err := m.Insert(bg, rangelock.Span([]byte{}, nil), 2); !errors.Is(err, rangelock.ErrBadRange) {
			t.Errorf("Insert of an empty range = %v", err)
		}
	})
	t.Run("struct", func(t *testing.T) {
		var keys []place
		for i := range 100 {
			keys = append(keys, place{file: fmt.Sprint(100 + i), off: -1}, place{file: fmt.Sprint(100 + i), off: math.MaxInt64})
		}
		checkKeys(t, rangelock.NewFunc[place, int](comparePlaces, nil), keys)
	})
	t.Run("reverse", func(t *testing.T) {
		var keys []int
		for i := range 200 {
			keys = append(keys, -i)
		}
		checkKeys(t, rangelock.NewFunc[int, int](func(a, b int) int { return cmp.Compare(b, a) * 1000 }, nil), keys)
	})
}

// TestKeyMax checks that an unbounded range has the largest key, that a bounded range never has it,
// and that both can be in a map together.
func TestKeyMax(t *testing.T) {
	const (
		top = math.MaxUint64
		// the values
		refused, low, highest, all = 0, 1, 2, 3
	)
	m := rangelock.New[uint64, int](nil)
	w := m.Lock()
	defer w.Unlock()
	for _, x := range []struct {
		r    rangelock.Range[uint64]
		v    int
		want error
	}{
		{rangelock.Span[uint64](0, top), low, nil},
		{rangelock.Span[uint64](top, top), refused, rangelock.ErrBadRange},
		{rangelock.Span[uint64](top, 0), refused, rangelock.ErrBadRange},
		{rangelock.Span[uint64](top-1, top), refused, rangelock.ErrOverlap},
		{rangelock.Range[uint64]{Lo: top - 1, Hi: 7, Unbounded: true}, refused, rangelock.ErrOverlap},
		{rangelock.Range[uint64]{Lo: top, Hi: 7, Unbounded: true}, highest, nil},
		{rangelock.From[uint64](top), refused, rangelock.ErrOverlap},
		{rangelock.From[uint64](0), refused, rangelock.ErrOverlap},
	} {
		if err := w.Insert(x.r, x.v); !errors.Is(err, x.want) {
			t.Errorf("Insert(%v) = %v, want %v", x.r, err, x.want)
		}
	}
	for k, want := range map[uint64]int{0: low, top - 1: low, top: highest} {
		if _, v, ok := w.Find(k); !ok || v != want {
			t.Errorf("Find(%d) = %d, %t, want %d", k, v, ok, want)
		}
	}
	if n, err := w.Remove(rangelock.Span[uint64](0, top)); n != 1 || err != nil {
		t.Errorf("Remove of the bounded = %d, %v", n, err)
	}
	if err := w.Swap(rangelock.From[uint64](5), all); err != nil {
		t.Errorf("Swap = %v", err)
	}
	if n, err := w.Remove(rangelock.Span[uint64](5, top)); n != 0 || !errors.Is(err, rangelock.ErrPartial) {
		t.Errorf("Remove that cuts off the largest key = %d, %v", n, err)
	}
	if r, v, ok := w.Find(top); !ok || v != all || r.Lo != 5 || !r.Unbounded {
		t.Errorf("Find(top) = %v, %d, %t", r, v, ok)
	}
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
}

// TestKeyNaN checks that NaN is in no range and bounds none, and that the two zeros
// are one key.
func TestKeyNaN(t *testing.T) {
	const low, high, highest = 1, 2, 3 // the values
	nan, inf, negZero := math.NaN(), math.Inf(1), math.Copysign(0, -1)
	m := rangelock.New[float64, int](nil)
	ins := func(r rangelock.Range[float64], v int, want error) {
		t.Helper()
		if err := m.Insert(bg, r, v); !errors.Is(err, want) {
			t.Fatalf("Insert(%v) = %v, want %v", r, err, want)
		}
	}
	wantNaN := func() {
		t.Helper()
		if _, ok := m.Acquire(nan); ok {
			t.Fatal("Acquire(NaN) hits")
		}
		if _, err := m.AcquireContext(bg, nan); err != rangelock.ErrNotFound {
			t.Fatalf("AcquireContext(NaN) = %v", err)
		}
		if _, err := m.TryAcquire(nan); err != rangelock.ErrNotFound {
			t.Fatalf("TryAcquire(NaN) = %v", err)
		}
		if _, ok := m.Get(nan); ok {
			t.Fatal("Get(NaN) hits")
		}
		if m.View(nan, func(rangelock.Range[float64], int) {}) {
			t.Fatal("View(NaN) hits")
		}
		w := m.Lock()
		if _, _, ok := w.Find(nan); ok {
			t.Fatal("Find(NaN) hits")
		}
		if err := w.Update(nan, 0); !errors.Is(err, rangelock.ErrNotFound) {
			t.Fatalf("Update(NaN) = %v", err)
		}
		r := w.Downgrade()
		if _, _, ok := r.Find(nan); ok {
			t.Fatal("Reader.Find(NaN) hits")
		}
		if _, ok := r.Acquire(nan); ok {
			t.Fatal("Reader.Acquire(NaN) hits")
		}
		r.Unlock()
	}
	wantNaN()
	for _, r := range []rangelock.Range[float64]{
		rangelock.Span(nan, 1), rangelock.Span(1, nan), rangelock.Span(nan, nan), rangelock.From(nan),
		rangelock.Span(0, negZero), rangelock.Span(negZero, 0), rangelock.Span(inf, inf),
	} {
		ins(r, 0, rangelock.ErrBadRange)
		w := m.Lock()
		if n, err := w.Remove(r); n != 0 || !errors.Is(err, rangelock.ErrBadRange) {
			t.Errorf("Remove(%v) = %d, %v", r, n, err)
		}
		if n, err := w.Retire(r); n != 0 || !errors.Is(err, rangelock.ErrBadRange) {
			t.Errorf("Retire(%v) = %d, %v", r, n, err)
		}
		if err := w.Swap(r, 0); !errors.Is(err, rangelock.ErrBadRange) {
			t.Errorf("Swap(%v) = %v", r, err)
		}
		if err := w.Exclude(r); !errors.Is(err, rangelock.ErrBadRange) {
			t.Errorf("Exclude(%v) = %v", r, err)
		}
		if w.TryExclude(r) {
			t.Errorf("TryExclude(%v) = true", r)
		}
		if s := text(w.Overlapping(r)); s != "" {
			t.Errorf("Overlapping(%v) yields %s", r, s)
		}
		w.Unlock()
	}
	ins(rangelock.Span(math.Inf(-1), 0), low, nil)
	ins(rangelock.Span(0, inf), high, nil)
	ins(rangelock.Range[float64]{Lo: inf, Hi: nan, Unbounded: true}, highest, nil)
	wantNaN()
	for k, want := range map[float64]int{
		math.Inf(-1): low, -math.SmallestNonzeroFloat64: low, 0: high, math.MaxFloat64: high, inf: highest,
	} {
		if v, ok := m.Get(k); !ok || v != want {
			t.Errorf("Get(%v) = %d, %t, want %d", k, v, ok, want)
		}
	}
	if v, ok := m.Get(negZero); !ok || v != high {
		t.Errorf("Get(-0) = %d, %t, want the range from 0", v, ok)
	}
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
}
