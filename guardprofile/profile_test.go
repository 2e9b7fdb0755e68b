package guardprofile_test

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/guardprofile"
	"github.com/spanlock/spanlock/rangelock"
)

// profiling sets the rate for the duration of a test. Before and after it no guard may be listed.
func profiling(t *testing.T, rate int) {
	t.Helper()
	before := guardprofile.SetRate(rate)
	wantSamples(t, "at the start", 0)
	t.Cleanup(func() {
		guardprofile.SetRate(before)
		wantSamples(t, "at the end", 0)
	})
}

// wantSamples checks how many guards are listed.
func wantSamples(t *testing.T, when string, want int) {
	t.Helper()
	p := pprof.Lookup("spanlock.guards")
	if p == nil {
		if want > 0 {
			t.Fatalf("%s: no profile", when)
		}
		return
	}
	if n := p.Count(); n != want {
		t.Errorf("%s: %d guards are listed, want %d", when, n, want)
	}
}

// listed returns the profile as text.
func listed(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := pprof.Lookup("spanlock.guards").WriteTo(&b, 1); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type (
	intMap   = rangelock.Map[int, string]
	intGuard = rangelock.Guard[int, string]
)

var rg = rangelock.Span[int]

// tens returns a map with the ranges [0, 10), [10, 20), ... of the values.
func tens(t *testing.T, values ...string) *intMap {
	t.Helper()
	m := rangelock.New[int, string](nil)
	for i, v := range values {
		if err := m.Insert(context.Background(), rg(10*i, 10*i+10), v); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// hold acquires a guard, and fails the test if there is none.
func hold(t *testing.T, m *intMap, key int) intGuard {
	t.Helper()
	g, err := m.TryAcquire(key)
	if err != nil {
		t.Fatalf("TryAcquire(%d) = %v", key, err)
	}
	return g
}

// announcing makes the range at 5 announce its readers.
func announcing(t *testing.T, m *intMap) {
	t.Helper()
	for range 100 {
		a, b := hold(t, m, 5), hold(t, m, 5)
		a.Release()
		b.Release()
	}
	g := hold(t, m, 5)
	defer g.Release()
	if m.Stats().Announced != 1 {
		t.Fatal("the guard is not announced: the test has lost what it is about")
	}
}

// usable checks that no guard is left on a range of m.
func usable(t *testing.T, m *intMap) {
	t.Helper()
	w := m.Lock()
	defer w.Unlock()
	if !w.TryExclude(rangelock.From(-1 << 30)) {
		t.Errorf("a guard is left on a range: %v", m.Stats())
	}
}

// wantPanic checks that f panics with a message of rangelock.
func wantPanic(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if text, _ := recover().(string); !strings.HasPrefix(text, "rangelock: ") {
			t.Errorf("%s: panic %q", name, text)
		}
	}()
	f()
}

// The tests search the stacks for sampleHere.
//
//go:noinline
func sampleHere(take func() intGuard) intGuard { return take() }

// TestProfile: a guard that is taken in any way is listed with the stack of its acquire until it
// is released. Then the range has no guard.
func TestProfile(t *testing.T) {
	acquire := func(m *intMap) intGuard { g, _ := m.Acquire(5); return g }
	for _, tt := range []struct {
		name  string
		setup func(t *testing.T, m *intMap)
		take  func(t *testing.T, m *intMap) intGuard
		leaf  string // the function that the user called
	}{
		{"counted", nil, func(_ *testing.T, m *intMap) intGuard { return acquire(m) }, "Acquire"},
		{"announced", func(t *testing.T, m *intMap) { announcing(t, m) }, func(_ *testing.T, m *intMap) intGuard { return acquire(m) }, "Acquire"},
		{"TryAcquire", nil, func(_ *testing.T, m *intMap) intGuard { g, _ := m.TryAcquire(5); return g }, "TryAcquire"},
		{"AcquireContext", nil, func(t *testing.T, m *intMap) intGuard { g, _ := m.AcquireContext(t.Context(), 5); return g }, "AcquireContext"},
		{"AcquireNext, covered", nil, func(_ *testing.T, m *intMap) intGuard { g, _ := m.AcquireNext(5); return g }, "AcquireNext"},
		{"AcquireNext, above", nil, func(_ *testing.T, m *intMap) intGuard { g, _ := m.AcquireNext(-5); return g }, "AcquireNext"},
		{"Guards", nil, func(_ *testing.T, m *intMap) intGuard {
			for g := range m.Guards(rg(0, 10)) {
				return g.Take()
			}
			return intGuard{}
		}, "beside"}, // the compiler has inlined Guards and GuardsContext into this function
		{"exclusive", nil, func(_ *testing.T, m *intMap) intGuard { g, _ := m.AcquireExclusive(5); return g }, "AcquireExclusive"},
		{"exclusive, announced", func(t *testing.T, m *intMap) { announcing(t, m) },
			func(_ *testing.T, m *intMap) intGuard { g, _ := m.AcquireExclusive(5); return g }, "AcquireExclusive"},
		{"TryAcquireExclusive", nil, func(_ *testing.T, m *intMap) intGuard { g, _ := m.TryAcquireExclusive(5); return g }, "TryAcquireExclusive"},
		{"downgraded", nil, func(_ *testing.T, m *intMap) intGuard {
			g, _ := m.AcquireExclusive(5)
			g.Downgrade()
			return g
		}, "AcquireExclusive"},
		{"cloned", nil, func(_ *testing.T, m *intMap) intGuard {
			g := acquire(m)
			defer g.Release()
			return g.Clone()
		}, "Clone"},
		{"cloned, announced", func(t *testing.T, m *intMap) { announcing(t, m) }, func(_ *testing.T, m *intMap) intGuard {
			g := acquire(m)
			defer g.Release()
			return g.Clone()
		}, "Clone"},
		{"Reader.Acquire", nil, func(_ *testing.T, m *intMap) intGuard {
			r := m.RLock()
			defer r.Unlock()
			g, _ := r.Acquire(5)
			return g
		}, "Reader[...].Acquire"},
		{"AcquireOrLoad, a hit", nil, func(t *testing.T, m *intMap) intGuard {
			g, _ := m.AcquireOrLoad(t.Context(), 5, nothing)
			return g
		}, "AcquireOrLoad"},
		{"AcquireOrLoad, a miss", nil, func(t *testing.T, m *intMap) intGuard {
			g, _ := m.AcquireOrLoad(t.Context(), 105, func(context.Context, int) (rangelock.Range[int], string, error) {
				return rg(100, 110), "new", nil
			})
			return g
		}, "AcquireOrLoad"},
		{"behind a writer", nil, func(_ *testing.T, m *intMap) intGuard {
			w := m.Lock()
			w.Exclude(rg(0, 10))
			go func() {
				synctest.Wait() // for the reader that waits
				w.Unlock()
			}()
			return acquire(m)
		}, "Acquire"},
		{"in line", nil, func(t *testing.T, m *intMap) intGuard {
			guardprofile.SetRate(0)
			x, err := m.TryAcquireExclusive(5)
			if err != nil {
				t.Error(err)
			}
			guardprofile.SetRate(1)
			go func() {
				synctest.Wait() // for the reader that waits
				x.Release()
			}()
			return acquire(m)
		}, "Acquire"},
		{"taken elsewhere", nil, func(_ *testing.T, m *intMap) (g intGuard) {
			c := make(chan intGuard)
			go func() { c <- sampleHere(func() intGuard { return acquire(m) }) }()
			return <-c
		}, "Acquire"},
		{"a range that leaves", nil, func(t *testing.T, m *intMap) intGuard {
			g := acquire(m)
			if _, err := m.Retire(t.Context(), rg(0, 10)); err != nil {
				t.Error(err)
			}
			return g
		}, "Acquire"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := tens(t, "a", "b")
				if tt.setup != nil {
					tt.setup(t, m)
				}
				profiling(t, 1)
				g := sampleHere(func() intGuard { return tt.take(t, m) })
				if r := g.Range(); r.Lo%10 != 0 || g.Value() == "" {
					t.Fatalf("the guard is on %v, %q", r, g.Value())
				}
				wantSamples(t, "while it is held", 1)
				text := listed(t)
				_, stack, _ := strings.Cut(text, "#")
				first, _, _ := strings.Cut(stack, "\n")
				if !strings.Contains(first, "."+tt.leaf+"+") && !strings.Contains(first, "."+tt.leaf+"Context") || !strings.Contains(stack, "sampleHere") {
					t.Errorf("the stack does not begin with %s, or does not come from here:\n%s", tt.leaf, text)
				}
				handed := make(chan bool)
				go func() { // another goroutine may release a guard
					g.Release()
					close(handed)
				}()
				<-handed
				wantSamples(t, "after the release", 0)
				guardprofile.SetRate(0)
				synctest.Wait()
				usable(t, m)
			})
		})
	}
}

