package rangelock_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestTransactionAtOnce checks promise P3: a reader that meets any part of a transaction waits
// for all of it, the readers that wait go on together, and the writer sees what it has done.
func TestTransactionAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b", "c")
		w := m.Lock()
		if err := w.Swap(rg(0, 20), "ab"); err != nil {
			t.Fatal(err)
		}
		got := make([]string, 3)
		var calls []*call
		for i, key := range []int{5, 15, 45} {
			calls = append(calls, start("Acquire", func() {
				if g, ok := m.Acquire(key); ok {
					got[i] = g.Value()
					g.Release()
				}
			}))
		}
		step := func(n int, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			if n != m.Len() {
				t.Fatalf("Len is %d, want %d", m.Len(), n)
			}
			for _, c := range calls {
				c.waits(t)
			}
		}
		step(2, nil)
		step(3, w.Insert(rg(40, 50), "e"))
		step(3, w.Update(45, "E"))
		n, err := w.Remove(rg(0, 20))
		if n != 1 {
			t.Errorf("Remove = %d", n)
		}
		step(2, err)
		step(3, w.Insert(rg(5, 10), "A"))
		for key, want := range map[int]string{0: "", 5: "A", 15: "", 25: "c", 45: "E"} {
			if _, v, ok := w.Find(key); v != want || ok != (want != "") {
				t.Errorf("Find(%d) = %q, %t, want %q", key, v, ok, want)
			}
		}
		if s := text(w.Overlapping(rg(-100, 100))); s != "[5, 10)=A [20, 30)=c [40, 50)=E" {
			t.Errorf("Overlapping yields %s", s)
		}
		w.Unlock()
		for _, c := range calls {
			c.returns(t)
		}
		if !slices.Equal(got, []string{"A", "", "E"}) {
			t.Errorf("readers see %q", got)
		}
		usable(t, m)
	})
}

// TestTransactionNoRollback checks that an operation that fails has no effect, and that the
// operations before and after it stand.
func TestTransactionNoRollback(t *testing.T) {
	m, rec := tens("a", "b", "c")
	w := m.Lock()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	fails := func(err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Fatalf("error is %v, want %v", err, want)
		}
		if err := m.Verify(); err != nil {
			t.Fatal(err)
		}
	}
	ok(w.Insert(rg(30, 40), "d"))
	fails(w.Insert(rg(35, 45), "x"), rangelock.ErrOverlap)
	_, err := w.Remove(rg(0, 15))
	fails(err, rangelock.ErrPartial)
	_, err = w.Retire(rg(5, 20))
	fails(err, rangelock.ErrPartial)
	ok(w.Update(0, "A"))
	fails(w.Swap(rg(15, 40), "x"), rangelock.ErrPartial)
	fails(w.Update(40, "x"), rangelock.ErrNotFound)
	n, err := w.Load(func(yield func(intRange, string) bool) {
		_ = yield(rg(50, 60), "e") && yield(rg(60, 70), "f") && yield(rg(55, 65), "x") && yield(rg(70, 80), "never")
	})
	if n != 2 {
		t.Errorf("Load = %d", n)
	}
	fails(err, rangelock.ErrOverlap)
	ok(w.Insert(rg(40, 50), "E"))
	w.Unlock()
	wantContents(t, m, "[0, 10)=A [10, 20)=b [20, 30)=c [30, 40)=d [40, 50)=E [50, 60)=e [60, 70)=f")
	usable(t, m)
	if rec.String() != "a" {
		t.Errorf("retired are %v", rec)
	}
}

// TestTransactionPasses checks that one transaction is under way at a time, that TryLock reports
// whether one is, and that a Writer may be passed from one goroutine to another.
func TestTransactionPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		w, ok := m.TryLock()
		if !ok {
			t.Fatal("TryLock of a free map fails")
		}
		if _, ok := m.TryLock(); ok {
			t.Fatal("TryLock succeeds twice")
		}
		next := start("Lock", func() { m.Lock().Unlock() })
		withContext := start("LockContext", func() {
			w, err := m.LockContext(bg)
			if err != nil {
				t.Error(err)
				return
			}
			w.Unlock()
		})
		next.waits(t)
		withContext.waits(t)
		passed := start("another goroutine", func() {
			if err := w.Insert(rg(10, 20), "b"); err != nil {
				t.Error(err)
			}
			w.Unlock()
		})
		passed.returns(t)
		next.returns(t)
		withContext.returns(t)
		wantContents(t, m, "[0, 10)=a [10, 20)=b")
		r := m.RLock()
		if _, ok := m.TryLock(); ok {
			t.Error("TryLock succeeds under a Reader")
		}
		next = start("Lock", func() { m.Lock().Unlock() })
		next.waits(t)
		r.Unlock()
		next.returns(t)
		usable(t, m)
	})
}

