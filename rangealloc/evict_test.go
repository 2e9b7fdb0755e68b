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

// names returns a next that returns the keys in turn.
func names(keys ...int) func() (int, bool) {
	return func() (lo int, ok bool) {
		if len(keys) == 0 {
			return 0, false
		}
		lo, keys = keys[0], keys[1:]
		return lo, true
	}
}

// tensOf returns an allocator of [0, 10n) that is full of n ranges of ten, with the values
// "0" to "n-1".
func tensOf(t *testing.T, n int, o *rangelock.Options[int, string]) *rangealloc.Allocator[int, string] {
	t.Helper()
	a := rangealloc.New(rangelock.Span(0, 10*n), o)
	for i := range n {
		if _, err := a.Alloc(ctx, 10, 1, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// values returns the values of the allocated ranges, in the order of the keys.
func values(a *rangealloc.Allocator[int, string]) (vs []string) {
	for _, v := range a.Map().All() {
		vs = append(vs, v)
	}
	return vs
}

// TestAllocEvict: it frees what it needs and no more. It passes over candidates that are held,
// named twice or not allocated. If the candidates do not suffice, it frees nothing.
//
// It kills 215_evict_named_twice.
func TestAllocEvict(t *testing.T) {
	for _, x := range []struct {
		name        string
		size, align int
		held        []int
		next        []int
		want        rangelock.Range[int]
		left        []string // with "new" among them
		asked       int
		passed      int // ranges passed over because of their guards
	}{
		{"the first suffices", 10, 1, nil, []int{20, 0, 10}, rangelock.Span(20, 30), []string{"0", "1", "new", "3", "4"}, 1, 0},
		{"a smaller one", 4, 1, nil, []int{20, 0}, rangelock.Span(20, 24), []string{"0", "1", "new", "3", "4"}, 1, 0},
		{"two neighbours", 15, 1, nil, []int{30, 20, 0}, rangelock.Span(20, 35), []string{"0", "1", "new", "4"}, 2, 0},
		{"not neighbours", 15, 1, nil, []int{40, 0, 20, 30, 10}, rangelock.Span(20, 35), []string{"1", "new"}, 4, 0},
		{"alignment", 8, 16, nil, []int{0, 10, 20}, rangelock.Span(0, 8), []string{"new", "1", "2", "3", "4"}, 1, 0},
		{"bad alignment", 8, 32, nil, []int{20, 10, 30, 40}, rangelock.Span(32, 40), []string{"0", "new", "4"}, 3, 0},
		{"held", 10, 1, []int{20, 0}, []int{20, 0, 10, 30}, rangelock.Span(10, 20), []string{"0", "new", "2", "3", "4"}, 3, 2},
		{"twice", 15, 1, nil, []int{20, 20, 30, 0}, rangelock.Span(20, 35), []string{"0", "1", "new", "4"}, 3, 0},
		{"not there", 10, 1, nil, []int{25, 99, -1, 20, 0}, rangelock.Span(20, 30), []string{"0", "1", "new", "3", "4"}, 4, 0},
		{"all", 50, 1, nil, []int{20, 0, 10, 40, 30}, rangelock.Span(0, 50), []string{"new"}, 5, 0},
		{"too much", 51, 1, nil, []int{20, 0, 10, 40, 30}, rangelock.Range[int]{}, []string{"0", "1", "2", "3", "4"}, 6, 0},
		{"too little", 21, 1, []int{30}, []int{20, 30, 10}, rangelock.Range[int]{}, []string{"0", "1", "2", "3", "4"}, 4, 1},
		{"none", 1, 1, nil, nil, rangelock.Range[int]{}, []string{"0", "1", "2", "3", "4"}, 1, 0},
	} {
		for _, with := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/OnRetire=%v", x.name, with), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var retired []int
					var o rangelock.Options[int, string]
					if with {
						o.OnRetire = func(r rangelock.Range[int], _ string) { retired = append(retired, r.Lo) }
					}
					a := tensOf(t, 5, &o)
					for _, lo := range x.held {
						g, ok := a.Map().Acquire(lo)
						if !ok {
							t.Fatal("no guard")
						}
						defer g.Release()
					}
					asked := 0
					next := names(x.next...)
					r, err := a.AllocEvict(ctx, x.size, x.align, "new", func() (int, bool) {
						asked++
						return next()
					})
					if r != x.want || (err == nil) != (x.want != rangelock.Range[int]{}) || asked != x.asked {
						t.Errorf("%v, %v, asked %d times; want %v, %d", r, err, asked, x.want, x.asked)
					}
					var e *rangealloc.NoSpaceError[int]
					if err != nil && (!errors.Is(err, rangealloc.ErrNoSpace) || !errors.As(err, &e) || e.Held != x.passed || e.Size != x.size) {
						t.Errorf("%v, want ErrNoSpace, %d held", err, x.passed)
					}
					if got := values(a); !slices.Equal(got, x.left) {
						t.Errorf("%v are left, want %v", got, x.left)
					}
					if err := a.CheckGaps(); err != nil || a.Expected() != 0 {
						t.Error(err, a.Expected())
					}
					keys := 0
					for r := range a.Map().All() {
						keys += r.Hi - r.Lo
					}
					if free := a.Stats().Free; int(free)+keys != 50 {
						t.Errorf("%d keys are free, %d allocated, of 50", free, keys)
					}
					if n := 5 - len(x.left); err == nil && with && len(retired) != n+1 {
						t.Errorf("%v are retired", retired)
					}
				})
			})
		}
	}
}