func nothing(context.Context, int) (r rangelock.Range[int], v string, err error) {
	return r, v, rangelock.ErrNotFound
}

// TestProfileKeys: the same for keys whose search needs a pin, and under View.
func TestProfileKeys(t *testing.T) {
	m := rangelock.New[string, int](nil)
	if err := m.Insert(t.Context(), rangelock.Prefix("a"), 1); err != nil {
		t.Fatal(err)
	}
	profiling(t, 1)
	if !m.View("ab", func(rangelock.Range[string], int) {
		wantSamples(t, "in View", 1)
		if text := listed(t); !strings.Contains(text, ").View") || strings.Contains(text, ").Acquire") {
			t.Errorf("not the stack of View in\n%s", text)
		}
	}) {
		t.Error("no range")
	}
	wantSamples(t, "after View", 0)
	guardprofile.SetRate(0)
	g, _ := m.Acquire("ab")
	wantSamples(t, "off", 0)
	g.Release()
}

// TestProfileOff: without a rate no guard is listed, and SetRate returns the previous rate. A
// rate applies to maps that were made before it and after it, and a sampled guard can be released
// after sampling was switched off.
func TestProfileOff(t *testing.T) {
	before := tens(t, "a", "b")
	profiling(t, 1)
	after := tens(t, "a", "b")
	maps := []*intMap{before, after}
	var guards []intGuard
	for _, m := range maps {
		guards = append(guards, hold(t, m, 5))
	}
	wantSamples(t, "on", 2)
	if got := guardprofile.SetRate(0); got != 1 {
		t.Errorf("the rate was %d, want 1", got)
	}
	third := tens(t, "a", "b")
	for _, m := range append(maps, third) {
		g := hold(t, m, 15)
		x, _ := m.TryAcquireExclusive(5)
		defer g.Release()
		if m == third {
			defer x.Release()
		}
	}
	wantSamples(t, "off", 2)
	if got := guardprofile.SetRate(-1); got != 0 {
		t.Errorf("the rate is %d, want 0", got)
	}
	for i := range guards {
		guards[i].Release()
	}
	wantSamples(t, "released when off", 0)
}

