package rangelock_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestOnRetireOnce checks promise P7: OnRetire is called once for each range that an operation
// takes out of the map for good, with its bounds and value, and never for ranges that are still
// attached.
func TestOnRetireOnce(t *testing.T) {
	for _, x := range []struct {
		name string
		do   func(m *intMap) error
		want string
	}{
		{"Remove", func(m *intMap) error { _, err := m.Remove(bg, rg(0, 20)); return err }, "a b"},
		{"Retire", func(m *intMap) error { _, err := m.Retire(bg, rg(0, 20)); return err }, "a b"},
		{"Swap", func(m *intMap) error { return m.Swap(bg, rg(0, 20), "x") }, "a b"},
		{"Close", func(m *intMap) error { return m.Close(bg) }, "a b c"},
		{"Update", func(m *intMap) error { w := m.Lock(); defer w.Unlock(); return w.Update(5, "x") }, "a"},
		{"Clear", func(m *intMap) error { w := m.Lock(); defer w.Unlock(); _, err := w.Clear(); return err }, "a b c"},
		{"Insert and remove", func(m *intMap) error {
			w := m.Lock()
			defer w.Unlock()
			if err := w.Insert(rg(30, 40), "d"); err != nil {
				return err
			}
			_, err := w.Remove(rg(30, 40))
			return err
		}, "d"},
		{"Exclude", func(m *intMap) error { w := m.Lock(); defer w.Unlock(); return w.Exclude(rg(0, 30)) }, ""},
		{"Insert", func(m *intMap) error { return m.Insert(bg, rg(30, 40), "d") }, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := &recorder{}
				m := rangelock.New(&rangelock.Options[int, string]{OnRetire: func(r intRange, v string) {
					if lo := 10 * int(v[0]-'a'); v != "x" && r != rg(lo, lo+10) {
						t.Errorf("OnRetire(%v, %q)", r, v)
					}
					rec.add(v)
				}})
				fillTens(m, "a", "b", "c")
				for range 3 { // readers come and go
					for key := 5; key < 30; key += 10 {
						g := hold(t, m, key)
						g.Release()
					}
				}
				if err := x.do(m); err != nil {
					t.Fatal(err)
				}
				// OnRetire runs without another call on the map.
				synctest.Wait()
				if rec.sorted() != x.want {
					t.Errorf("retired are %q, want %q", rec, x.want)
				}
				if err := m.Close(bg); err != nil {
					t.Error(err)
				}
				all := "a b c"
				switch x.name {
				case "Swap", "Update":
					all += " x"
				case "Insert", "Insert and remove":
					all += " d"
				}
				if rec.sorted() != all {
					t.Errorf("retired after Close are %q, want %q", rec, all)
				}
			})
		})
	}
}

// TestOnRetireOrder checks that OnRetire is called for one range at a time, after the last guard
// on it, in the order in which the last guards were released. The ranges may have left the map in
// another order.
func TestOnRetireOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		open := make(chan struct{})
		var inside atomic.Int32
		m := rangelock.New(&rangelock.Options[int, string]{OnRetire: func(_ intRange, v string) {
			if inside.Add(1) != 1 {
				t.Error("two calls of OnRetire at a time")
			}
			if v == "first" {
				<-open
			}
			rec.add(v)
			inside.Add(-1)
		}})
		fillTens(m, "first", "a", "b", "c", "d", "e")
		a, a2, b, c, d := hold(t, m, 15), hold(t, m, 15), hold(t, m, 25), hold(t, m, 35), hold(t, m, 45)
		for lo := 0; lo < 60; lo += 10 {
			if n, err := m.Retire(bg, rg(lo, lo+10)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		// "first" and "e" have no guards now; OnRetire is called for "first" and does not return yet.
		c.Release()
		a.Release()
		d.Release()
		a2.Release()
		synctest.Wait()
		if rec.String() != "" {
			t.Errorf("retired are %q", rec)
		}
		close(open)
		synctest.Wait()
		if rec.String() != "first e c d a" {
			t.Errorf("retired are %q", rec)
		}
		b.Release()
		synctest.Wait()
		if rec.String() != "first e c d a b" {
			t.Errorf("retired are %q", rec)
		}
		usable(t, m)
	})
}

