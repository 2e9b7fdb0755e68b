package rangealloc_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// one returns an allocator of [0, 10) in which [0, 10) is allocated, with a guard on it.
func one(t *testing.T, o *rangelock.Options[int, string]) (*rangealloc.Allocator[int, string], rangelock.Guard[int, string]) {
	t.Helper()
	a := rangealloc.New(rangelock.Span(0, 10), o)
	if _, err := a.Alloc(ctx, 10, 1, "a"); err != nil {
		t.Fatal(err)
	}
	g, ok := a.Map().Acquire(5)
	if !ok {
		t.Fatal("no guard")
	}
	return a, g
}

// isFree reports whether the keys of the allocator of one can be allocated, and leaves them as
// they were.
func isFree(t *testing.T, a *rangealloc.Allocator[int, string]) bool {
	t.Helper()
	if err := a.CheckGaps(); err != nil {
		t.Error(err)
	}
	return slices.Equal(a.GapRanges(), []rangelock.Range[int]{rangelock.Span(0, 10)})
}

// TestFreeWaits: Free waits for the guard, and then for OnRetire, if there is one. The keys are
// free when Free returns, and not before.
func TestFreeWaits(t *testing.T) {
	for _, with := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			goOn := make(chan struct{})
			var o rangelock.Options[int, string]
			if with {
				o.OnRetire = func(rangelock.Range[int], string) { <-goOn }
			}
			a, g := one(t, &o)
			done := make(chan error, 1)
			go func() { done <- a.Free(ctx, 0) }()
			synctest.Wait()
			if len(done) > 0 || isFree(t, a) {
				t.Error("Free has not waited for the guard")
			}
			if _, err := a.Map().TryAcquire(5); !errors.Is(err, rangelock.ErrBusy) {
				t.Errorf("a range that is being freed: %v", err)
			}
			g.Release()
			if synctest.Wait(); with {
				if len(done) > 0 || isFree(t, a) {
					t.Error("Free has not waited for OnRetire")
				}
				if _, err := a.Alloc(ctx, 1, 1, "b"); !errors.Is(err, rangealloc.ErrNoSpace) {
					t.Errorf("Alloc before OnRetire has returned: %v", err)
				}
				if err := a.AllocAt(ctx, rangelock.Span(2, 3), "b"); !errors.Is(err, rangelock.ErrOverlap) {
					t.Errorf("AllocAt before OnRetire has returned: %v", err)
				}
				close(goOn)
			}
			if err := <-done; err != nil || !isFree(t, a) {
				t.Errorf("Free: %v, gaps %v", err, a.GapRanges())
			}
			if synctest.Wait(); a.Expected() != 0 {
				t.Error("something is still expected")
			}
			if err := a.Close(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFreeCancelled: if Free returns an error, the range is allocated as before. If the context
// ends too late for that, Free returns nil.
func TestFreeCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, o := range []*rangelock.Options[int, string]{
			nil, {OnRetire: func(rangelock.Range[int], string) { time.Sleep(time.Hour) }},
		} {
			a, g := one(t, o)
			short, cancel := context.WithTimeout(ctx, time.Minute)
			if err := a.Free(short, 0); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Free under a guard: %v", err)
			}
			cancel()
			if v, ok := a.Map().Get(0); !ok || v != "a" || a.Expected() != 0 {
				t.Errorf("after a cancelled Free: %q, %v, %d expected", v, ok, a.Expected())
			}
			wantGaps(t, a)
			g.Release()
			short, cancel = context.WithTimeout(ctx, time.Minute)
			if err := a.Free(short, 0); err != nil {
				t.Errorf("Free: %v", err)
			}
			if late := o != nil; late == isFree(t, a) || late != (short.Err() != nil) {
				t.Errorf("late %v: gaps %v, %v", late, a.GapRanges(), short.Err())
			}
			cancel()
			if err := a.Map().Drain(ctx); err != nil || !isFree(t, a) || a.Expected() != 0 {
				t.Errorf("after Drain: %v, gaps %v", err, a.GapRanges())
			}
		}
	})
}

