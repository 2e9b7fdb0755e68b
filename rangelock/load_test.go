package rangelock_test

import (
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// TestLoadHit: a hit is as Acquire, with whatever context, and waits for a writer.
func TestLoadHit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b")
		ask(endedContext(), m, 5, noLoad(t)).gets(t, "a")
		w := m.Lock()
		if err := w.Exclude(rg(0, 10)); err != nil {
			t.Fatal(err)
		}
		ask(endedContext(), m, 5, noLoad(t)).fails(t, context.Canceled)
		a := ask(bg, m, 5, noLoad(t))
		a.waits(t)
		if err := w.Insert(rg(20, 30), "c"); err != nil {
			t.Fatal(err)
		}
		c := ask(bg, m, 25, noLoad(t))
		c.waits(t)
		w.Unlock()
		a.gets(t, "a")
		c.gets(t, "c")
		usable(t, m)
	})
}

// TestLoadOnce: one load is called for many misses, and each caller gets a guard of its own on the
// loaded range.
func TestLoadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a")
		h := newGatedLoad()
		var askers []*asker
		for key := 10; key < 40; key++ {
			askers = append(askers, ask(bg, m, key, h.load))
		}
		for _, a := range askers {
			a.waits(t)
		}
		h.send <- loaded(10, 40, "b")
		synctest.Wait()
		if n := h.calls.Load(); n != 1 {
			t.Errorf("%d loads for one range", n)
		}
		if n, err := m.Retire(bg, rg(10, 40)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		for _, a := range askers {
			if synctest.Wait(); rec.String() != "" {
				t.Fatal("retired under a guard")
			}
			a.gets(t, "b")
		}
		if synctest.Wait(); rec.String() != "b" {
			t.Errorf("retired are %q", rec)
		}
		usable(t, m)
	})
}

// TestLoadNotMine: a caller whose key the loaded range does not cover searches again and loads.
func TestLoadNotMine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens()
		h := newGatedLoad()
		a := ask(bg, m, 5, h.load)
		a.waits(t)
		b := ask(bg, m, 15, h.load)
		b.waits(t)
		h.send <- loaded(0, 10, "a")
		a.gets(t, "a")
		b.waits(t)
		if n := h.calls.Load(); n != 2 {
			t.Fatalf("%d loads, want 2: one for each key", n)
		}
		h.send <- loaded(10, 20, "b")
		b.gets(t, "b")
		wantContents(t, m, "[0, 10)=a [10, 20)=b")
		usable(t, m)
	})
}

// TestLoadApart: misses in different gaps load at the same time, even if the gaps become one
// meanwhile.
func TestLoadApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("", "b", "", "d")
		left, right, third := newGatedLoad(), newGatedLoad(), newGatedLoad()
		a := ask(bg, m, 5, left.load)
		c := ask(bg, m, 25, right.load)
		a.waits(t)
		c.waits(t)
		if left.calls.Load() != 1 || right.calls.Load() != 1 {
			t.Fatal("misses in two gaps do not load at the same time")
		}
		if n, err := m.Retire(bg, rg(10, 20)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		b := ask(bg, m, 15, third.load) // the two gaps are one now
		b.waits(t)
		if third.calls.Load() != 0 {
			t.Error("a miss does not wait for a load in its gap")
		}
		left.send <- loaded(0, 10, "a")
		a.gets(t, "a")
		b.waits(t)
		right.send <- loaded(20, 30, "c")
		c.gets(t, "c")
		b.waits(t)
		third.send <- loaded(10, 20, "b2")
		b.gets(t, "b2")
		wantContents(t, m, "[0, 10)=a [10, 20)=b2 [20, 30)=c [30, 40)=d")
		usable(t, m)
	})
}

