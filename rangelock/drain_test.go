package rangelock_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// drains starts a Drain that must succeed.
func drains(t *testing.T, m *intMap) *call {
	return start("Drain", func() {
		if err := m.Drain(bg); err != nil {
			t.Errorf("Drain = %v", err)
		}
	})
}

// TestDrain checks that Drain waits for all ranges that left before the call, and for none that
// leaves later, with and without an OnRetire.
func TestDrain(t *testing.T) {
	for _, with := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m, rec := tens("a", "b", "c", "d")
			if !with {
				m = rangelock.New[int, string](nil)
				fillTens(m, "a", "b", "c", "d")
			}
			if err := m.Drain(endedContext()); err != nil {
				t.Errorf("Drain with nothing to wait for = %v", err)
			}
			a, b, c := hold(t, m, 5), hold(t, m, 15), hold(t, m, 25)
			if _, err := m.Retire(bg, rg(0, 20)); err != nil {
				t.Fatal(err)
			}
			first := drains(t, m)
			first.waits(t)
			if _, err := m.Retire(bg, rg(20, 30)); err != nil {
				t.Fatal(err)
			}
			second := drains(t, m)
			b.Release()
			first.waits(t)
			a.Release()
			first.returns(t)
			if with && rec.String() != "b a" {
				t.Errorf("retired are %q", rec)
			}
			second.waits(t)
			w := m.Lock() // a transaction does not delay Drain
			c.Release()
			second.returns(t)
			w.Unlock()
			if err := m.Drain(endedContext()); err != nil {
				t.Errorf("Drain with nothing to wait for = %v", err)
			}
			usable(t, m)
		})
	}
}

// TestDrainOnRetire checks that Drain waits until OnRetire has returned.
func TestDrainOnRetire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		m := rangelock.New(&rangelock.Options[int, string]{OnRetire: func(intRange, string) { <-open }})
		fillTens(m, "a")
		if _, err := m.Remove(bg, rg(0, 10)); err != nil {
			t.Fatal(err)
		}
		c := drains(t, m)
		c.waits(t)
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		if err := m.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain = %v", err)
		}
		if err := m.Drain(endedContext()); !errors.Is(err, context.Canceled) {
			t.Errorf("Drain = %v", err)
		}
		close(open)
		c.returns(t)
	})
}

// leave is the operations that can exceed MaxPending. In a map with [0, 10)=a [10, 20)=b [20,
// 30)=c each removes a and b; Update removes one range, and Clear all.
var leave = map[string]func(w intWriter) error{
	"Remove": func(w intWriter) error { _, err := w.Remove(rg(0, 20)); return err },
	"Retire": func(w intWriter) error { _, err := w.Retire(rg(0, 20)); return err },
	"Swap":   func(w intWriter) error { return w.Swap(rg(0, 20), "x") },
	"Update": func(w intWriter) error { return w.Update(5, "x") },
	"Clear":  func(w intWriter) error { _, err := w.Clear(); return err },
}

// TestBacklog checks that an operation that would exceed MaxPending fails without waiting and
// changes nothing, and that it succeeds after Drain has made room.
func TestBacklog(t *testing.T) {
	for name, do := range leave {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := &recorder{}
				o := &rangelock.Options[int, string]{
					MaxPending: 3,
					OnRetire:   func(_ intRange, v string) { rec.add(v) },
				}
				m := rangelock.New(o)
				o.MaxPending, o.OnRetire = 1000, nil // the options were copied, so this has no effect
				fillTens(m, "a", "b", "c", "d", "e", "f")
				if _, err := m.Retire(bg, rg(0, 60)); !errors.Is(err, rangelock.ErrBacklog) {
					t.Fatalf("Retire of 6 where 3 may be pending = %v", err)
				}
				old := []intGuard{hold(t, m, 35), hold(t, m, 45), hold(t, m, 55)}
				if n, err := m.Retire(bg, rg(30, 60)); n != 3 || err != nil {
					t.Fatalf("Retire = %d, %v", n, err)
				}
				const before = "[0, 10)=a [10, 20)=b [20, 30)=c"
				g := hold(t, m, 5)
				w := m.Lock()
				pub := m.Publication()
				if err := do(w); !errors.Is(err, rangelock.ErrBacklog) {
					t.Fatalf("%s = %v", name, err)
				}
				if m.Publication() != pub {
					t.Errorf("%s has published", name)
				}
				for key, want := range map[int]any{5: "a", 15: "b", 25: "c", 35: rangelock.ErrNotFound} {
					wantTry(t, m, key, want)
				}
				w.Unlock()
				wantContents(t, m, before)
				if g.Value() != "a" {
					t.Error("the guard has changed")
				}
				g.Release()
				for i := range old {
					old[i].Release()
				}
				if err := m.Drain(bg); err != nil {
					t.Fatal(err)
				}
				w = m.Lock()
				if err := do(w); err != nil {
					t.Errorf("%s after Drain = %v", name, err)
				}
				w.Unlock()
				if err := m.Drain(bg); err != nil {
					t.Fatal(err)
				}
				usable(t, m)
			})
		})
	}
}