// TestFreeLater: it does not wait, and the guard stays valid. The keys are free after OnRetire,
// also if there is none or it ends its goroutine.
func TestFreeLater(t *testing.T) {
	for name, f := range map[string]func(){"none": nil, "returns": func() {}, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				var a *rangealloc.Allocator[int, string]
				var o rangelock.Options[int, string]
				if f != nil {
					o.OnRetire = func(r rangelock.Range[int], v string) {
						if calls++; r != rangelock.Span(0, 10) || v != "a" || len(a.GapRanges()) > 0 {
							t.Errorf("OnRetire(%v, %q) with gaps %v", r, v, a.GapRanges())
						}
						f()
					}
				}
				a, g := one(t, &o)
				if err := a.FreeLater(ctx, 0); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if g.Value() != "a" || g.Range() != rangelock.Span(0, 10) || isFree(t, a) {
					t.Error("the guard is not good")
				}
				if _, ok := a.Map().Acquire(5); ok {
					t.Error("a range that was freed is found")
				}
				if err := a.FreeLater(ctx, 0); !errors.Is(err, rangealloc.ErrNotAllocated) {
					t.Errorf("second FreeLater: %v", err)
				}
				if err := a.AllocAt(ctx, rangelock.Span(0, 1), ""); !errors.Is(err, rangelock.ErrOverlap) {
					t.Errorf("AllocAt under a guard: %v", err)
				}
				g.Release()
				if err := a.Map().Drain(ctx); err != nil || !isFree(t, a) || f != nil && calls != 1 {
					t.Errorf("%v, gaps %v, %d calls", err, a.GapRanges(), calls)
				}
			})
		})
	}
}

// TestEarly lines up several ranges with the same Lo on their way to the map's OnRetire. The
// first ones were freed by Free, which makes the gap itself; the last one was freed by FreeLater.
// If the calls for the first ones made a gap as well, it would be made a second time, or under an
// owner.
func TestEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := rangealloc.New[int, string](rangelock.Span(0, 10), nil)
		for range 5 {
			for size := 1; size <= 10; size++ {
				for _, free := range []func(context.Context, int) error{a.Free, a.Free, a.FreeLater} {
					if _, err := a.Alloc(ctx, size, 1, ""); err != nil {
						t.Fatal(err)
					}
					if err := free(ctx, 0); err != nil {
						t.Fatal(err)
					}
				}
				if a.Map().Drain(ctx); !isFree(t, a) || a.Expected() != 0 {
					t.Fatalf("gaps %v, %d expected", a.GapRanges(), a.Expected())
				}
			}
		}
	})
}

// TestBacklog: MaxPending and Cost apply to the map, and a range that the map refuses to retire
// stays allocated.
func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, g := one(t, &rangelock.Options[int, string]{
			Cost:       func(r rangelock.Range[int], _ string) int64 { return int64(r.Hi - r.Lo) },
			MaxPending: 9,
			OnRetire:   func(rangelock.Range[int], string) {},
		})
		g.Release()
		for name, free := range map[string]func(context.Context, int) error{"Free": a.Free, "FreeLater": a.FreeLater} {
			if err := free(ctx, 0); !errors.Is(err, rangelock.ErrBacklog) || a.Expected() != 0 {
				t.Errorf("%s: %v", name, err)
			}
			wantGaps(t, a)
		}
		if err := a.TryFree(0); err != nil {
			t.Errorf("TryFree leaves nothing pending: %v", err)
		}
		if err := a.Close(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestNeverPending: without a guard and an OnRetire the keys are free at once, whatever is
// pending. With a guard there must be room under MaxPending.
func TestNeverPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, free := range freeWays {
			a, g := one(t, &rangelock.Options[int, string]{
				Cost:       func(rangelock.Range[int], string) int64 { return 2 },
				MaxPending: 1,
			})
			if err := a.FreeLater(ctx, 0); !errors.Is(err, rangelock.ErrBacklog) {
				t.Errorf("FreeLater under a guard: %v", err)
			}
			g.Release()
			if err := free(a, 0); err != nil || !isFree(t, a) || a.Map().Stats().Pending != 0 {
				t.Errorf("%s: %v, gaps %v", name, err, a.GapRanges())
			}
		}
	})
}

// freeWays are the ways to free a range.
var freeWays = map[string]func(a *rangealloc.Allocator[int, string], lo int) error{
	"Free":      func(a *rangealloc.Allocator[int, string], lo int) error { return a.Free(ctx, lo) },
	"FreeLater": func(a *rangealloc.Allocator[int, string], lo int) error { return a.FreeLater(ctx, lo) },
	"TryFree":   func(a *rangealloc.Allocator[int, string], lo int) error { return a.TryFree(lo) },
}

