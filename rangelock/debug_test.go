//go:build spanlockdebug

package rangelock_test

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// reports is what debug builds have found. Most tests do on one goroutine what a program
// should do on several, so for them a report is no panic.
var reports struct {
	sync.Mutex
	list []string
}

func init() {
	rangelock.DebugUnguarded = false // package rangelocktest tests it
	rangelock.DebugReport = func(text string) {
		reports.Lock()
		reports.list = append(reports.list, text)
		reports.Unlock()
	}
}

// reported runs f and returns what it has been told.
func reported(f func()) []string {
	reports.Lock()
	reports.list = nil
	reports.Unlock()
	f()
	reports.Lock()
	defer reports.Unlock()
	return slices.Clone(reports.list)
}

// wantReport checks that f leads to one report with all of the words in it.
func wantReport(t *testing.T, name string, f func(), words ...string) {
	t.Helper()
	got := reported(f)
	if len(got) != 1 {
		t.Errorf("%s: %d reports, want one: %q", name, len(got), got)
		return
	}
	wantWords(t, name, got[0], words...)
}

// wantWords checks that the report has all of the words in it.
func wantWords(t *testing.T, name, report string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(report, word) {
			t.Errorf("%s: no %q in the report\n%s", name, word, report)
		}
	}
}

func wantNone(t *testing.T, name string, f func()) {
	t.Helper()
	if got := reported(f); len(got) != 0 {
		t.Errorf("%s: %q", name, got)
	}
}

// The names of these functions are looked for in the stacks.
func takeHere(t *testing.T, m *intMap, key int) intGuard { t.Helper(); return hold(t, m, key) }

func askHere(f func()) { f() }

// exclude lets the map see a writer that excludes.
func exclude(m *intMap) {
	w := m.Lock()
	defer w.Unlock()
	w.Exclude(rg(1000, 1010))
}

// TestDebugUnderGuard: in a map with a writer that excludes, what can wait for a writer
// is reported under a guard of the same map, with both stacks, whether or not it has to
// wait; what cannot is not.
func TestDebugUnderGuard(t *testing.T) {
	m, _ := tens("a", "b", "c")
	exclude(m)
	g := takeHere(t, m, 5)
	for name, f := range map[string]func(){
		"Acquire":          func() { release(m.Acquire(15)) },
		"Acquire of a gap": func() { m.Acquire(-5) },
		"AcquireContext":   func() { g, _ := m.AcquireContext(bg, 15); g.Release() },
		"AcquireNext":      func() { release(m.AcquireNext(12)) },
		"AcquireExclusive": func() { release(m.AcquireExclusive(15)) },
		"View":             func() { m.View(15, func(rangelock.Range[int], string) {}) },
		"Get":              func() { m.Get(15) },
		"Lock":             func() { m.Lock().Unlock() },
		"LockContext":      func() { w, _ := m.LockContext(bg); w.Unlock() },
		"RLock":            func() { m.RLock().Unlock() },
	} {
		wantReport(t, name, func() { askHere(f) }, "a guard on [0, 10)", "takeHere", "askHere", "debug_test.go")
	}
	wantReport(t, "Insert", func() { askHere(func() { m.Insert(bg, rg(100, 110), "x") }) }, "LockContext", "takeHere", "askHere")
	wantNone(t, "TryAcquire", func() { g, _ := m.TryAcquire(15); g.Release() })
	wantNone(t, "TryAcquireExclusive", func() { g, _ := m.TryAcquireExclusive(15); g.Release() })
	wantNone(t, "AcquireContext that ends", func() { g, _ := m.AcquireContext(t.Context(), 15); g.Release() })
	wantNone(t, "Acquire elsewhere", func() {
		var wg sync.WaitGroup
		wg.Go(func() { release(m.Acquire(15)) })
		wg.Wait()
	})
	g.Release()
	wantNone(t, "Acquire after the release", func() { release(m.Acquire(15)) })
}

// TestDebugInTransaction: the same in a transaction and with a Reader.
func TestDebugInTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b", "c")
		w := m.Lock()
		wantReport(t, "Acquire", func() { askHere(func() { release(m.Acquire(15)) }) }, "a transaction", "TestDebugInTransaction", "askHere", "waits for itself")
		wantNone(t, "TryAcquire", func() { g, _ := m.TryAcquire(15); g.Release() })
		r := w.Downgrade()
		wantNone(t, "Acquire with a Reader", func() { release(m.Acquire(15)) })
		wantReport(t, "RLock with a Reader", func() { m.RLock().Unlock() }, "a Reader", "waits for itself")
		r.Unlock()
		wantNone(t, "Lock after that", func() { m.Lock().Unlock() })
	})
}