// TestLoadRange: with Options.LoadRange misses in one gap load at the same time, but still once for
// each range.
func TestLoadRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := rangelock.New(&rangelock.Options[int, string]{LoadRange: func(key int) intRange {
			if key < 0 {
				return rg(0, 10)
			}
			return rg(key/10*10, key/10*10+10)
		}})
		left, right := newGatedLoad(), newGatedLoad()
		a1, b1 := ask(bg, m, 5, left.load), ask(bg, m, 15, right.load)
		synctest.Wait()
		a2, b2 := ask(bg, m, 6, noLoad(t)), ask(bg, m, 16, noLoad(t))
		a2.waits(t)
		b2.waits(t)
		right.send <- loaded(10, 20, "b")
		b1.gets(t, "b")
		b2.gets(t, "b")
		a1.waits(t)
		left.send <- loaded(0, 10, "a")
		a1.gets(t, "a")
		a2.gets(t, "a")
		wantPanic(t, "a LoadRange beside the key", func() { m.AcquireOrLoad(bg, -1, noLoad(t)) })
		usable(t, m)
	})
}

// TestLoadErrors: an error of load or of the insertion reaches every caller of the key, the map is
// unchanged, and a value that cannot be inserted is retired once.
func TestLoadErrors(t *testing.T) {
	own := errors.New("own error")
	for _, x := range []struct {
		name    string
		load    func() (intRange, string, error)
		want    error
		words   []string
		retired string
	}{
		{"error", func() (intRange, string, error) { return rg(10, 20), "lost", own }, own, nil, ""},
		{"upside down", loaded(20, 10, "v"), rangelock.ErrBadRange, []string{"[20, 10)"}, "v"},
		{"not covering", loaded(17, 18, "v"), rangelock.ErrBadRange, []string{"[17, 18)", "15"}, "v"},
		{"overlap to the left", loaded(5, 20, "v"), rangelock.ErrOverlap, []string{"[5, 20)", "[0, 10)"}, "v"},
		{"overlap to the right", loaded(10, 21, "v"), rangelock.ErrOverlap, []string{"[20, 30)"}, "v"},
		{"goexit", func() (intRange, string, error) { runtime.Goexit(); return intRange{}, "", nil }, nil, nil, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, rec := tens("a", "", "c")
				h := newGatedLoad()
				a := ask(bg, m, 15, h.load)
				a.waits(t)
				b := ask(bg, m, 15, h.load)
				b.waits(t)
				h.send <- x.load
				for _, c := range []*asker{a, b} {
					if x.want == nil {
						if c.returns(t); c.err == nil || !strings.Contains(c.err.Error(), "Goexit") {
							t.Errorf("%s = %v", c.name, c.err)
						}
						continue
					}
					c.fails(t, x.want, x.words...)
				}
				if synctest.Wait(); rec.String() != x.retired || h.calls.Load() != 1 {
					t.Errorf("retired are %q, want %q, after %d loads", rec, x.retired, h.calls.Load())
				}
				wantContents(t, m, "[0, 10)=a [20, 30)=c")
				c := ask(bg, m, 15, h.load) // the failure is not remembered
				c.waits(t)
				h.send <- loaded(10, 20, "b")
				c.gets(t, "b")
				usable(t, m)
			})
		})
	}
}

// TestLoadPanic: a panic in load, or in the compare of the insertion, is raised in every caller of
// the key, with its value and the stack of load.
func TestLoadPanic(t *testing.T) {
	boom := errors.New("boom")
	var inCompare atomic.Bool
	rec := &recorder{}
	for _, where := range []string{"load", "compare"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := rangelock.NewFunc(func(a, b int) int {
					if inCompare.Load() {
						panic(boom)
					}
					return cmp.Compare(a, b)
				}, &rangelock.Options[int, string]{OnRetire: func(_ intRange, v string) { rec.add(v) }})
				h := newGatedLoad()
				a, b := ask(bg, m, 5, h.load), ask(bg, m, 5, h.load)
				a.waits(t)
				b.waits(t)
				h.send <- func() (intRange, string, error) {
					if where == "load" {
						panic(boom)
					}
					inCompare.Store(true)
					return rg(0, 10), "v", nil
				}
				synctest.Wait()
				inCompare.Store(false)
				for _, c := range []*asker{a, b} {
					c.returns(t)
					err, _ := c.panicked.(error)
					if !errors.Is(err, boom) || !strings.HasPrefix(err.Error(), "rangelock: panic in a load: boom") || !strings.Contains(err.Error(), "load_test.go") {
						t.Errorf("%s panics with %v", c.name, c.panicked)
					}
				}
				if where == "compare" && rec.String() != "v" {
					t.Errorf("retired are %q", rec)
				}
				wantContents(t, m, "")
				usable(t, m)
			})
		})
	}
	m, _ := tens("a")
	wantPanic(t, "a nil load", func() { m.AcquireOrLoad(bg, 5, nil) })
	wantPanic(t, "a panic with a value that is no error", func() {
		m.AcquireOrLoad(bg, 15, func(context.Context, int) (intRange, string, error) { panic("boom") })
	})
}

