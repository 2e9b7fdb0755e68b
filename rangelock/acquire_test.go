package rangelock_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestAcquireNoWriter checks every way to read when there is no writer: hits and definite misses,
// also with a context that has ended.
func TestAcquireNoWriter(t *testing.T) {
	m, _ := tens("a", "", "c", "d")
	for key, want := range map[int]string{
		-1: "", 0: "a", 9: "a", 10: "", 19: "", 20: "c", 29: "c", 30: "d", 39: "d", 40: "",
	} {
		wantErr := error(nil)
		if want == "" {
			wantErr = rangelock.ErrNotFound
		}
		check := func(how string, g intGuard, err error) {
			t.Helper()
			if err != wantErr || err == nil && (g.Value() != want || g.Range() != rg(key/10*10, key/10*10+10)) {
				t.Errorf("%s(%d) = %v, want %q", how, key, err, want)
			}
			if err == nil {
				g.Release()
			} else if g != (intGuard{}) {
				t.Errorf("%s(%d) fails and returns a guard", how, key)
			}
		}
		asErr := func(ok bool) error {
			if !ok {
				return rangelock.ErrNotFound
			}
			return nil
		}
		g, err := m.TryAcquire(key)
		check("TryAcquire", g, err)
		g, ok := m.Acquire(key)
		check("Acquire", g, asErr(ok))
		for _, ctx := range []context.Context{bg, endedContext()} {
			g, err = m.AcquireContext(ctx, key)
			check("AcquireContext", g, err)
		}
		r := m.RLock()
		g, ok = r.Acquire(key)
		check("Reader.Acquire", g, asErr(ok))
		r.Unlock()
		if v, ok := m.Get(key); v != want || ok != (want != "") {
			t.Errorf("Get(%d) = %q, %t, want %q", key, v, ok, want)
		}
		called := false
		if ok := m.View(key, func(r intRange, v string) {
			called = true
			if v != want || r != rg(key/10*10, key/10*10+10) {
				t.Errorf("View(%d) shows %v %q", key, r, v)
			}
		}); ok != (want != "") || called != ok {
			t.Errorf("View(%d) = %t, called %t", key, ok, called)
		}
	}
	usable(t, m)
}

