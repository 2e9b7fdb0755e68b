package rangelock_test

import (
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestReader checks what a Reader shows, that several can exist at once, and that the next
// transaction begins only after all of them.
func TestReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "", "c", "d")
		r1 := m.RLock()
		r2, err := m.RLockContext(bg)
		if err != nil {
			t.Fatal(err)
		}
		c := start("Lock", func() {
			w := m.Lock()
			if err := w.Swap(rg(0, 30), "x"); err != nil {
				t.Error(err)
			}
			w.Unlock()
		})
		c.waits(t)
		// A writer that waits delays further Readers, but no other kind of reader.
		late := start("RLock", func() { m.RLock().Unlock() })
		late.waits(t)
		wantTry(t, m, 5, "a")
		wantTry(t, m, 15, rangelock.ErrNotFound)
		for _, r := range []rangelock.Reader[int, string]{r1, r2} {
			for key, want := range map[int]string{-1: "", 0: "a", 9: "a", 10: "", 20: "c", 30: "d", 39: "d", 40: ""} {
				b, v, ok := r.Find(key)
				if ok != (want != "") || v != want || ok && b != rg(key/10*10, key/10*10+10) {
					t.Errorf("Find(%d) = %v, %q, %t, want %q", key, b, v, ok, want)
				}
				g, ok := r.Acquire(key)
				if ok != (want != "") {
					t.Errorf("Acquire(%d) = %t", key, ok)
				}
				if ok {
					g.Release()
				}
			}
			if s := text(r.Overlapping(rg(9, 21))); s != "[0, 10)=a [20, 30)=c" {
				t.Errorf("Overlapping yields %s", s)
			}
		}
		r1.Unlock()
		c.waits(t)
		go r2.Unlock() // another goroutine may end it
		c.returns(t)
		late.returns(t)
		wantContents(t, m, "[0, 30)=x [30, 40)=d")
		usable(t, m)
	})
}

// TestReaderGuard checks that a guard that was taken with a Reader stays valid after its Unlock.
func TestReaderGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a")
		r := m.RLock()
		g, ok := r.Acquire(5)
		if !ok {
			t.Fatal("Acquire misses")
		}
		r.Unlock()
		w := m.Lock()
		if w.TryExclude(rg(0, 10)) {
			t.Error("TryExclude succeeds beside the guard")
		}
		if _, err := w.Retire(rg(0, 10)); err != nil {
			t.Error(err)
		}
		w.Unlock()
		synctest.Wait()
		if g.Value() != "a" || rec.String() != "" {
			t.Errorf("the guard's value is %q, retired are %q", g.Value(), rec)
		}
		g.Release()
		synctest.Wait()
		if rec.String() != "a" {
			t.Errorf("retired are %q", rec)
		}
		usable(t, m)
	})
}

// TestDowngrade checks that no writer runs between a transaction and the Reader that Downgrade
// returns, and that readers of every kind may run beside that Reader.
func TestDowngrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		w := m.Lock()
		if err := w.Update(5, "b"); err != nil {
			t.Fatal(err)
		}
		if err := w.Insert(rg(10, 20), "c"); err != nil {
			t.Fatal(err)
		}
		reader := start("RLock", func() { m.RLock().Unlock() })
		reader.waits(t)
		next := start("Lock", func() {
			w := m.Lock()
			if err := w.Update(5, "never seen by the Reader"); err != nil {
				t.Error(err)
			}
			w.Unlock()
		})
		next.waits(t)
		r := w.Downgrade()
		reader.returns(t)
		next.waits(t)
		wantTry(t, m, 5, "b")
		wantTry(t, m, 15, "c")
		wantTry(t, m, 25, rangelock.ErrNotFound)
		if s := text(r.Overlapping(rangelock.From(0))); s != "[0, 10)=b [10, 20)=c" {
			t.Errorf("the Reader sees %s", s)
		}
		if _, ok := m.TryLock(); ok {
			t.Error("TryLock succeeds under a Reader")
		}
		r.Unlock()
		next.returns(t)
		usable(t, m)
	})
}

// TestReaderMisuse checks that each method panics on the zero Reader, and on each copy of a Reader
// after the Unlock of one of them, also while other Readers or a writer hold the semaphore.
func TestReaderMisuse(t *testing.T) {
	for name, f := range map[string]func(r rangelock.Reader[int, string]){
		"Find":        func(r rangelock.Reader[int, string]) { r.Find(5) },
		"Acquire":     func(r rangelock.Reader[int, string]) { r.Acquire(5) },
		"Overlapping": func(r rangelock.Reader[int, string]) { text(r.Overlapping(rg(0, 10))) },
		"Unlock":      func(r rangelock.Reader[int, string]) { r.Unlock() },
	} {
		wantPanic(t, name+" of the zero Reader", func() { f(rangelock.Reader[int, string]{}) })
		m, _ := tens("a")
		r := m.RLock()
		copied := r
		r.Unlock()
		for what, r := range map[string]rangelock.Reader[int, string]{"the variable": r, "a copy": copied} {
			wantPanic(t, name+" of "+what+" after Unlock", func() { f(r) })
			other := m.RLock()
			wantPanic(t, name+" of "+what+" with another Reader under way", func() { f(r) })
			if _, ok := m.TryLock(); ok {
				t.Errorf("%s of %s ended another Reader", name, what)
			}
			if _, _, ok := other.Find(5); !ok {
				t.Error("the other Reader misses")
			}
			other.Unlock()
			w := m.Lock()
			wantPanic(t, name+" of "+what+" with a writer under way", func() { f(r) })
			if _, ok := m.TryLock(); ok {
				t.Errorf("%s of %s ended the transaction", name, what)
			}
			r2 := w.Downgrade()
			wantPanic(t, name+" of "+what+" after a Downgrade", func() { f(r) })
			copied := r2
			r2.Unlock()
			wantPanic(t, name+" of a copy of a downgraded Reader", func() { f(copied) })
		}
		usable(t, m)
	}
	m, _ := tens("a", "b")
	r := m.RLock()
	seq := r.Overlapping(rg(0, 20))
	r.Unlock()
	wantPanic(t, "an iterator used after Unlock", func() { text(seq) })
	usable(t, m)
}
