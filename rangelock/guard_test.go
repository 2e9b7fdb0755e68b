package rangelock_test

import (
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestGuardStable checks promise P1: while a guard is held its range keeps bounds and value and is
// not retired, whatever other goroutines do to the keys. It also checks that Retire, Swap, Clear
// and the first half of Close do not wait for the guard.
func TestGuardStable(t *testing.T) {
	for _, x := range []struct {
		name string
		do   func(w intWriter) error
		now  string
	}{
		{"Retire", func(w intWriter) error { _, err := w.Retire(rg(0, 20)); return err }, ""},
		{"Swap", func(w intWriter) error { return w.Swap(rg(0, 20), "x") }, "[0, 20)=x"},
		{"Swap same", func(w intWriter) error { return w.Swap(rg(0, 10), "a") }, "[0, 10)=a [10, 20)=b"},
		{"Clear", func(w intWriter) error { _, err := w.Clear(); return err }, ""},
		{"Retire and insert", func(w intWriter) error {
			if _, err := w.Retire(rg(-5, 20)); err != nil {
				return err
			}
			return w.Insert(rg(0, 10), "again")
		}, "[0, 10)=again"},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, rec := tens("a", "b")
				g := hold(t, m, 5)
				c := start(x.name, func() {
					w := m.Lock()
					if err := x.do(w); err != nil {
						t.Error(err)
					}
					w.Unlock()
				})
				c.returns(t)
				wantContents(t, m, x.now)
				// Use the keys and the headers many more times.
				for range 100 {
					w := m.Lock()
					if err := w.Swap(rg(0, 20), "later"); err != nil {
						t.Fatal(err)
					}
					w.Unlock()
					// A writer that excludes the keys does not wait for guards on ranges
					// that have left.
					w = m.Lock()
					if !w.TryExclude(rg(0, 20)) {
						t.Fatal("Exclude waits for a guard on a range that has left")
					}
					w.Unlock()
				}
				synctest.Wait()
				if g.Value() != "a" || g.Range() != rg(0, 10) {
					t.Errorf("the guard is %v %q", g.Range(), g.Value())
				}
				for _, v := range rec.list {
					if v == "a" && x.name != "Swap same" {
						t.Error("retired while a guard is held")
					}
				}
				n := len(rec.list)
				drain := start("Drain", func() {
					if err := m.Drain(bg); err != nil {
						t.Error(err)
					}
				})
				drain.waits(t)
				g.Release()
				drain.returns(t)
				if len(rec.list) != n+1 || rec.list[n] != "a" {
					t.Errorf("after the release %v are retired", rec.list[n:])
				}
				usable(t, m)
			})
		})
	}
}

// TestGuardExcludes checks the other half of P1: Exclude, Remove and Update wait for every guard on
// the range object, and return when the last of them is released.
func TestGuardExcludes(t *testing.T) {
	for name, do := range map[string]func(w intWriter) error{
		"Exclude": func(w intWriter) error { return w.Exclude(rg(9, 11)) },
		"Remove":  func(w intWriter) error { _, err := w.Remove(rg(0, 20)); return err },
		"Extract": func(w intWriter) error { _, _, err := w.Extract(9); return err },
		"Update":  func(w intWriter) error { return w.Update(9, "A") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, rec := tens("a", "b", "c")
				g1, g2, other := hold(t, m, 5), hold(t, m, 9), hold(t, m, 25)
				c := start(name, func() {
					w := m.Lock()
					if err := do(w); err != nil {
						t.Error(err)
					}
					w.Unlock()
				})
				c.waits(t)
				wantTry(t, m, 5, rangelock.ErrBusy)
				wantTry(t, m, 25, "c")
				g1.Release()
				c.waits(t)
				if g2.Value() != "a" || g2.Range() != rg(0, 10) || rec.String() != "" {
					t.Errorf("the guard is %v %q, retired are %v", g2.Range(), g2.Value(), rec)
				}
				// A goroutine other than the one that acquired it may release a guard.
				go g2.Release()
				c.returns(t)
				if other.Value() != "c" {
					t.Error("another guard has changed")
				}
				other.Release()
				usable(t, m)
			})
		})
	}
}

