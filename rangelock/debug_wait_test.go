//go:build spanlockdebug

package rangelock_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// elsewhere runs f on another goroutine and waits for it.
func elsewhere(f func()) {
	var wg sync.WaitGroup
	wg.Go(f)
	wg.Wait()
}

// The names excludeHere and readHere must be in the stacks of reports, too.
func excludeHere(m *intMap) { exclude(m) }

func readHere(m *intMap, key int) {
	r := m.RLock()
	defer r.Unlock()
	release(r.Acquire(key))
}

// TestDebugSafeWriters: in a map whose writers wait for no guard, a wait under a guard is not
// reported. When the first writer excludes, each of these waits is reported once.
func TestDebugSafeWriters(t *testing.T) {
	m, _ := tens("a", "b", "c")
	safe := func() {
		w := m.Lock()
		w.Load(func(yield func(intRange, string) bool) { yield(rg(200, 210), "x") })
		w.TryExclude(rg(200, 210))
		w.Swap(rg(200, 210), "y")
		w.Retire(rg(200, 210))
		w.Unlock()
		g := takeHere(t, m, 5)
		defer g.Release()
		askHere(func() { release(m.Acquire(15)) })
		askHere(func() { m.Swap(bg, rg(10, 20), "z") })
		m.Get(15)
	}
	wantNone(t, "writers that wait for no guard", safe)
	got := reported(func() { excludeHere(m) })
	if len(got) != 3 {
		t.Fatalf("%d reports at the first writer that excludes, want three: %q", len(got), got)
	}
	for _, text := range got {
		wantWords(t, "the first writer that excludes", text, "a guard on [0, 10)", "takeHere", "excludeHere", "\nWriter.Exclude, which can wait for guards")
	}
	wantNone(t, "the second", func() { excludeHere(m) })
	wantReport(t, "a call after that", func() {
		g := takeHere(t, m, 5)
		defer g.Release()
		askHere(func() { m.Get(15) })
	}, "takeHere", "askHere", "excludeHere")
	m.Retire(bg, rangelock.From(0))
}

// TestDebugExcluders: every operation that excludes is seen as one that waits for guards.
func TestDebugExcluders(t *testing.T) {
	for name, f := range map[string]func(w intWriter) error{
		"Exclude": func(w intWriter) error { return w.Exclude(rg(10, 20)) },
		"Remove":  func(w intWriter) error { _, err := w.Remove(rg(10, 20)); return err },
		"Update":  func(w intWriter) error { return w.Update(15, "x") },
		"Replace": func(w intWriter) error { return w.Replace(rg(10, 20), "x") },
		"Resize":  func(w intWriter) error { return w.Resize(15, rg(12, 18)) },
		"Split":   func(w intWriter) error { return w.Split(15) },
		"Merge":   func(w intWriter) error { return w.Merge(20) },
	} {
		m := rangelock.New(&rangelock.Options[int, string]{
			MergeValue: func(_, _ intRange, l, r string) (string, bool) { return l + r, true },
		})
		fillTens(m, "a", "b", "c")
		wantNone(t, name, func() {
			g := takeHere(t, m, 5)
			defer g.Release()
			m.Get(15)
		})
		wantReport(t, name, func() {
			w := m.Lock()
			defer w.Unlock()
			if err := f(w); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}, "a guard on [0, 10)", "takeHere", "TestDebugExcluders")
	}
}