// TestProfileRate: about one of every rate guards is listed.
func TestProfileRate(t *testing.T) {
	m := tens(t, "a", "b")
	profiling(t, 10)
	const n = 4000
	var guards [n]intGuard
	for i := range guards {
		guards[i] = hold(t, m, i%20)
	}
	// Binomial, with a standard deviation of 19.
	if got := pprof.Lookup("spanlock.guards").Count(); got < n/10-150 || got > n/10+150 {
		t.Errorf("%d of %d guards are listed", got, n)
	}
	for i := range guards {
		guards[i].Release()
	}
}

// TestProfileCopies: the second release of a sampled guard through a copy panics, also if others
// have guards on the range, and does not remove another guard's sample.
func TestProfileCopies(t *testing.T) {
	for _, kind := range []string{"counted", "announced", "exclusive"} {
		t.Run(kind, func(t *testing.T) {
			m := tens(t, "a", "b", "c")
			if kind == "announced" {
				announcing(t, m)
			}
			profiling(t, 1)
			take := hold
			if kind == "exclusive" {
				take = func(t *testing.T, m *intMap, key int) intGuard {
					g, err := m.TryAcquireExclusive(key)
					if err != nil {
						t.Fatal(err)
					}
					return g
				}
			} else {
				other := hold(t, m, 5)
				defer func() { other.Release() }()
			}
			g := take(t, m, 5)
			c := g
			g.Release()
			next := hold(t, m, 15) // it has reused the number of the sample
			count := pprof.Lookup("spanlock.guards").Count()
			wantPanic(t, "the second Release", c.Release)
			wantSamples(t, "after a second release", count)
			next.Release()
			if kind == "exclusive" {
				usable(t, m)
			}
		})
	}
}

// TestProfileTorture: goroutines take guards of all kinds on few ranges and pass them to each
// other, while the rate changes. At the end no guard is listed, and no range has a guard.
func TestProfileTorture(t *testing.T) {
	m := tens(t, "a", "b", "c", "d")
	profiling(t, 1)
	rounds := 300
	if testing.Short() {
		rounds = 100
	}
	pass := make(chan intGuard, 4)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range rounds {
				key := (worker + i) % 40
				switch i % 5 {
				case 0:
					if g, err := m.TryAcquireExclusive(key); err == nil {
						g.Downgrade()
						g.Release()
					}
				case 1:
					guardprofile.SetRate(i % 4)
				case 2:
					if err := m.Swap(context.Background(), rg(30, 40), "x"); err != nil {
						t.Error(err)
					}
				default:
					g, err := m.TryAcquire(key)
					if err != nil {
						continue
					}
					c := g.Clone()
					g.Release()
					select {
					case pass <- c:
					case other := <-pass:
						other.Release()
						c.Release()
					}
				}
			}
		})
	}
	wg.Wait()
	close(pass)
	for g := range pass {
		g.Release()
	}
	guardprofile.SetRate(0)
	wantSamples(t, "at the end", 0)
	usable(t, m)
}