// TestDebugExcludeOwn: a transaction that waits for its own goroutine's guard.
func TestDebugExcludeOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b", "c")
		w := m.Lock()
		g, err := m.TryAcquire(5)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(time.Second)
			g.Release()
		}()
		wantReport(t, "Exclude", func() { w.Exclude(rg(0, 10)) }, "a guard on [0, 10)", "waits for itself")
		w.Unlock()
	})
}

// TestDebugCopies: a copy of a guard that was released is caught though others have
// guards on the range, also when it is only looked at; the panic has both stacks.
func TestDebugCopies(t *testing.T) {
	m, _ := tens("a", "b", "c")
	other := hold(t, m, 5)
	g := takeHere(t, m, 5)
	c := g
	askHere(g.Release)
	for name, f := range map[string]func(){
		"Release": c.Release,
		"Value":   func() { c.Value() },
		"Range":   func() { c.Range() },
	} {
		func() {
			defer func() {
				text, _ := recover().(string)
				for _, word := range []string{name, "released before", "[0, 10)", "takeHere", "askHere"} {
					if !strings.Contains(text, word) {
						t.Errorf("%s: no %q in %q", name, word, text)
					}
				}
			}()
			f()
		}()
	}
	if other.Value() != "a" {
		t.Error("the other guard has suffered")
	}
	other.Release()
	usable(t, m)
}

// TestDebugLeaks: the guards that are held, oldest first, and of a guard that nobody has
// any more that it is lost.
func TestDebugLeaks(t *testing.T) {
	m, _ := tens("a", "b", "c")
	elsewhere, _ := tens("z")
	defer hold(t, elsewhere, 5).Value()
	if leaks := m.Leaks(); len(leaks) != 0 {
		t.Fatalf("%v", leaks)
	}
	g := takeHere(t, m, 5)
	x, err := m.TryAcquireExclusive(15)
	if err != nil {
		t.Fatal(err)
	}
	leaks := m.Leaks()
	if len(leaks) != 2 || leaks[0].Range != "[0, 10)" || leaks[0].Exclusive || leaks[1].Range != "[10, 20)" || !leaks[1].Exclusive {
		t.Fatalf("%+v", leaks)
	}
	if l := leaks[0]; !strings.Contains(l.Stack, "takeHere") || l.Lost || l.Held <= 0 || !strings.HasPrefix(l.Goroutine, "goroutine ") {
		t.Errorf("%+v", l)
	}
	x.Release()
	g.Release()
	if leaks := m.Leaks(); len(leaks) != 0 {
		t.Fatalf("after the releases %v", leaks)
	}
	loseGuard(t, m)
	for range 100 {
		runtime.GC()
		if l := m.Leaks(); len(l) == 1 && l[0].Lost {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("the collector does not find the lost guard: %+v", m.Leaks())
}

//go:noinline
func loseGuard(t *testing.T, m *intMap) { hold(t, m, 25) }

// TestDebugOrder: two maps are used in both orders, by goroutines that do not even meet;
// three in a circle.
func TestDebugOrder(t *testing.T) {
	a, _ := tens("a")
	b, _ := tens("b")
	c, _ := tens("c")
	for _, m := range []*intMap{a, b, c} {
		exclude(m)
	}
	nest := func(x, y *intMap) func() {
		return func() {
			g := takeHere(t, x, 5)
			defer g.Release()
			release(y.Acquire(5))
		}
	}
	wantNone(t, "a, b", nest(a, b))
	wantNone(t, "a, b again", nest(a, b))
	wantNone(t, "b, c", nest(b, c))
	var got []string
	var wg sync.WaitGroup
	wg.Go(func() { got = reported(nest(b, a)) })
	wg.Wait()
	if len(got) != 1 || strings.Count(got[0], "takeHere") < 2 || !strings.Contains(got[0], "circle") {
		t.Errorf("b, a: %q", got)
	}
	wantReport(t, "c, a", nest(c, a), "circle", "and before")
	wantNone(t, "c, a is known", nest(c, a))
}

// TestDebugOrderSafe: the order of maps does not matter where nobody who has a map's lock
// waits for a guard. When both maps have seen somebody who does, the circle is reported.
func TestDebugOrderSafe(t *testing.T) {
	a, _ := tens("a")
	b, _ := tens("b")
	for _, m := range [][2]*intMap{{a, b}, {b, a}} {
		wantNone(t, "without a writer that excludes", func() {
			g := takeHere(t, m[0], 5)
			defer g.Release()
			release(m[1].Acquire(5))
		})
	}
	wantNone(t, "with one in one of the maps", func() { exclude(a) })
	wantReport(t, "with one in both", func() { exclude(b) }, "circle", "takeHere", "and before")
}