// TestAllocEvictRoom: if there is room, next is not called, and a next that never ends is not
// called for ever.
//
// It kills 213_evict_too_much.
func TestAllocEvictRoom(t *testing.T) {
	a := tensOf(t, 5, nil)
	if err := a.TryFree(30); err != nil {
		t.Fatal(err)
	}
	if r, err := a.AllocEvict(ctx, 10, 1, "new", nil); err != nil || r != rangelock.Span(30, 40) {
		t.Error(r, err)
	}
	g, _ := a.Map().Acquire(0)
	defer g.Release()
	if _, err := a.AllocEvict(ctx, 10, 1, "", func() (int, bool) { return 0, true }); !errors.Is(err, rangealloc.ErrNoSpace) {
		t.Error(err)
	}
	for _, x := range []struct{ size, align int }{{0, 1}, {1, 3}} {
		if _, err := a.AllocEvict(ctx, x.size, x.align, "", nil); err == nil {
			t.Error("no error for", x)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := a.AllocEvict(ended, 1, 1, "", nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestAllocEvictPanics: if next panics, nothing is freed, not even the candidates before.
//
// It kills 216_evict_panics.
func TestAllocEvictPanics(t *testing.T) {
	for _, o := range []*rangelock.Options[int, string]{nil, {OnRetire: func(rangelock.Range[int], string) {}}} {
		a := tensOf(t, 5, o)
		asked := 0
		if p := panicOf(func() {
			a.AllocEvict(ctx, 20, 1, "", func() (int, bool) {
				if asked++; asked == 2 {
					panic("next")
				}
				return 30, true
			})
		}); p != "next" {
			t.Errorf("panic with %v", p)
		}
		wantGaps(t, a)
		if got := values(a); len(got) != 5 {
			t.Errorf("%v are left", got)
		}
		if g, err := a.Map().TryAcquire(30); err != nil {
			t.Errorf("what was named stays excluded: %v", err)
		} else {
			g.Release()
		}
		if r, err := a.AllocEvict(ctx, 20, 1, "new", names(10, 20)); err != nil || r != rangelock.Span(10, 30) {
			t.Error(r, err)
		}
	}
}

// TestAllocEvictRetires: OnRetire has the keys to itself, and may use the allocator. If it ends
// its goroutine, the keys of all victims are free.
//
// It kills 217_evicted_keys_early.
func TestAllocEvictRetires(t *testing.T) {
	for name, end := range map[string]func(){"returns": func() {}, "Goexit": runtime.Goexit, "panics": func() { panic("end") }} {
		t.Run(name, func(t *testing.T) {
			var a *rangealloc.Allocator[int, string]
			var retired []string
			a = tensOf(t, 5, &rangelock.Options[int, string]{OnRetire: func(r rangelock.Range[int], v string) {
				retired = append(retired, v)
				for _, g := range a.GapRanges() {
					if rangelock.Overlap(g, r) {
						t.Errorf("OnRetire(%v) with the gap %v", r, g)
					}
				}
				if err := a.AllocAt(ctx, rangelock.Span(r.Lo, r.Lo+1), "x"); !errors.Is(err, rangelock.ErrOverlap) {
					t.Errorf("AllocAt in OnRetire: %v", err)
				}
				if v == "3" {
					end()
				}
			}})
			done := make(chan error, 1)
			go func() {
				err := errors.New("ended")
				defer func() { recover(); done <- err }()
				_, err = a.AllocEvict(ctx, 15, 1, "new", names(0, 30, 40))
			}()
			err := <-done
			if !slices.Equal(retired, []string{"0", "3", "4"}) || a.Expected() != 0 {
				t.Errorf("retired %v, %d expected", retired, a.Expected())
			}
			if name == "returns" {
				wantGaps(t, a, rangelock.Span(0, 10), rangelock.Span(45, 50))
			} else {
				wantGaps(t, a, rangelock.Span(0, 10), rangelock.Span(30, 50))
			}
			if (err == nil) != (name == "returns") {
				t.Error(err)
			}
		})
	}
}

// TestRetiredHere: Drain and Close wait for an OnRetire that runs on the goroutine of the caller
// of TryFree or AllocEvict. Drain does not wait for calls that begin later.
//
// It kills 218_close_before_on_retire.
func TestRetiredHere(t *testing.T) {
	free := map[string]func(a *rangealloc.Allocator[int, string]) error{
		"TryFree": func(a *rangealloc.Allocator[int, string]) error { return a.TryFree(0) },
		"AllocEvict": func(a *rangealloc.Allocator[int, string]) error {
			_, err := a.AllocEvict(ctx, 10, 1, "new", names(0))
			if errors.Is(err, rangelock.ErrClosed) {
				return nil
			}
			return err
		},
	}
	for name, free := range free {
		for _, closes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/closes=%v", name, closes), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					goOn := make(chan struct{})
					a := tensOf(t, 3, &rangelock.Options[int, string]{OnRetire: func(_ rangelock.Range[int], v string) {
						if v == "0" {
							<-goOn
						}
					}})
					freed, waited := make(chan error, 1), make(chan error, 1)
					go func() { freed <- free(a) }()
					synctest.Wait()
					wait := a.Map().Drain
					if closes {
						wait = a.Close
					}
					short, cancel := context.WithTimeout(ctx, time.Minute)
					defer cancel()
					err := wait(short)
					var e *rangelock.WaitError[int]
					if !errors.As(err, &e) || e.For != rangelock.ForRetire || e.Waited != time.Minute || !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%v, want a WaitError", err)
					}
					go func() { waited <- wait(ctx) }()
					synctest.Wait()
					if len(freed)+len(waited) > 0 {
						t.Error("OnRetire was not waited for")
					}
					close(goOn)
					if err := errors.Join(<-freed, <-waited); err != nil {
						t.Error(err)
					}
					if n := a.Expected(); n != 0 {
						t.Errorf("%d expected", n)
					}
				})
			})
		}
	}
}
