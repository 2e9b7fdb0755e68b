package rangelock_test

import (
	"bytes"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// sequences are the ways to iterate over a map; each calls f with one sequence.
func sequences(m *intMap, f func(name string, seq iter.Seq2[intRange, string])) {
	f("All", m.All())
	w := m.Lock()
	f("Writer.Overlapping", w.Overlapping(rangelock.From(-100)))
	r := w.Downgrade()
	f("Reader.Overlapping", r.Overlapping(rangelock.From(-100)))
	r.Unlock()
}

// TestIterate checks that every sequence yields all ranges in order, each time it is used, and
// stops when the body stops.
func TestIterate(t *testing.T) {
	for _, n := range []int{0, 1, rangelock.LeafCap, rangelock.LeafCap + 1, 30 * rangelock.LeafCap} {
		m := numbered(n)
		sequences(m, func(name string, seq iter.Seq2[intRange, string]) {
			for range 2 {
				i := 0
				for r, v := range seq {
					if r != rg(10*i, 10*i+10) || v != fmt.Sprint(i) {
						t.Fatalf("%s yields %v=%q at %d", name, r, v, i)
					}
					i++
				}
				if i != n {
					t.Fatalf("%s yields %d, want %d", name, i, n)
				}
			}
			for stop := 1; stop <= n; stop += 1 + n/7 {
				i := 0
				for range seq {
					if i++; i == stop {
						break
					}
				}
				if i != stop {
					t.Fatalf("%s yields %d before %d", name, i, stop)
				}
			}
			next, stop := iter.Pull2(seq)
			if r, _, ok := next(); ok != (n > 0) || ok && r.Lo != 0 {
				t.Fatalf("%s pulled yields %v, %t", name, r, ok)
			}
			stop()
		})
		usable(t, m)
	}
}

// TestOverlapping checks which ranges overlap, at every edge, for Writer and Reader.
func TestOverlapping(t *testing.T) {
	m, _ := tens("a", "b", "", "d")
	w := m.Lock()
	if err := w.Insert(rangelock.From(50), "e"); err != nil {
		t.Fatal(err)
	}
	cases := map[intRange]string{
		rg(-5, 0): "", rg(-5, 1): "a", rg(0, 10): "a", rg(3, 4): "a", rg(9, 10): "a", rg(9, 11): "ab", rg(10, 20): "b",
		rg(10, 30): "b", rg(20, 30): "", rg(20, 31): "d", rg(19, 31): "bd", rg(0, 40): "abd", rg(40, 50): "", rg(45, 51): "e",
		rg(1000, 1001): "e", rg(-5, 1000): "abde", rangelock.From(40): "e", rangelock.From(39): "de", rangelock.From(-5): "abde",
		rangelock.From(1 << 30): "e", {Lo: 15, Hi: -3, Unbounded: true}: "bde",
		rg(5, 5): "", rg(6, 5): "", {}: "",
	}
	check := func(who string, overlapping func(intRange) iter.Seq2[intRange, string]) {
		for o, want := range cases {
			got := ""
			for _, v := range overlapping(o) {
				got += v
			}
			if got != want {
				t.Errorf("%s.Overlapping(%v) yields %q, want %q", who, o, got, want)
			}
		}
	}
	check("Writer", w.Overlapping)
	r := w.Downgrade()
	check("Reader", r.Overlapping)
	r.Unlock()
}

// TestIterateBodyChanges checks bodies that change the map: every range that stays is yielded
// once, in order, and each range that is yielded was in the map.
func TestIterateBodyChanges(t *testing.T) {
	n := 10 * rangelock.LeafCap
	for _, x := range []struct {
		name string
		do   func(w intWriter, r intRange, v string) error
		left int
	}{
		{"remove itself", func(w intWriter, r intRange, _ string) error { _, err := w.Remove(r); return err }, 0},
		{"retire itself", func(w intWriter, r intRange, _ string) error { _, err := w.Retire(r); return err }, 0},
		{"update itself", func(w intWriter, r intRange, v string) error { return w.Update(r.Lo, v) }, n},
		{"swap itself", func(w intWriter, r intRange, v string) error { return w.Swap(r, v) }, n},
		{"remove what is behind", func(w intWriter, r intRange, _ string) error {
			_, err := w.Remove(rg(-10, r.Lo))
			return err
		}, 1},
		{"replace by halves", func(w intWriter, r intRange, v string) error {
			if _, err := w.Remove(r); err != nil {
				return err
			}
			if err := w.Insert(rg(r.Lo, r.Lo+5), v); err != nil {
				return err
			}
			return w.Insert(rg(r.Lo+5, r.Hi), v+"+")
		}, 2 * n},
		{"insert before all", func(w intWriter, r intRange, v string) error {
			return w.Insert(rg(-r.Hi, -r.Lo), "-"+v)
		}, 2 * n},
	} {
		for _, all := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/all=%t", x.name, all), func(t *testing.T) {
				m := numbered(n)
				w := m.Lock()
				seq := w.Overlapping(rangelock.From(0))
				if all {
					seq = m.All()
				}
				i, last := 0, -1<<30
				for r, v := range seq {
					if r.Lo < last {
						t.Fatalf("%v after what ends at %d", r, last)
					}
					last = r.Hi
					if r == rg(10*i, 10*i+10) && v == fmt.Sprint(i) {
						i++
					} else {
						t.Fatalf("yields %v=%q where %d is next", r, v, i)
					}
					if err := x.do(w, r, v); err != nil {
						t.Fatal(err)
					}
				}
				if i != n {
					t.Errorf("yields %d of the ranges, want %d", i, n)
				}
				if m.Len() != x.left {
					t.Errorf("%d ranges are left, want %d", m.Len(), x.left)
				}
				w.Unlock()
				usable(t, m)
			})
		}
	}
}