// TestAcquireDuringTransaction checks what readers find at each stage of a transaction. Before it
// publishes, misses are definite, and only an excluded range is busy. Afterwards misses, and the
// ranges that it has touched, are busy.
func TestAcquireDuringTransaction(t *testing.T) {
	const busy = "busy"
	for _, x := range []struct {
		name string
		do   func(w intWriter) error
		// The result of TryAcquire for keys 5, 15, 25, 35: "" is a miss.
		want      [4]string
		published bool
	}{
		{"nothing", func(intWriter) error { return nil }, [4]string{"a", "", "c", "d"}, false},
		{"exclude", func(w intWriter) error { return w.Exclude(rg(0, 20)) }, [4]string{busy, "", "c", "d"}, false},
		{"exclude a gap", func(w intWriter) error { return w.Exclude(rg(10, 20)) }, [4]string{"a", "", "c", "d"}, false},
		{"exclude parts", func(w intWriter) error { return w.Exclude(rg(9, 21)) }, [4]string{busy, "", busy, "d"}, false},
		{"try to exclude", func(w intWriter) error { w.TryExclude(rg(29, 31)); return nil }, [4]string{"a", "", busy, busy}, false},
		{"insert", func(w intWriter) error { return w.Insert(rg(12, 13), "x") }, [4]string{"a", busy, "c", "d"}, true},
		{"insert there", func(w intWriter) error { return w.Insert(rg(12, 18), "x") }, [4]string{"a", busy, "c", "d"}, true},
		{"remove", func(w intWriter) error { _, err := w.Remove(rg(20, 30)); return err }, [4]string{"a", busy, busy, "d"}, true},
		{"retire", func(w intWriter) error { _, err := w.Retire(rg(20, 30)); return err }, [4]string{"a", busy, busy, "d"}, true},
		{"update", func(w intWriter) error { return w.Update(0, "a") }, [4]string{busy, busy, "c", "d"}, true},
		{"swap", func(w intWriter) error { return w.Swap(rg(15, 30), "x") }, [4]string{"a", busy, busy, "d"}, true},
		{"clear", func(w intWriter) error { _, err := w.Clear(); return err }, [4]string{busy, busy, busy, busy}, true},
		{"remove nothing", func(w intWriter) error { _, err := w.Remove(rg(10, 20)); return err }, [4]string{"a", "", "c", "d"}, false},
		{"retire nothing", func(w intWriter) error { _, err := w.Retire(rg(10, 20)); return err }, [4]string{"a", "", "c", "d"}, false},
		{"refused insert", func(w intWriter) error { w.Insert(rg(15, 25), "x"); return nil }, [4]string{"a", "", "c", "d"}, false},
		{"refused remove", func(w intWriter) error { w.Remove(rg(0, 25)); return nil }, [4]string{"a", "", "c", "d"}, false},
		{"refused retire", func(w intWriter) error { w.Retire(rg(5, 30)); return nil }, [4]string{"a", "", "c", "d"}, false},
		{"refused swap", func(w intWriter) error { w.Swap(rg(0, 25), "x"); return nil }, [4]string{"a", "", "c", "d"}, false},
		{"refused update", func(w intWriter) error { w.Update(15, "x"); return nil }, [4]string{"a", "", "c", "d"}, false},
		{"bad range", func(w intWriter) error { w.Insert(rg(15, 15), "x"); w.Remove(rg(5, 0)); return nil }, [4]string{"a", "", "c", "d"}, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens("a", "", "c", "d")
				w := m.Lock()
				if err := x.do(w); err != nil {
					t.Fatal(err)
				}
				if odd := m.Publication()%2 == 1; odd != x.published {
					t.Errorf("has published: %t, want %t", odd, x.published)
				}
				var waiting []*call
				for i, want := range x.want {
					key := 10*i + 5
					reads := []*call{
						start("Acquire", func() {
							if g, ok := m.Acquire(key); ok {
								g.Release()
							}
						}),
						start("AcquireContext", func() {
							if g, err := m.AcquireContext(bg, key); err == nil {
								g.Release()
							}
						}),
						start("View", func() { m.View(key, func(intRange, string) {}) }),
						start("Get", func() { m.Get(key) }),
					}
					switch want {
					case busy:
						wantTry(t, m, key, rangelock.ErrBusy)
						for _, c := range reads {
							c.waits(t)
						}
						waiting = append(waiting, reads...)
						continue
					case "":
						wantTry(t, m, key, rangelock.ErrNotFound)
					default:
						wantTry(t, m, key, want)
					}
					for _, c := range reads {
						c.returns(t)
					}
				}
				w.Unlock()
				for _, c := range waiting {
					c.returns(t)
				}
				for i := range x.want {
					if _, err := m.TryAcquire(10*i + 5); err == rangelock.ErrBusy {
						t.Errorf("TryAcquire(%d) after Unlock: %v", 10*i+5, err)
					}
				}
			})
		})
	}
}

