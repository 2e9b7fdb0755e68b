package rangelocktest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
	"github.com/spanlock/spanlock/rangelocktest"
)

// recorder is the testing.TB of a test that should fail. All other methods panic.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// end runs the cleanups.
func (r *recorder) end() {
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
}

type intMap = rangelock.Map[int, string]

// tens returns a map with the ranges [0, 10), [10, 20), ... of n.
func tens(t *testing.T, n int) *intMap {
	t.Helper()
	m := rangelock.New[int, string](nil)
	for i := range n {
		if err := m.Insert(context.Background(), rangelock.Span(10*i, 10*i+10), "x"); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func hold(t *testing.T, m *intMap, key int) rangelock.Guard[int, string] {
	t.Helper()
	g, ok := m.Acquire(key)
	if !ok {
		t.Fatalf("no range covers %d", key)
	}
	return g
}

// TestCheck: if something is held at its end, a test fails with one error that has these words.
// Guards that a cleanup has released, or a goroutine releases soon, do not fail it.
func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name  string
		test  func(t *testing.T, tb testing.TB, m *intMap)
		words []string // of the error; nil for no error
	}{
		{"nothing", func(t *testing.T, _ testing.TB, m *intMap) {
			g := hold(t, m, 5)
			g.Release()
		}, nil},
		{"a guard", func(t *testing.T, _ testing.TB, m *intMap) { hold(t, m, 5) },
			[]string{"1 guard on 1 range", "[0, 10): 1 guard"}},
		{"guards", func(t *testing.T, _ testing.TB, m *intMap) { hold(t, m, 5); hold(t, m, 15); hold(t, m, 17).Clone() },
			[]string{"4 guards on 2 ranges", "[0, 10): 1 guard", "[10, 20): 3 guards"}},
		{"an exclusive guard", func(t *testing.T, _ testing.TB, m *intMap) { m.AcquireExclusive(15) },
			[]string{"1 guard on 1 range", "[10, 20): 1 exclusive guard"}},
		{"a range that has left", func(t *testing.T, _ testing.TB, m *intMap) {
			hold(t, m, 5)
			if _, err := m.Retire(t.Context(), rangelock.Span(0, 10)); err != nil {
				t.Error(err)
			}
		}, []string{"1 guard on 1 range", "[0, 10): 1 guard, on a range that has left the map"}},
		{"a closed map", func(t *testing.T, _ testing.TB, m *intMap) {
			hold(t, m, 5)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := m.Close(ctx); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}, []string{"1 guard on 1 range"}},
		{"a transaction", func(t *testing.T, _ testing.TB, m *intMap) { m.Lock() },
			[]string{"the test: a transaction"}},
		{"a Reader", func(t *testing.T, _ testing.TB, m *intMap) { m.RLock() },
			[]string{"the test: 1 Reader"}},
		{"a guard and Readers", func(t *testing.T, _ testing.TB, m *intMap) {
			r := m.RLock()
			m.TryAcquire(5)
			m.RLockContext(t.Context())
			if g, ok := r.Acquire(15); ok {
				g.Release()
			}
		}, []string{"1 guard on 1 range, 2 Readers"}},
		{"released by a cleanup", func(t *testing.T, tb testing.TB, m *intMap) {
			g := hold(t, m, 5)
			tb.Cleanup(func() { g.Release() })
		}, nil},
		{"released late", func(t *testing.T, _ testing.TB, m *intMap) {
			g := hold(t, m, 5)
			go func() {
				time.Sleep(900 * time.Millisecond)
				g.Release()
			}()
		}, nil},
		{"released too late", func(t *testing.T, _ testing.TB, m *intMap) {
			g := hold(t, m, 5)
			go func() {
				time.Sleep(time.Hour)
				g.Release()
			}()
		}, []string{"[0, 10): 1 guard"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := tens(t, 3)
				var r recorder
				rangelocktest.Check(&r, m)
				tt.test(t, &r, m)
				if len(r.errors) > 0 {
					t.Errorf("before the end: %q", r.errors)
				}
				r.end()
				wantError(t, r.errors, tt.words)
				time.Sleep(2 * time.Hour) // in the bubble's time: until no goroutine sleeps any more
			})
		})
	}
}

