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

// reports are the reports of a debug build. Most tests do on one goroutine what a program should do
// on several, so a report must not be a panic here.
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

// reported runs f and returns the reports.
func reported(f func()) []string {
	reports.Lock()
	reports.list = nil
	reports.Unlock()
	f()
	reports.Lock()
	defer reports.Unlock()
	return slices.Clone(reports.list)
}

// wantReport checks that f causes one report that contains all of the words.
func wantReport(t *testing.T, name string, f func(), words ...string) {
	t.Helper()
	got := reported(f)
	if len(got) != 1 {
		t.Errorf("%s: %d reports, want one: %q", name, len(got), got)
		return
	}
	wantWords(t, name, got[0], words...)
}

// wantWords checks that the report contains all of the words.
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

// The names of the following functions must be in the stacks of reports.
func takeHere(t *testing.T, m *intMap, key int) intGuard { t.Helper(); return hold(t, m, key) }

func askHere(f func()) { f() }

// exclude excludes a range, so that the map has seen a writer that does.
func exclude(m *intMap) {
	w := m.Lock()
	defer w.Unlock()
	w.Exclude(rg(1000, 1010))
}

// TestDebugUnderGuard: in a map with a writer that excludes, a call under a guard of the same map is
// reported if it can wait for a writer, whether or not it has to wait. The report has both stacks.
// Other calls are not reported.
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

// TestDebugNames: a report names the method that the user has called, and not one that this method
// calls in turn.
func TestDebugNames(t *testing.T) {
	m, _ := tens("a", "b", "c")
	exclude(m)
	defer takeHere(t, m, 5).Value()
	r := rg(10, 20)
	for name, f := range map[string]func(){
		"Acquire":                 func() { release(m.Acquire(15)) },
		"AcquireContext":          func() { g, _ := m.AcquireContext(bg, 15); g.Release() },
		"AcquireExclusiveContext": func() { g, _ := m.AcquireExclusiveContext(bg, 15); g.Release() },
		"AcquirePrevContext":      func() { g, _ := m.AcquirePrevContext(bg, 15); g.Release() },
		"AcquireOrLoad":           func() { g, _ := m.AcquireOrLoad(bg, 15, noLoad(t)); g.Release() },
		"View":                    func() { m.View(15, func(intRange, string) {}) },
		"GetMany":                 func() { m.GetMany([]int{15}, func(int, string, bool) {}) },
		"Guards": func() {
			for range m.Guards(r) {
			}
		},
		"GuardsContext": func() {
			for range m.GuardsContext(bg, r) {
			}
		},
		"Lock":         func() { m.Lock().Unlock() },
		"LockContext":  func() { w, _ := m.LockContext(bg); w.Unlock() },
		"RLockContext": func() { r, _ := m.RLockContext(bg); r.Unlock() },
		"Do":           func() { m.Do(bg, func(intWriter) error { return nil }) },
		"Insert":       func() { m.Insert(bg, rg(100, 110), "x") },
		"Swap":         func() { m.Swap(bg, r, "b") },
		"Retire":       func() { m.Retire(bg, rg(100, 110)) },
		"Remove":       func() { m.Remove(bg, rg(100, 110)) },
	} {
		got := reported(f)
		if len(got) == 0 {
			t.Errorf("%s: no report", name)
		}
		for _, text := range got {
			if !strings.HasPrefix(text, "rangelock: "+name+" by a goroutine") || !strings.Contains(text, "\n"+name+" was called at\n") {
				t.Errorf("%s: the report does not name it\n%s", name, text)
			}
		}
	}
}

// TestDebugInTransaction does the same in a transaction and with a Reader.
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

// TestDebugExcludeOwn: a transaction that waits for a guard of its own goroutine is reported.
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
		wantReport(t, "Exclude", func() { w.Exclude(rg(0, 10)) }, "Writer.Exclude by", "a guard on [0, 10)", "waits for itself")
		w.Unlock()
	})
}

// TestDebugCopies: each use of a copy of a guard that was released panics with both stacks, although
// there is another guard on the range.
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

// TestDebugLeaks: Leaks lists the guards that are held, oldest first. A guard that is no longer
// reachable is listed as lost.
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

// TestDebugOrder: two maps that are used in both orders are reported, although the goroutines never
// meet; and so are three maps that are used in a circle.
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

// TestDebugOrderSafe: the order of maps does not matter while no holder of a map's lock waits for a
// guard. The circle is reported when both maps have seen a holder that does.
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