// TestLoadNaN: no range covers NaN, so neither load nor LoadRange is called for it.
func TestLoadNaN(t *testing.T) {
	type floats = rangelock.Range[float64]
	for _, o := range []*rangelock.Options[float64, int]{nil, {LoadRange: func(key float64) floats {
		t.Errorf("LoadRange(%v) is called", key)
		return rangelock.Span(math.Floor(key), math.Floor(key)+1)
	}}} {
		_, err := rangelock.New(o).AcquireOrLoad(bg, math.NaN(), func(context.Context, float64) (floats, int, error) {
			t.Error("load is called")
			return rangelock.From(0.), 0, nil
		})
		if !errors.Is(err, rangelock.ErrBadRange) {
			t.Errorf("error is %v", err)
		}
	}
}

// TestLoadOvertaken: another goroutine inserts a range into the gap while load runs. A caller whose
// key that range covers gets it. The loaded value is retired. The caller of the load's own key gets
// ErrOverlap, and a caller of another key loads for itself.
func TestLoadOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens()
		h := newGatedLoad()
		a := ask(bg, m, 15, h.load)
		a.waits(t)
		b, c := ask(bg, m, 5, h.load), ask(bg, m, 35, h.load)
		b.waits(t)
		c.waits(t)
		if err := m.Insert(bg, rg(0, 10), "won"); err != nil {
			t.Fatal(err)
		}
		h.send <- loaded(0, 20, "lost")
		b.gets(t, "won")
		a.fails(t, rangelock.ErrOverlap, "[0, 20)", "[0, 10)")
		c.waits(t) // its key was not in the range, so it loads now
		h.send <- loaded(30, 40, "d")
		c.gets(t, "d")
		if synctest.Wait(); rec.String() != "lost" {
			t.Errorf("retired are %q", rec)
		}
		wantContents(t, m, "[0, 10)=won [30, 40)=d")
		usable(t, m)
	})
}

// TestLoadInLine: a caller that meets an exclusive guard waits in the queue of the range, and not
// behind a transaction that never touched the range.
//
// Kills 43_queue_to_writer.
func TestLoadInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a", "b")
		alone := func() intGuard {
			g, ok := m.AcquireExclusive(5)
			if !ok {
				t.Fatal("no guard")
			}
			return g
		}
		g := alone()
		w := m.Lock()
		a := ask(bg, m, 5, noLoad(t))
		a.waits(t)
		g.Release()
		a.gets(t, "a") // w is still under way

		g = alone()
		ctx, cancel := context.WithCancel(bg)
		a = ask(ctx, m, 5, noLoad(t))
		a.waits(t)
		cancel()
		a.fails(t, context.Canceled)

		// Its range leaves the map: it waits for the semaphore, and then loads.
		h := newGatedLoad()
		a = ask(bg, m, 5, h.load)
		a.waits(t)
		if n, err := w.Retire(rg(0, 10)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		a.waits(t)
		w.Unlock()
		a.waits(t)
		h.send <- loaded(0, 10, "a2")
		a.gets(t, "a2")
		g.Release()
		if synctest.Wait(); rec.String() != "a" {
			t.Errorf("retired are %q", rec)
		}
		wantContents(t, m, "[0, 10)=a2 [10, 20)=b")
		usable(t, m)
	})
}