// TestGuardMisuse checks that each misuse of a guard panics, and that the map and the other guards
// are not affected.
func TestGuardMisuse(t *testing.T) {
	var zero intGuard
	wantPanic(t, "Release of the zero Guard", func() { zero.Release() })
	wantPanic(t, "Value of the zero Guard", func() { zero.Value() })
	wantPanic(t, "Range of the zero Guard", func() { zero.Range() })

	m, _ := tens("a", "b")
	g := hold(t, m, 5)
	other := hold(t, m, 15)
	copied := g
	g.Release()
	if g != zero {
		t.Error("Release leaves something in the guard")
	}
	wantPanic(t, "the second Release of a variable", func() { g.Release() })
	wantPanic(t, "Value after Release", func() { g.Value() })
	wantPanic(t, "Range after Release", func() { g.Range() })
	for range 3 {
		c := copied
		wantPanic(t, "Release of a copy", func() { c.Release() })
	}
	if other.Value() != "b" {
		t.Error("the other guard has changed")
	}
	other.Release()
	usable(t, m)

	// The copy outlives the range, and a new range may reuse its header.
	copied = hold(t, m, 5)
	g = copied
	g.Release()
	w := m.Lock()
	if n, err := w.Remove(rg(0, 10)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	w.Unlock()
	if err := m.Drain(bg); err != nil {
		t.Fatal(err)
	}
	c := copied
	wantPanic(t, "Release of a copy whose range has been retired", func() { c.Release() })
	for i := range 50 {
		w := m.Lock()
		if err := w.Insert(rg(100+i, 101+i), "new"); err != nil {
			t.Fatal(err)
		}
		w.Unlock()
	}
	var guards []intGuard
	for i := range 50 {
		guards = append(guards, hold(t, m, 100+i))
	}
	for range 3 {
		c := copied
		wantPanic(t, "Release of a copy whose header lives again", func() { c.Release() })
	}
	w = m.Lock()
	for i := range 50 {
		if w.TryExclude(rg(100+i, 101+i)) {
			t.Fatalf("the copy has released the guard on %d", 100+i)
		}
	}
	w.Unlock()
	for i := range guards {
		guards[i].Release()
	}
	usable(t, m)
}

// TestGuardCopyDetached releases a copy while its range is detached and in OnRetire, and again
// after OnRetire has returned.
func TestGuardCopyDetached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		open := make(chan struct{})
		m := rangelock.New(&rangelock.Options[int, string]{OnRetire: func(_ intRange, v string) { <-open; rec.add(v) }})
		fillTens(m, "a")
		g := hold(t, m, 5)
		copied := g
		if _, err := m.Retire(bg, rg(0, 10)); err != nil {
			t.Fatal(err)
		}
		g.Release()
		synctest.Wait()
		for range 3 {
			c := copied
			wantPanic(t, "Release of a copy", func() { c.Release() })
		}
		close(open)
		if err := m.Drain(bg); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			c := copied
			wantPanic(t, "Release of a copy", func() { c.Release() })
		}
		if rec.String() != "a" {
			t.Errorf("retired are %q", rec)
		}
		usable(t, m)
	})
}

// TestGuardLimit checks that acquiring one guard more than 2^28 panics, when no line has room for
// it, and changes nothing.
func TestGuardLimit(t *testing.T) {
	if rangelock.Limit != 1<<28 {
		t.Errorf("the limit is %d", rangelock.Limit)
	}
	m, _ := tens("a", "b")
	m.FillLines()
	m.Announcing(5)
	m.Announcing(15)
	m.SetReaders(5, rangelock.Limit-1)
	g := hold(t, m, 5)
	state := m.State(5)
	wantPanic(t, "Acquire", func() { m.Acquire(5) })
	wantPanic(t, "AcquireContext", func() { m.AcquireContext(bg, 5) })
	wantPanic(t, "View", func() { m.View(5, func(intRange, string) { t.Error("called") }) })
	r := m.RLock()
	wantPanic(t, "Reader.Acquire", func() { r.Acquire(5) })
	if _, v, ok := r.Find(5); !ok || v != "a" {
		t.Errorf("Find = %q, %t", v, ok)
	}
	r.Unlock()
	if v, ok := m.Get(5); !ok || v != "a" {
		t.Errorf("Get = %q, %t", v, ok)
	}
	wantTry(t, m, 15, "b")
	if m.State(5) != state {
		t.Errorf("the state was %#x and is %#x", state, m.State(5))
	}
	g.Release()
	g = hold(t, m, 5)
	g.Release()
	m.SetReaders(5, 0)
	usable(t, m)
}

// TestGuardLimitTry checks TryAcquire at the limit: it never blocks, enters nothing, and returns
// an error.
func TestGuardLimitTry(t *testing.T) {
	m, _ := tens("a")
	m.SetReaders(5, rangelock.Limit)
	func() {
		defer func() { recover() }()
		if _, err := m.TryAcquire(5); err != rangelock.ErrBusy {
			t.Errorf("TryAcquire = %v", err)
		}
	}()
	m.SetReaders(5, 0)
	usable(t, m)
}

// TestGuardGenerationWraps checks guards while the generation of a header wraps.
func TestGuardGenerationWraps(t *testing.T) {
	m, rec := tens("a")
	m.SetGeneration(5, ^uint32(0))
	g := hold(t, m, 5)
	if err := m.Swap(bg, rg(0, 10), "b"); err != nil {
		t.Fatal(err)
	}
	copied := g
	g.Release()
	for i := range 20 {
		m.SetGeneration(5, ^uint32(0))
		if err := m.Swap(bg, rg(0, 10), "c"); err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			if err := m.Drain(bg); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := m.Drain(bg); err != nil {
		t.Fatal(err)
	}
	wantPanic(t, "Release of a copy", func() { copied.Release() })
	if want := "a b c c c c c c c c c c c c c c c c c c c"; rec.String() != want {
		t.Errorf("retired are %v", rec)
	}
	usable(t, m)
}