// TestClose: Close retires the ranges that are allocated, and later calls are refused.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		a, g := one(t, &rangelock.Options[int, string]{OnRetire: func(rangelock.Range[int], string) { calls++ }})
		short, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if err := a.Close(short); !errors.Is(err, context.DeadlineExceeded) || calls != 0 {
			t.Errorf("Close under a guard: %v, %d calls", err, calls)
		}
		for name, err := range map[string]error{
			"Alloc":     second(a.Alloc(ctx, 1, 1, "")),
			"AllocAt":   a.AllocAt(ctx, rangelock.Span(0, 1), ""),
			"Free":      a.Free(ctx, 0),
			"FreeLater": a.FreeLater(ctx, 0),
		} {
			if !errors.Is(err, rangelock.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		g.Release()
		if err := a.Close(ctx); err != nil || calls != 1 || !isFree(t, a) {
			t.Errorf("Close: %v, %d calls, gaps %v", err, calls, a.GapRanges())
		}
	})
}

// TestOnRetireFreesLater: OnRetire may use the allocator.
func TestOnRetireFreesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a *rangealloc.Allocator[int, int]
		a = rangealloc.New(rangelock.Span(0, 10), &rangelock.Options[int, int]{
			OnRetire: func(_ rangelock.Range[int], next int) {
				if next >= 0 {
					if err := a.FreeLater(ctx, next); err != nil {
						t.Error(err)
					}
				}
			},
		})
		for i := range 10 {
			if r, err := a.Alloc(ctx, 1, 1, i-1); err != nil || r.Lo != i {
				t.Fatal(r, err)
			}
		}
		if err := a.Free(ctx, 9); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		wantGaps(t, a, rangelock.Span(0, 10))
	})
}

// TestMap: every method of the view shows what is allocated.
func TestMap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, g := one(t, nil)
		g.Release()
		m := a.Map()
		for r, v := range m.All() {
			if r != rangelock.Span(0, 10) || v != "a" {
				t.Error(r, v)
			}
		}
		if g, err := m.AcquireContext(ctx, 9); err != nil {
			t.Error(err)
		} else {
			g.Release()
		}
		if g, err := m.TryAcquire(0); err != nil {
			t.Error(err)
		} else {
			g.Release()
		}
		if _, err := m.AcquireContext(ctx, 10); !errors.Is(err, rangelock.ErrNotFound) {
			t.Error(err)
		}
		rd := m.RLock()
		if r, _, ok := rd.Find(3); !ok || r.Hi != 10 {
			t.Error(r, ok)
		}
		short, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if err := a.FreeLater(short, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("FreeLater under a Reader: %v", err)
		}
		rd.Unlock()
		rd, err := m.RLockContext(ctx)
		if err != nil {
			t.Fatal(err)
		}
		rd.Unlock()
		if m.Len() != 1 {
			t.Error(m.Len())
		}
	})
}

// TestCostPanics: a Cost that panics, or ends its goroutine, leaves the range allocated, so that
// either way can free it afterwards. Without an OnRetire, Cost is called only for a range that
// has a guard.
func TestCostPanics(t *testing.T) {
	for name, fail := range map[string]func() int64{
		"negative": func() int64 { return -1 },
		"panics":   func() int64 { panic("cost") },
		"Goexit":   func() int64 { runtime.Goexit(); return 0 },
	} {
		for _, with := range []bool{false, true} {
			for _, later := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/OnRetire=%v/later=%v", name, with, later), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						failing := true
						o := rangelock.Options[int, string]{Cost: func(rangelock.Range[int], string) int64 {
							if failing {
								return fail()
							}
							return 1
						}}
						if with {
							o.OnRetire = func(rangelock.Range[int], string) {}
						}
						a, g := one(t, &o)
						ways := []func(context.Context, int) error{a.FreeLater}
						if with {
							g.Release()
							ways = append(ways, a.Free)
						}
						for _, free := range ways {
							done := make(chan struct{})
							go func() {
								defer close(done)
								panicOf(func() { free(ctx, 0) })
							}()
							<-done
							if n := a.Expected(); n != 0 {
								t.Errorf("%d calls of OnRetire are expected", n)
							}
							if _, ok := a.Map().Get(0); !ok {
								t.Error("the range is not allocated")
							}
							wantGaps(t, a)
						}
						failing = false
						if !with {
							g.Release()
						}
						free := a.Free
						if later {
							free = a.FreeLater
						}
						if err := free(ctx, 0); err != nil {
							t.Error(err)
						}
						if err := a.Map().Drain(ctx); err != nil || !isFree(t, a) || a.Expected() != 0 {
							t.Errorf("after Drain: %v, gaps %v, %d expected", err, a.GapRanges(), a.Expected())
						}
					})
				})
			}
		}
	}
}