// TestBacklogUntilReturned checks that a range is pending until OnRetire has returned for it, or,
// without an OnRetire, until its guards are released.
func TestBacklogUntilReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		m := rangelock.New(&rangelock.Options[int, string]{MaxPending: 1, OnRetire: func(intRange, string) { <-open }})
		fillTens(m, "a", "b", "c")
		retire := func(lo int, want error) {
			t.Helper()
			if _, err := m.Retire(bg, rg(lo, lo+10)); !errors.Is(err, want) || want == nil && err != nil {
				t.Fatalf("Retire = %v, want %v", err, want)
			}
		}
		retire(0, nil)
		synctest.Wait()
		retire(10, rangelock.ErrBacklog)
		close(open)
		synctest.Wait()
		retire(10, nil)

		m = rangelock.New(&rangelock.Options[int, string]{MaxPending: 1})
		fillTens(m, "a", "b", "c")
		g := hold(t, m, 5)
		retire(0, nil)
		retire(10, rangelock.ErrBacklog)
		g.Release()
		if err := m.Drain(bg); err != nil {
			t.Fatal(err)
		}
		retire(10, nil)
	})
}

// TestCost checks what a pending range weighs: Cost gets its bounds and value, a cost of zero
// adds nothing, sums do not wrap, and an operation that alone exceeds MaxPending fails.
func TestCost(t *testing.T) {
	type weigh = func(r intRange, v string) int64
	size := func(r intRange, v string) int64 { return int64(r.Hi - r.Lo) }
	for _, x := range []struct {
		name string
		cost weigh
		max  int64
		held string // retired first with guards held
		want error  // of retiring [40, 60)
	}{
		{"absent", nil, 2, "", nil},
		{"absent, too many", nil, 2, "a", rangelock.ErrBacklog},
		{"size", size, 20, "", nil},
		{"size, one too heavy", size, 19, "", rangelock.ErrBacklog},
		{"size, exactly", size, 30, "a", nil},
		{"size, one less", size, 29, "a", rangelock.ErrBacklog},
		{"zero", func(intRange, string) int64 { return 0 }, 1, "abcd", nil},
		{"by value", func(_ intRange, v string) int64 { return int64(v[0] - 'a') }, 9, "a", nil},
		{"by value, too heavy", func(_ intRange, v string) int64 { return int64(v[0] - 'a') }, 9, "ab", rangelock.ErrBacklog},
		{"sum with pending wraps", func(_ intRange, v string) int64 {
			return map[string]int64{"a": 2, "e": math.MaxInt64 - 2, "f": 1}[v]
		}, math.MaxInt64, "a", rangelock.ErrBacklog},
		{"no bound", func(intRange, string) int64 { return math.MaxInt64 / 8 }, 0, "abcd", nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			rec := &recorder{}
			o := &rangelock.Options[int, string]{Cost: x.cost, MaxPending: x.max, OnRetire: func(_ intRange, v string) { rec.add(v) }}
			m := rangelock.New(o)
			o.Cost = func(intRange, string) int64 { t.Error("the options are read again"); return 0 }
			fillTens(m, "a", "b", "c", "d", "e", "f")
			var guards []intGuard
			for _, v := range x.held {
				lo := 10 * int(v-'a')
				guards = append(guards, hold(t, m, lo))
				if n, err := m.Retire(bg, rg(lo, lo+10)); n != 1 || err != nil {
					t.Fatalf("Retire = %d, %v", n, err)
				}
			}
			before := m.Len()
			n, err := m.Retire(bg, rg(40, 60))
			if !errors.Is(err, x.want) || x.want == nil && (err != nil || n != 2) {
				t.Errorf("Retire = %d, %v, want %v", n, err, x.want)
			}
			if x.want != nil && m.Len() != before {
				t.Errorf("Retire failed and took out %d", before-m.Len())
			}
			for i := range guards {
				guards[i].Release()
			}
			if err := m.Close(bg); err != nil { // MaxPending does not stop Close
				t.Fatal(err)
			}
			if rec.sorted() != "a b c d e f" {
				t.Errorf("retired are %q", rec)
			}
		})
	}
}