// TestOnRetireElsewhere checks that OnRetire runs neither on the goroutine that releases the last
// guard nor on the writer's: both go on while OnRetire blocks.
func TestOnRetireElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		var calls atomic.Int32
		m := rangelock.New(&rangelock.Options[int, string]{OnRetire: func(intRange, string) {
			calls.Add(1)
			<-open
		}})
		fillTens(m, "a", "b", "c", "d")
		g := hold(t, m, 5)
		write := start("the writer", func() {
			w := m.Lock()
			for _, do := range []func(intRange) (int, error){w.Retire, w.Remove, w.Retire} {
				if n, err := do(rg(10*m.Len()-10, 10*m.Len())); n != 1 || err != nil {
					t.Error(n, err)
				}
			}
			if _, err := w.Clear(); err != nil {
				t.Error(err)
			}
			w.Unlock()
		})
		write.returns(t)
		read := start("the reader", func() { g.Release() })
		read.returns(t)
		if calls.Load() != 1 {
			t.Errorf("%d calls of OnRetire", calls.Load())
		}
		// Everything else goes on.
		if err := m.Insert(bg, rg(0, 10), "e"); err != nil {
			t.Error(err)
		}
		wantTry(t, m, 5, "e")
		close(open)
		synctest.Wait()
		if calls.Load() != 4 {
			t.Errorf("%d calls of OnRetire", calls.Load())
		}
	})
}

// TestOnRetireUsesMap checks that OnRetire may use the map: it reads, begins transactions, and
// removes further ranges, which are retired after it has returned.
func TestOnRetireUsesMap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		var m *intMap
		m = rangelock.New(&rangelock.Options[int, string]{OnRetire: func(r intRange, v string) {
			rec.add(v)
			if v == "spare" {
				return
			}
			if g, ok := m.Acquire(95); !ok || g.Value() != "stays" {
				t.Error("Acquire in OnRetire misses")
			} else {
				g.Release()
			}
			if r.Lo >= 50 {
				return
			}
			if err := m.Insert(bg, rg(r.Lo+50, r.Hi+50), v+"'"); err != nil {
				t.Error(err)
			}
			w := m.Lock()
			defer w.Unlock()
			if n, err := w.Remove(rg(r.Lo+50, r.Hi+50)); n != 1 || err != nil {
				t.Error(n, err)
			}
		}})
		fillTens(m, "a", "b", "", "", "", "", "", "", "", "stays")
		g := hold(t, m, 5)
		if n, err := m.Retire(bg, rg(0, 20)); n != 2 || err != nil {
			t.Error(n, err)
		}
		synctest.Wait()
		g.Release()
		synctest.Wait()
		if rec.String() != "b b' a a'" {
			t.Errorf("retired are %q", rec)
		}
		wantContents(t, m, "[90, 100)=stays")
		usable(t, m)
	})
}

// TestOnRetireDuringTransaction checks that OnRetire does not wait for the transaction: the
// transaction may drain.
func TestOnRetireDuringTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a", "b", "c", "d")
		w := m.Lock()
		if _, err := w.Remove(rg(0, 10)); err != nil {
			t.Error(err)
		}
		if err := w.Update(15, "B"); err != nil {
			t.Error(err)
		}
		if err := w.Swap(rg(20, 30), "C"); err != nil {
			t.Error(err)
		}
		if err := m.Drain(bg); err != nil {
			t.Error(err)
		}
		if rec.String() != "a b c" {
			t.Errorf("retired are %q", rec)
		}
		w.Unlock()
		wantContents(t, m, "[10, 20)=B [20, 30)=C [30, 40)=d")
		usable(t, m)
	})
}

// TestOnRetireStalled checks that a guard on one range, or a slow body of View or All, does not
// keep other ranges from being retired.
func TestOnRetireStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a", "b", "c", "d")
		g := hold(t, m, 5)
		slow := start("View", func() { m.View(15, func(intRange, string) { time.Sleep(time.Hour) }) })
		slow.waits(t)
		for range m.All() {
			if n, err := m.Retire(bg, rg(0, 40)); n != 4 || err != nil {
				t.Error(n, err)
			}
			synctest.Wait()
			if rec.String() != "c d" {
				t.Errorf("retired are %q", rec)
			}
			break
		}
		g.Release()
		synctest.Wait()
		if rec.String() != "c d a" {
			t.Errorf("retired are %q", rec)
		}
		<-slow.done
		synctest.Wait()
		if rec.String() != "c d a b" {
			t.Errorf("retired are %q", rec)
		}
	})
}

// TestOnRetireFromManyGuards releases many guards on a range at the same time. One of the
// releases finishes the range, once.
func TestOnRetireFromManyGuards(t *testing.T) {
	for range 200 {
		m, rec := tens("a")
		var guards []intGuard
		for range 4 {
			guards = append(guards, hold(t, m, 5))
		}
		begin := make(chan struct{})
		done := make(chan struct{})
		for i := range guards {
			go func() {
				<-begin
				guards[i].Release()
				done <- struct{}{}
			}()
		}
		go func() {
			<-begin
			if err := m.Swap(bg, rg(0, 10), "b"); err != nil {
				t.Error(err)
			}
			done <- struct{}{}
		}()
		close(begin)
		for range len(guards) + 1 {
			<-done
		}
		if err := m.Drain(bg); err != nil {
			t.Fatal(err)
		}
		if rec.String() != "a" {
			t.Fatalf("retired are %q", rec)
		}
	}
}