// TestDebugReaderAcquire: one goroutine holds an exclusive guard and waits for the lock, and another
// has a Reader and waits for exclusive guards. They are reported whichever comes first, although no
// writer excludes. If the guard is shared they are reported only when a third call waits for an
// exclusive guard.
func TestDebugReaderAcquire(t *testing.T) {
	swapAlone := func(m *intMap) {
		g, _ := m.TryAcquireExclusive(5)
		defer g.Release()
		askHere(func() { m.Swap(bg, rg(10, 20), "z") })
	}
	swapShared := func(m *intMap) {
		g := takeHere(t, m, 5)
		defer g.Release()
		askHere(func() { m.Swap(bg, rg(10, 20), "z") })
	}
	m, _ := tens("a", "b", "c")
	wantNone(t, "the guard first", func() { swapAlone(m) })
	wantReport(t, "then the Reader", func() { elsewhere(func() { readHere(m, 15) }) }, "a Reader", "readHere", "askHere", "a guard on [0, 10)")
	wantNone(t, "and again", func() { elsewhere(func() { readHere(m, 15) }) })

	m, _ = tens("a", "b", "c")
	wantNone(t, "the Reader first", func() { elsewhere(func() { readHere(m, 15) }) })
	wantNone(t, "then a shared guard", func() { swapShared(m) })
	wantReport(t, "then an exclusive one", func() { swapAlone(m) }, "a Reader", "readHere", "askHere", "a guard on [0, 10)")
	wantReport(t, "then a wait for one", func() { askHere(func() { release(m.AcquireExclusive(5)) }) }, "takeHere", "readHere", "askHere")

	m, _ = tens("a", "b", "c")
	wantNone(t, "Acquire with a Reader", func() {
		r := m.RLock()
		defer r.Unlock()
		release(m.Acquire(5))
	})
	wantReport(t, "then an exclusive guard", func() { swapAlone(m) }, "a Reader")

	m, _ = tens("a", "b", "c")
	wantNone(t, "a Reader with a guard", func() {
		r := m.RLock()
		defer r.Unlock()
		g := takeHere(t, m, 5)
		defer g.Release()
		release(r.Acquire(15))
		release(m.Acquire(15))
		m.Get(15)
	})
}

// TestDebugLockWaitsForGuards: the holder of the lock may wait for shared guards although it
// excludes nothing; that is seen, too.
func TestDebugLockWaitsForGuards(t *testing.T) {
	for name, f := range map[string]func(m *intMap){
		"AcquireExclusive with a Reader": func(m *intMap) {
			r := m.RLock()
			defer r.Unlock()
			askHere(func() { release(m.AcquireExclusive(15)) })
		},
		"Drain in a transaction": func(m *intMap) {
			w := m.Lock()
			defer w.Unlock()
			askHere(func() { m.Drain(bg) })
		},
		"DrainRange in a transaction": func(m *intMap) {
			w := m.Lock()
			defer w.Unlock()
			askHere(func() { m.DrainRange(bg, rg(0, 10)) })
		},
		"Drain with a Reader": func(m *intMap) {
			r := m.RLock()
			defer r.Unlock()
			askHere(func() { m.Drain(bg) })
		},
	} {
		m, _ := tens("a", "b", "c")
		wantNone(t, name, func() { elsewhere(func() { f(m) }) })
		wantReport(t, name, func() {
			g := takeHere(t, m, 5)
			defer g.Release()
			m.Swap(bg, rg(10, 20), "z")
		}, "takeHere", "askHere", "a guard on [0, 10)")
	}
}

// TestDebugRangeOrder: guards on two ranges that are taken in both orders are reported if one of
// them is exclusive, or if a call waits for an exclusive guard.
func TestDebugRangeOrder(t *testing.T) {
	m, _ := tens("a", "b", "c", "d")
	nest := func(held, asked int) func() {
		return func() {
			g := takeHere(t, m, held)
			defer g.Release()
			askHere(func() { release(m.Acquire(asked)) })
		}
	}
	wantNone(t, "up", nest(5, 15))
	wantNone(t, "down", nest(15, 5))
	wantNone(t, "down", nest(35, 25))
	wantNone(t, "the same", nest(25, 25))
	got := reported(func() { release(m.AcquireExclusive(25)) })
	if len(got) != 2 {
		t.Fatalf("%d reports when somebody waits for an exclusive guard, want two: %q", len(got), got)
	}
	wantWords(t, "the same range", got[0], "a guard on [20, 30)", "waits for itself", "takeHere", "askHere")
	wantWords(t, "two ranges", got[1], "circle", "[0, 10)", "[10, 20)", "takeHere", "askHere", "and before")

	m, _ = tens("a", "b", "c", "d")
	alone := func(held, asked int) func() {
		return func() {
			g, _ := m.TryAcquireExclusive(held)
			defer g.Release()
			askHere(func() { release(m.AcquireExclusive(asked)) })
		}
	}
	wantNone(t, "up", alone(5, 15))
	wantNone(t, "up", alone(15, 25))
	wantNone(t, "up", alone(15, 35))
	wantReport(t, "round", func() { elsewhere(alone(25, 5)) }, "circle", "[0, 10)", "[10, 20)", "[20, 30)")
	wantNone(t, "a range that has left", func() {
		g := takeHere(t, m, 35)
		defer g.Release()
		ctx, cancel := context.WithCancel(bg)
		defer cancel()
		w, _ := m.LockContext(ctx)
		w.Swap(rg(30, 40), "x")
		w.Unlock()
		release(m.Acquire(35))
		release(m.Acquire(15))
	})
}