// TestAcquireWaits checks that readers that have waited for a transaction see all that it did and
// nothing else, in each way of reading, after Unlock and after Downgrade.
func TestAcquireWaits(t *testing.T) {
	for _, end := range []string{"Unlock", "Downgrade"} {
		t.Run(end, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens("a", "", "c", "d", "e")
				w := m.Lock()
				if err := w.Insert(rg(10, 20), "b"); err != nil {
					t.Fatal(err)
				}
				if _, err := w.Retire(rg(20, 30)); err != nil {
					t.Fatal(err)
				}
				if err := w.Swap(rg(30, 40), "D"); err != nil {
					t.Fatal(err)
				}
				if err := w.Update(40, "E"); err != nil {
					t.Fatal(err)
				}
				if err := w.Exclude(rg(0, 1)); err != nil {
					t.Fatal(err)
				}
				var calls []*call
				for i, want := range []string{"a", "b", "", "D", "E", ""} {
					key := 10*i + 5
					check := func(how, v string, ok bool) {
						if v != want || ok != (want != "") {
							t.Errorf("%s(%d) is %q, %t after having waited, want %q", how, key, v, ok, want)
						}
					}
					calls = append(calls, start("Acquire", func() {
						g, ok := m.Acquire(key)
						if !ok {
							check("Acquire", "", ok)
							return
						}
						check("Acquire", g.Value(), ok)
						g.Release()
					}), start("AcquireContext", func() {
						g, err := m.AcquireContext(bg, key)
						if err != nil {
							if err != rangelock.ErrNotFound {
								t.Error(err)
							}
							check("AcquireContext", "", false)
							return
						}
						check("AcquireContext", g.Value(), true)
						g.Release()
					}), start("View", func() {
						var got string
						ok := m.View(key, func(_ intRange, v string) { got = v })
						check("View", got, ok)
					}), start("Get", func() {
						v, ok := m.Get(key)
						check("Get", v, ok)
					}))
				}
				for _, c := range calls {
					c.waits(t)
				}
				if end == "Unlock" {
					w.Unlock()
				} else {
					defer w.Downgrade().Unlock()
				}
				for _, c := range calls {
					c.returns(t)
				}
			})
		})
	}
}

// TestAcquireLongWait checks that a reader is not woken in the middle of the next transaction: it
// sees the complete end state of one of them.
func TestAcquireLongWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("0")
		w := m.Lock()
		if err := w.Update(0, "1"); err != nil {
			t.Fatal(err)
		}
		next := start("Lock", func() {
			w := m.Lock()
			if _, err := w.Retire(rg(0, 10)); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
			if err := w.Insert(rg(0, 10), "2"); err != nil {
				t.Error(err)
			}
			w.Unlock()
		})
		next.waits(t)
		var got string
		read := start("Acquire", func() {
			g, ok := m.Acquire(5)
			if !ok {
				t.Error("Acquire reports a gap that never existed")
				return
			}
			got = g.Value()
			g.Release()
		})
		read.waits(t)
		w.Unlock()
		<-read.done
		if got != "1" && got != "2" {
			t.Errorf("Acquire is %q", got)
		}
		<-next.done
	})
}

// TestViewPanics checks that View releases its guard when the function panics.
func TestViewPanics(t *testing.T) {
	m, _ := tens("a")
	func() {
		defer func() {
			if x := recover(); x != "mine" {
				t.Errorf("recovered %v", x)
			}
		}()
		m.View(5, func(intRange, string) { panic("mine") })
	}()
	usable(t, m)
	// The function holds the range while it runs.
	if !m.View(5, func(intRange, string) {
		w := m.Lock()
		if w.TryExclude(rg(0, 10)) {
			t.Error("View does not hold the range")
		}
		w.Unlock()
	}) {
		t.Error("View misses")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.View(5, func(intRange, string) { runtime.Goexit() })
	}()
	<-done
	usable(t, m)
}

// TestPublicationWraps checks that misses are distinguished from busy where the publication
// sequence wraps, too.
func TestPublicationWraps(t *testing.T) {
	m, _ := tens("a")
	m.SetPublication(^uint64(0) - 1)
	for range 3 {
		wantTry(t, m, 15, rangelock.ErrNotFound)
		w := m.Lock()
		if err := w.Insert(rg(20, 30), "x"); err != nil {
			t.Fatal(err)
		}
		wantTry(t, m, 15, rangelock.ErrBusy)
		wantTry(t, m, 5, "a")
		if _, err := w.Remove(rg(20, 30)); err != nil {
			t.Fatal(err)
		}
		w.Unlock()
	}
	usable(t, m)
}