// writerMethods calls each method of a Writer.
var writerMethods = map[string]func(w intWriter){
	"Insert":     func(w intWriter) { w.Insert(rg(50, 60), "x") },
	"Insert bad": func(w intWriter) { w.Insert(rg(50, 50), "x") },
	"Exclude":    func(w intWriter) { w.Exclude(rg(0, 10)) },
	"TryExclude": func(w intWriter) { w.TryExclude(rg(0, 10)) },
	"Update":     func(w intWriter) { w.Update(5, "x") },
	"Remove":     func(w intWriter) { w.Remove(rg(0, 10)) },
	"Remove gap": func(w intWriter) { w.Remove(rg(50, 60)) },
	"Retire":     func(w intWriter) { w.Retire(rg(0, 10)) },
	"Swap":       func(w intWriter) { w.Swap(rg(0, 10), "x") },
	"Load": func(w intWriter) {
		w.Load(func(yield func(intRange, string) bool) { yield(rg(50, 60), "x") })
	},
	"Clear":       func(w intWriter) { w.Clear() },
	"Find":        func(w intWriter) { w.Find(5) },
	"Overlapping": func(w intWriter) { text(w.Overlapping(rg(0, 10))) },
	"Unlock":      func(w intWriter) { w.Unlock() },
	"Downgrade":   func(w intWriter) { w.Downgrade() },
}

// TestWriterStale checks that each method of a Writer panics after its Unlock and its Downgrade,
// on a free map, during another transaction and under a Reader, and that nothing changes; and
// that the zero Writer panics.
func TestWriterStale(t *testing.T) {
	for name, f := range writerMethods {
		t.Run(name, func(t *testing.T) {
			wantPanic(t, name+" of the zero Writer", func() { f(intWriter{}) })

			m, rec := tens("a", "b")
			w := m.Lock()
			w.Unlock()
			wantPanic(t, name+" after Unlock", func() { f(w) })
			usable(t, m)

			w2 := m.Lock()
			wantPanic(t, name+" during another transaction", func() { f(w) })
			w3 := w2
			if err := w3.Exclude(rg(0, 10)); err != nil {
				t.Fatal(err)
			}
			wantPanic(t, name+" during another transaction", func() { f(w) })
			wantTry(t, m, 5, rangelock.ErrBusy)
			r := w2.Downgrade()
			wantTry(t, m, 5, "a")
			wantPanic(t, name+" of a copy after Downgrade", func() { f(w3) })
			wantPanic(t, name+" after Unlock under a Reader", func() { f(w) })
			if _, ok := m.TryLock(); ok {
				t.Error("the Reader has lost its hold")
			}
			r.Unlock()
			wantPanic(t, name+" after Downgrade and Unlock", func() { f(w2) })
			wantContents(t, m, "[0, 10)=a [10, 20)=b")
			usable(t, m)
			if rec.String() != "" {
				t.Errorf("retired are %v", rec)
			}
		})
	}
}

// TestWriterStaleIterator checks that an iterator taken from a Writer does not outlive
// the transaction.
func TestWriterStaleIterator(t *testing.T) {
	m, _ := tens("a", "b", "c")
	w := m.Lock()
	seq := w.Overlapping(rg(0, 30))
	w.Unlock()
	wantPanic(t, "an iterator used after Unlock", func() { text(seq) })
	w = m.Lock()
	wantPanic(t, "an iterator used in the next transaction", func() { text(seq) })
	w.Unlock()
	usable(t, m)
}

// TestTransactionPanics lets a transaction with a deferred Unlock end by a panic. What it did
// stays, and the map is in order.
func TestTransactionPanics(t *testing.T) {
	m, _ := tens("a")
	func() {
		defer func() { recover() }()
		w := m.Lock()
		defer w.Unlock()
		if err := w.Insert(rg(10, 20), "b"); err != nil {
			t.Error(err)
		}
		panic("mine")
	}()
	wantContents(t, m, "[0, 10)=a [10, 20)=b")
	// In the middle of Load.
	func() {
		defer func() { recover() }()
		w := m.Lock()
		defer w.Unlock()
		w.Load(func(yield func(intRange, string) bool) {
			yield(rg(20, 30), "c")
			panic("mine")
		})
	}()
	wantContents(t, m, "[0, 10)=a [10, 20)=b [20, 30)=c")
	usable(t, m)
}