// wantError checks that there is one error with all of the words, or none.
func wantError(t *testing.T, errors, words []string) {
	t.Helper()
	if words == nil {
		if len(errors) > 0 {
			t.Errorf("%q, want no error", errors)
		}
		return
	}
	if len(errors) != 1 {
		t.Fatalf("%q, want one error", errors)
	}
	for _, w := range words {
		if !strings.Contains(errors[0], w) {
			t.Errorf("no %q in\n%s", w, errors[0])
		}
	}
}

// TestCheckAnnounced: announced guards count as held, too.
func TestCheckAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := tens(t, 2)
		for range 100 { // until the range announces its readers
			a, b := hold(t, m, 5), hold(t, m, 6)
			a.Release()
			b.Release()
		}
		var r recorder
		rangelocktest.Check(&r, m)
		g := hold(t, m, 5)
		if m.Stats().Announced != 1 {
			t.Fatalf("%d guards are announced, want one: this test has lost what it is about", m.Stats().Announced)
		}
		r.end()
		wantError(t, r.errors, []string{"[0, 10): 1 guard, 1 announced"})
		g.Release()
	})
}

// TestCheckReal: the same outside of a bubble, in real time, with goroutines that release while
// Check looks.
func TestCheckReal(t *testing.T) {
	m := tens(t, 3)
	var r recorder
	rangelocktest.Check(&r, m)
	var wg sync.WaitGroup
	for i := range 8 {
		g := hold(t, m, 10*(i%3))
		wg.Go(func() { g.Release() })
	}
	r.end()
	wg.Wait()
	wantError(t, r.errors, nil)
}

// TestCheckOf: maps with all types of keys can be checked. This test also checks itself.
func TestCheckOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := rangealloc.New[int, string](rangelock.Span(0, 100), nil)
		rangelocktest.Check(t, a.Map())
		s := rangelock.New[string, int](nil)
		rangelocktest.Check(t, s)
		if err := s.Insert(t.Context(), rangelock.Prefix("a\x00"), 1); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Alloc(t.Context(), 10, 1, "x"); err != nil {
			t.Fatal(err)
		}
		var ra, rs recorder
		rangelocktest.Check(&rs, s)
		rangelocktest.Check(&ra, a.Map())
		gs, ok := s.Acquire("a\x00b")
		ga, also := a.Map().Acquire(5)
		if !ok || !also {
			t.Fatal("no range")
		}
		rs.end()
		ra.end()
		wantError(t, rs.errors, []string{`["a\x00", "a\x01"): 1 guard`})
		wantError(t, ra.errors, []string{"[0, 10): 1 guard"})
		gs.Release()
		ga.Release()
	})
}

// TestCheckMany: an error about many ranges is shortened.
func TestCheckMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := tens(t, 100)
		var r recorder
		rangelocktest.Check(&r, m)
		for i := range 100 {
			g, err := m.TryAcquire(10 * i)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Release()
		}
		r.end()
		wantError(t, r.errors, []string{"100 guards on 100 ranges", "… and 68 more"})
		if n := strings.Count(r.errors[0], "\n"); n > 300 {
			t.Errorf("%d lines", n)
		}
	})
}

// TestCheckNil: Check of a nil map panics at the call, and not at the end of the test.
func TestCheckNil(t *testing.T) {
	for _, m := range []rangelocktest.Map[int]{nil, (*intMap)(nil), new(intMap), rangealloc.Map[int, string]{}} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "rangelocktest: ") {
					t.Errorf("panic %q", text)
				}
			}()
			rangelocktest.Check(t, m)
		}()
	}
}