// TestIterateBodyTransactions checks that the body of All may begin transactions, and may acquire,
// drain and iterate again.
func TestIterateBodyTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 4 * rangelock.LeafCap
		m := numbered(n)
		i := 0
		for r := range m.All() {
			i++
			g, ok := m.Acquire(r.Lo)
			if !ok {
				t.Fatalf("Acquire(%d) misses", r.Lo)
			}
			g.Release()
			if _, err := m.Remove(bg, r); err != nil {
				t.Fatal(err)
			}
			// The iterator holds nothing that would prevent OnRetire from running.
			if err := m.Drain(bg); err != nil {
				t.Fatal(err)
			}
			for range m.All() {
				break
			}
		}
		if i != n || m.Len() != 0 {
			t.Errorf("yields %d, leaves %d", i, m.Len())
		}
	})
}

// TestIterateInsertsAhead checks a body that inserts ranges ahead of the iteration: what is yielded
// was in the map and is in order, and no range from before the call is left out.
func TestIterateInsertsAhead(t *testing.T) {
	for _, n := range []int{1, rangelock.LeafCap, 3 * rangelock.LeafCap} {
		m, _ := tens()
		w := m.Lock()
		for i := range n {
			if err := w.Insert(rg(100*i, 100*i+10), "old"); err != nil {
				t.Fatal(err)
			}
		}
		old, last := 0, -1
		for r, v := range w.Overlapping(rg(0, 100*n)) {
			if r.Lo <= last || r.Lo >= 100*n {
				t.Fatalf("yields %v=%q after %d", r, v, last)
			}
			last = r.Lo
			if v == "old" {
				if r != rg(100*old, 100*old+10) {
					t.Fatalf("yields %v where %d is next", r, 100*old)
				}
				old++
			}
			if r.Lo%100 == 90 {
				continue
			}
			if err := w.Insert(rg(r.Lo+10, r.Lo+20), "new"); err != nil {
				t.Fatal(err)
			}
		}
		if old != n {
			t.Errorf("yields %d ranges from before the call, want %d", old, n)
		}
		w.Unlock()
		usable(t, m)
	}
}

// TestIteratePanics checks that a body that panics leaves no guard, pin or lock behind.
func TestIteratePanics(t *testing.T) {
	m := numbered(3 * rangelock.LeafCap)
	func() {
		defer func() { recover() }()
		for range m.All() {
			panic("mine")
		}
	}()
	func() {
		defer func() { recover() }()
		w := m.Lock()
		defer w.Unlock()
		for range w.Overlapping(rg(0, 100)) {
			panic("mine")
		}
	}()
	usable(t, m)
}

// TestAllWhileChanging checks All while a writer changes every other range. It yields those that
// stay once each, in order, and of the others only values that were inserted.
func TestAllWhileChanging(t *testing.T) {
	n := 8 * rangelock.LeafCap
	m := numbered(n)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 1; ; i = (i + 14) % n {
			select {
			case <-stop:
				return
			default:
			}
			i |= 1
			w := m.Lock()
			r := rg(10*i, 10*i+10)
			var err error
			switch _, _, there := w.Find(r.Lo); {
			case !there:
				err = w.Insert(r, fmt.Sprint(i))
			case i%3 == 0:
				err = w.Swap(r, fmt.Sprint(i))
			default:
				_, err = w.Remove(r)
			}
			if err != nil {
				t.Error(err)
			}
			w.Unlock()
		}
	}()
	for range 200 {
		next, last := 0, -1
		for r, v := range m.All() {
			i := r.Lo / 10
			if r != rg(10*i, 10*i+10) || v != fmt.Sprint(i) || i <= last {
				t.Fatalf("yields %v=%q after %d", r, v, last)
			}
			last = i
			if i%2 == 0 {
				if i != next {
					t.Fatalf("yields %d, want %d first", i, next)
				}
				next += 2
			}
		}
		if next != n {
			t.Fatalf("ends before %d of %d", next, n)
		}
	}
	close(stop)
	<-done
	usable(t, m)
}

// TestGuardsOfChangedKeys checks that Guards panics with a message if the next range does not end
// above the last one, because its caller has changed the bytes of a key that the map has. Without
// that check it loops for ever.
//
// It kills 45_guards_walk_back.
func TestGuardsOfChangedKeys(t *testing.T) {
	const n = rangelock.LeafCap + 3
	for at := range byte(n) {
		for to := range byte(n) {
			m := rangelock.NewFunc[[]byte, int](bytes.Compare, nil)
			w := m.Lock()
			for i := range byte(n) {
				must(t, w.Insert(rangelock.Span([]byte{i}, []byte{i, 1}), 0))
			}
			r, _, _ := w.Find([]byte{at})
			w.Unlock()
			r.Hi[0] = to
			var panicked any
			steps := 0
			func() {
				defer func() { panicked = recover() }()
				for range m.Guards(rangelock.From([]byte{})) {
					if steps++; steps > n {
						break
					}
				}
			}()
			if steps > n {
				t.Fatalf("the end of %d of %d is changed to %d: Guards loops", at, n, to)
			}
			s, _ := panicked.(string)
			if back := to < at; back != strings.HasPrefix(s, "rangelock: a walk has come to [") || back != (panicked != nil) {
				t.Fatalf("the end of %d is changed to %d: panic %v", at, to, panicked)
			}
			w = m.Lock()
			if !w.TryExclude(rangelock.From([]byte{})) {
				t.Fatalf("the end of %d is changed to %d: a guard is left behind", at, to)
			}
			w.Unlock()
		}
	}
}