// TestCostMisuse checks that a negative Cost and one that panics change nothing, in each
// operation, and that the one-operation forms leave no lock behind.
func TestCostMisuse(t *testing.T) {
	forms := map[string]func(m *intMap){
		"Map.Remove": func(m *intMap) { m.Remove(bg, rg(0, 20)) },
		"Map.Retire": func(m *intMap) { m.Retire(bg, rg(0, 20)) },
		"Map.Swap":   func(m *intMap) { m.Swap(bg, rg(0, 20), "x") },
	}
	for name, do := range leave {
		forms[name] = func(m *intMap) {
			w := m.Lock()
			defer w.Unlock()
			defer func() {
				if x := recover(); x != nil {
					for key, want := range map[int]any{5: "a", 15: "b", 25: "c", 35: rangelock.ErrNotFound} {
						wantTry(t, m, key, want)
					}
					panic(x)
				}
			}()
			do(w)
		}
	}
	for name, do := range forms {
		for _, bound := range []int64{0, 100} {
			for _, negative := range []bool{true, false} {
				bad := true
				m := rangelock.New(&rangelock.Options[int, string]{
					MaxPending: bound,
					OnRetire:   func(intRange, string) {},
					Cost: func(_ intRange, v string) int64 {
						if v == "spare" || !bad {
							return 1
						}
						if negative {
							return -1
						}
						panic("rangelock: not really, this is the test's")
					},
				})
				fillTens(m, "a", "b", "c")
				wantPanic(t, name, func() { do(m) })
				wantContents(t, m, "[0, 10)=a [10, 20)=b [20, 30)=c")
				usable(t, m)
				bad = false
				do(m)
				usable(t, m)
			}
		}
	}
}

// TestOptionsMisuse checks that New and NewFunc refuse options that they cannot use.
func TestOptionsMisuse(t *testing.T) {
	wantPanic(t, "NewFunc without compare", func() { rangelock.NewFunc[int, int](nil, nil) })
	wantPanic(t, "New with a negative MaxPending", func() {
		rangelock.New(&rangelock.Options[int, string]{MaxPending: -1})
	})
	wantPanic(t, "NewFunc with a negative MaxPending", func() {
		rangelock.NewFunc(func(a, b int) int { return a - b }, &rangelock.Options[int, string]{MaxPending: math.MinInt64})
	})
	for _, o := range []*rangelock.Options[int, string]{nil, {}} {
		m := rangelock.New(o)
		fillTens(m, "a")
		usable(t, m)
		if err := m.Close(bg); err != nil {
			t.Error(err)
		}
	}
}

// TestDrainRandom starts and cancels calls of Drain and DrainRange at random, while ranges leave
// and guards are released. Each Drain must return as soon as all ranges that had left before it
// are retired, and not earlier.
func TestDrainRandom(t *testing.T) {
	type draining struct {
		c      *call
		wants  map[int]bool // ranges that left before the call and still have guards
		cancel func()
		err    error
	}
	for range 30 {
		seed := rand.Uint64()
		synctest.Test(t, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("seed %#x", seed)
				}
			}()
			rng := rand.New(rand.NewPCG(seed, 3))
			m, _ := tens()
			pending := map[int]intGuard{}
			var under []*draining
			check := func() {
				t.Helper()
				synctest.Wait()
				left := under[:0]
				for _, d := range under {
					for lo := range d.wants {
						if _, ok := pending[lo]; !ok {
							delete(d.wants, lo)
						}
					}
					if len(d.wants) > 0 {
						d.c.waits(t)
						left = append(left, d)
						continue
					}
					d.c.returns(t)
					if d.err != nil {
						t.Fatalf("Drain = %v", d.err)
					}
				}
				under = left
			}
			for i := range 150 {
				switch rng.IntN(6) {
				case 0, 1:
					r := rg(10*i, 10*i+10)
					if err := m.Insert(bg, r, "x"); err != nil {
						t.Fatal(err)
					}
					if rng.IntN(4) > 0 {
						pending[r.Lo] = hold(t, m, r.Lo)
					}
					if _, err := m.Retire(bg, r); err != nil {
						t.Fatal(err)
					}
				case 2, 3:
					for lo, g := range pending {
						g.Release()
						delete(pending, lo)
						break
					}
				case 4:
					d := &draining{wants: map[int]bool{}}
					r, drain := rangelock.From(0), m.Drain
					if rng.IntN(2) == 0 {
						lo := rng.IntN(10*i + 1)
						r = rg(lo, lo+1+rng.IntN(300))
						drain = func(ctx context.Context) error { return m.DrainRange(ctx, r) }
					}
					for lo := range pending {
						if rangelock.Overlap(r, rg(lo, lo+10)) {
							d.wants[lo] = true
						}
					}
					var ctx context.Context
					ctx, d.cancel = context.WithCancel(bg)
					d.c = start("Drain", func() { d.err = drain(ctx) })
					under = append(under, d)
				case 5:
					if len(under) == 0 {
						break
					}
					k := rng.IntN(len(under))
					d := under[k]
					under = append(under[:k:k], under[k+1:]...)
					d.cancel()
					d.c.returns(t)
					if !errors.Is(d.err, context.Canceled) {
						t.Fatalf("cancelled Drain = %v", d.err)
					}
				}
				check()
			}
			for _, g := range pending {
				g.Release()
			}
			clear(pending)
			check()
			for _, d := range under {
				d.cancel()
			}
			if _, used, watched := m.Slots(); used != 0 || watched != 0 {
				t.Errorf("nothing is pending, and %d slots are in use, %d watched", used, watched)
			}
			usable(t, m)
		})
	}
}