// TestDebugWaitsForItself: the calls that wait for their own goroutine, as listed in the package's
// documentation, are reported. TestDebugInTransaction has the others of that list.
func TestDebugWaitsForItself(t *testing.T) {
	m, _ := tens("a", "b", "c")
	g, _ := m.TryAcquireExclusive(5)
	time.AfterFunc(time.Millisecond, func() { g.Release() })
	wantReport(t, "a second guard", func() { askHere(func() { release(m.Acquire(5)) }) }, "waits for itself", "askHere")
	r := m.RLock()
	wantReport(t, "AcquireOrLoad with a Reader", func() {
		g, _ := m.AcquireOrLoad(bg, 15, func(context.Context, int) (intRange, string, error) { return rg(10, 20), "b", nil })
		g.Release()
	}, "a Reader", "waits for itself")
	r.Unlock()

	s := takeHere(t, m, 15)
	wantNone(t, "Drain with a guard", func() { m.Drain(bg) })
	w, _ := m.LockContext(t.Context())
	w.Retire(rg(10, 20))
	w.Unlock()
	ctx, cancel := context.WithTimeout(bg, 50*time.Millisecond) // the guard must be held when Drain is called
	defer cancel()
	go func() {
		<-ctx.Done()
		s.Release()
	}()
	wantNone(t, "DrainRange beside the range that has left", func() { must(t, m.DrainRange(bg, rg(20, 30))) })
	wantReport(t, "Drain with a guard on a range that has left", func() { askHere(func() { m.Drain(bg) }) }, "waits for itself", "takeHere", "askHere")

	ctx, cancel = context.WithTimeout(bg, 50*time.Millisecond)
	defer cancel()
	s = takeHere(t, m, 25)
	go func() {
		<-ctx.Done()
		s.Release()
	}()
	wantReport(t, "Close with a guard", func() { askHere(func() { m.Close(bg) }) }, "waits for itself", "takeHere", "askHere")
}

// TestDebugExcludeAnother: a transaction that was begun by TryLock and waits for a guard of another
// goroutine is not reported.
func TestDebugExcludeAnother(t *testing.T) {
	m, _ := tens("a", "b", "c")
	own := hold(t, m, 5)
	var other intGuard
	elsewhere(func() { other = hold(t, m, 15) })
	w, ok := m.TryLock()
	if !ok {
		t.Fatal("the map is locked")
	}
	time.AfterFunc(time.Millisecond, func() { other.Release() })
	wantNone(t, "Exclude", func() { w.Exclude(rg(10, 20)) })
	w.Unlock()
	own.Release()
}

// TestDebugCircles: each circle in the documentation is reported, except the one that goes through a
// load.
func TestDebugCircles(t *testing.T) {
	for name, circle := range circles {
		if name == "a load that wants an exclusive guard" {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			m := rangelock.New[int, string](nil)
			fillTens(m, "a", "b", "c")
			got := reported(func() {
				wait, release := circle(t, m)
				go func() {
					time.Sleep(time.Hour)
					release()
				}()
				wait(bg)
				synctest.Wait()
			})
			if len(got) != 1 {
				t.Errorf("%s: %d reports, want one: %q", name, len(got), got)
			}
		})
	}
}
