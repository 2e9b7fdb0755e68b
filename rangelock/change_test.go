package rangelock_test

import (
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// TestChange checks what each changing operation does, returns and retires, over gaps,
// single ranges, several, and ranges that it would cut, in a map with
// [0, 10)=a [10, 20)=b [30, 40)=d [40, ∞)=e.
func TestChange(t *testing.T) {
	const all = "[0, 10)=a [10, 20)=b [30, 40)=d [40, ∞)=e"
	from := rangelock.From[int]
	none := error(nil)
	partial, bad, overlap, absent := rangelock.ErrPartial, rangelock.ErrBadRange, rangelock.ErrOverlap, rangelock.ErrNotFound
	remove := func(r intRange) func(w intWriter) (int, error) {
		return func(w intWriter) (int, error) { return w.Remove(r) }
	}
	retire := func(r intRange) func(w intWriter) (int, error) {
		return func(w intWriter) (int, error) { return w.Retire(r) }
	}
	swap := func(r intRange) func(w intWriter) (int, error) {
		return func(w intWriter) (int, error) { return 0, w.Swap(r, "x") }
	}
	insert := func(r intRange) func(w intWriter) (int, error) {
		return func(w intWriter) (int, error) { return 0, w.Insert(r, "x") }
	}
	update := func(key int) func(w intWriter) (int, error) {
		return func(w intWriter) (int, error) { return 0, w.Update(key, "x") }
	}
	clear := func(w intWriter) (int, error) { return w.Clear() }
	for _, x := range []struct {
		name    string
		do      func(w intWriter) (int, error)
		n       int
		err     error
		want    string
		retired string
	}{
		{"remove none", remove(rg(20, 30)), 0, none, all, ""},
		{"remove below all", remove(rg(-9, 0)), 0, none, all, ""},
		{"remove one", remove(rg(10, 20)), 1, none, "[0, 10)=a [30, 40)=d [40, ∞)=e", "b"},
		{"remove one in a wider", remove(rg(20, 40)), 1, none, "[0, 10)=a [10, 20)=b [40, ∞)=e", "d"},
		{"remove several", remove(rg(0, 40)), 3, none, "[40, ∞)=e", "a b d"},
		{"remove unbounded", remove(from(40)), 1, none, "[0, 10)=a [10, 20)=b [30, 40)=d", "e"},
		{"remove all", remove(from(-1)), 4, none, "", "a b d e"},
		{"remove cuts low", remove(rg(1, 20)), 0, partial, all, ""},
		{"remove cuts high", remove(rg(0, 19)), 0, partial, all, ""},
		{"remove inside", remove(rg(2, 3)), 0, partial, all, ""},
		{"remove cuts unbounded", remove(rg(30, 99)), 0, partial, all, ""},
		{"remove in unbounded", remove(from(41)), 0, partial, all, ""},
		{"remove bad", remove(rg(10, 0)), 0, bad, all, ""},
		{"retire none", retire(rg(20, 30)), 0, none, all, ""},
		{"retire one", retire(rg(10, 20)), 1, none, "[0, 10)=a [30, 40)=d [40, ∞)=e", "b"},
		{"retire several", retire(rg(10, 40)), 2, none, "[0, 10)=a [40, ∞)=e", "b d"},
		{"retire all", retire(from(0)), 4, none, "", "a b d e"},
		{"retire cuts low", retire(rg(5, 20)), 0, partial, all, ""},
		{"retire cuts high", retire(rg(0, 35)), 0, partial, all, ""},
		{"retire bad", retire(rg(10, 10)), 0, bad, all, ""},
		{"swap a gap", swap(rg(20, 30)), 0, none, "[0, 10)=a [10, 20)=b [20, 30)=x [30, 40)=d [40, ∞)=e", ""},
		{"swap part of a gap", swap(rg(22, 23)), 0, none, "[0, 10)=a [10, 20)=b [22, 23)=x [30, 40)=d [40, ∞)=e", ""},
		{"swap one", swap(rg(10, 20)), 0, none, "[0, 10)=a [10, 20)=x [30, 40)=d [40, ∞)=e", "b"},
		{"swap grows up", swap(rg(10, 30)), 0, none, "[0, 10)=a [10, 30)=x [30, 40)=d [40, ∞)=e", "b"},
		{"swap grows down", swap(rg(25, 40)), 0, none, "[0, 10)=a [10, 20)=b [25, 40)=x [40, ∞)=e", "d"},
		{"swap grows both", swap(rg(-5, 25)), 0, none, "[-5, 25)=x [30, 40)=d [40, ∞)=e", "a b"},
		{"swap several", swap(rg(0, 40)), 0, none, "[0, 40)=x [40, ∞)=e", "a b d"},
		{"swap all", swap(from(-5)), 0, none, "[-5, ∞)=x", "a b d e"},
		{"swap unbounded", swap(from(40)), 0, none, "[0, 10)=a [10, 20)=b [30, 40)=d [40, ∞)=x", "e"},
		{"swap unbounded from a gap", swap(from(20)), 0, none, "[0, 10)=a [10, 20)=b [20, ∞)=x", "d e"},
		{"swap cuts low", swap(rg(15, 30)), 0, partial, all, ""},
		{"swap cuts high", swap(rg(20, 35)), 0, partial, all, ""},
		{"swap inside", swap(rg(32, 35)), 0, partial, all, ""},
		{"swap cuts unbounded", swap(rg(40, 50)), 0, partial, all, ""},
		{"swap bad", swap(rg(40, 40)), 0, bad, all, ""},
		{"insert in a gap", insert(rg(20, 30)), 0, none, "[0, 10)=a [10, 20)=b [20, 30)=x [30, 40)=d [40, ∞)=e", ""},
		{"insert before all", insert(rg(-7, 0)), 0, none, "[-7, 0)=x " + all, ""},
		{"insert over", insert(rg(10, 20)), 0, overlap, all, ""},
		{"insert on the left", insert(rg(-1, 1)), 0, overlap, all, ""},
		{"insert on the right", insert(rg(19, 21)), 0, overlap, all, ""},
		{"insert around", insert(rg(25, 45)), 0, overlap, all, ""},
		{"insert inside", insert(rg(3, 4)), 0, overlap, all, ""},
		{"insert unbounded", insert(from(20)), 0, overlap, all, ""},
		{"insert behind unbounded", insert(rg(1000, 1001)), 0, overlap, all, ""},
		{"insert bad", insert(rg(25, 25)), 0, bad, all, ""},
		{"insert upside down", insert(rg(28, 22)), 0, bad, all, ""},
		{"update", update(10), 0, none, "[0, 10)=a [10, 20)=x [30, 40)=d [40, ∞)=e", "b"},
		{"update unbounded", update(1 << 30), 0, none, "[0, 10)=a [10, 20)=b [30, 40)=d [40, ∞)=x", "e"},
		{"update in a gap", update(20), 0, absent, all, ""},
		{"update below all", update(-1), 0, absent, all, ""},
		{"clear", clear, 4, none, "", "a b d e"},
	} {
		t.Run(x.name, func(t *testing.T) {
			for _, excluded := range []bool{false, true} {
				m, rec := tens("a", "b", "", "d")
				w := m.Lock()
				if err := w.Insert(from(40), "e"); err != nil {
					t.Fatal(err)
				}
				if excluded {
					if err := w.Exclude(from(-9)); err != nil {
						t.Fatal(err)
					}
				} else {
					w.Unlock()
					w = m.Lock()
				}
				n, err := x.do(w)
				if n != x.n || !errors.Is(err, x.err) || x.err == nil && err != nil {
					t.Errorf("returns %d, %v, want %d, %v", n, err, x.n, x.err)
				}
				if got := text(w.Overlapping(from(-100))); got != x.want {
					t.Errorf("the writer sees %q, want %q", got, x.want)
				}
				w.Unlock()
				wantContents(t, m, x.want)
				if err := m.Drain(bg); err != nil {
					t.Fatal(err)
				}
				if rec.sorted() != x.retired {
					t.Errorf("retired are %q, want %q", rec, x.retired)
				}
			}
		})
	}
}

// TestUpdateEqual checks that Update and Swap retire the old value even if the new one equals it,
// and that they retire each of several in one transaction.
func TestUpdateEqual(t *testing.T) {
	m, rec := tens("a", "b")
	w := m.Lock()
	for range 3 {
		if err := w.Update(0, "a"); err != nil {
			t.Fatal(err)
		}
		if err := w.Swap(rg(10, 20), "b"); err != nil {
			t.Fatal(err)
		}
	}
	w.Unlock()
	wantContents(t, m, "[0, 10)=a [10, 20)=b")
	if err := m.Drain(bg); err != nil {
		t.Fatal(err)
	}
	if rec.String() != "a b a b a b" {
		t.Errorf("retired are %q", rec)
	}
	usable(t, m)
}

// TestLoad checks counts and contents, with ranges in order and in any order, into many leaves
// and into a map that is not empty, and when a range in the middle is refused.
func TestLoad(t *testing.T) {
	n := 20 * rangelock.LeafCap
	seq := func(order func(i int) int, bad map[int]intRange) iter.Seq2[intRange, string] {
		return func(yield func(intRange, string) bool) {
			for i := range n {
				r := rg(10*order(i), 10*order(i)+10)
				if b, ok := bad[i]; ok {
					r = b
				}
				if !yield(r, fmt.Sprint(order(i))) {
					return
				}
			}
		}
	}
	up := func(i int) int { return i }
	down := func(i int) int { return n - 1 - i }
	apart := func(i int) int { return (i * 7) % n }
	for n%7 == 0 {
		n++
	}
	for _, x := range []struct {
		name  string
		order func(i int) int
		bad   map[int]intRange
		want  int
		err   error
	}{
		{"up", up, nil, n, nil},
		{"down", down, nil, n, nil},
		{"apart", apart, nil, n, nil},
		{"overlap", up, map[int]intRange{n / 2: rg(5, 6)}, n / 2, rangelock.ErrOverlap},
		{"overlap of a neighbour", up, map[int]intRange{n / 2: rg(10*(n/2)-1, 10*(n/2)+10)}, n / 2, rangelock.ErrOverlap},
		{"overlap of what was there", up, map[int]intRange{n / 3: rg(-10, -5)}, n / 3, rangelock.ErrOverlap},
		{"bad", apart, map[int]intRange{n - 1: rg(5, 5)}, n - 1, rangelock.ErrBadRange},
		{"bad at once", up, map[int]intRange{0: {}}, 0, rangelock.ErrBadRange},
		{"unbounded", up, map[int]intRange{n - 5: rangelock.From(10 * (n - 5))}, n - 4, rangelock.ErrOverlap},
	} {
		t.Run(x.name, func(t *testing.T) {
			m, _ := tens()
			w := m.Lock()
			if err := w.Insert(rg(-20, 0), "there"); err != nil {
				t.Fatal(err)
			}
			got, err := w.Load(seq(x.order, x.bad))
			if got != x.want || !errors.Is(err, x.err) || x.err == nil && err != nil {
				t.Errorf("Load = %d, %v, want %d, %v", got, err, x.want, x.err)
			}
			if m.Len() != x.want+1 {
				t.Errorf("Len is %d", m.Len())
			}
			w.Unlock()
			if err := m.Verify(); err != nil {
				t.Fatal(err)
			}
			for i := range x.want {
				if v, ok := m.Get(10*x.order(i) + 9); !ok || v != fmt.Sprint(x.order(i)) {
					t.Fatalf("Get(%d) = %q, %t", 10*x.order(i)+9, v, ok)
				}
			}
			if n, err := m.Retire(bg, rangelock.From(-20)); n != x.want+1 || err != nil {
				t.Errorf("Retire = %d, %v", n, err)
			}
			usable(t, m)
		})
	}
}

// TestLoadUsesWriter checks that the sequence that Load reads may look at the map.
func TestLoadUsesWriter(t *testing.T) {
	m, _ := tens("a")
	w := m.Lock()
	n, err := w.Load(func(yield func(intRange, string) bool) {
		for i := 1; i < 100; i++ {
			r, _, ok := w.Find(10*i - 1)
			if !ok {
				t.Errorf("Find(%d) misses in the middle of Load", 10*i-1)
				return
			}
			if !yield(rg(r.Hi, r.Hi+10), "x") {
				return
			}
		}
	})
	if n != 99 || err != nil {
		t.Errorf("Load = %d, %v", n, err)
	}
	w.Unlock()
	usable(t, m)
}

// TestClear checks that Clear returns how many ranges it retires, empties a map of many leaves,
// and leaves a map that can be filled again.
func TestClear(t *testing.T) {
	for _, n := range []int{0, 1, rangelock.LeafCap, rangelock.LeafCap + 1, 50*rangelock.LeafCap + 3} {
		m, rec := tens()
		for range 3 {
			w := m.Lock()
			for i := range n {
				if err := w.Insert(rg(10*i, 10*i+10), "x"); err != nil {
					t.Fatal(err)
				}
			}
			w.Unlock()
			w = m.Lock()
			if got, err := w.Clear(); got != n || err != nil || m.Len() != 0 {
				t.Errorf("Clear = %d, %v, want %d; %d left", got, err, n, m.Len())
			}
			if got, err := w.Clear(); got != 0 || err != nil {
				t.Errorf("Clear of the empty map = %d, %v", got, err)
			}
			w.Unlock()
			usable(t, m)
		}
		if len(rec.list) != 3*n {
			t.Errorf("%d retired, want %d", len(rec.list), 3*n)
		}
	}
}
