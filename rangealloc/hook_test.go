//go:build invariants || race

package rangealloc_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// onPoint makes the first goroutine that reaches each of the points call the function of the
// point.
func onPoint(t *testing.T, at map[string]func()) {
	once := make(map[string]*atomic.Bool)
	for p := range at {
		once[p] = new(atomic.Bool)
	}
	invariants.SetHook(func(p string) {
		if f := at[p]; f != nil && once[p].CompareAndSwap(false, true) {
			f()
		}
	})
	t.Cleanup(func() { invariants.SetHook(nil) })
}

// TestOvertaken lines up calls of the map's OnRetire that come in another order than their ranges
// left the map. The user has no OnRetire. A reader has found [0, 10), and adds its count after
// Free has excluded the range and before Free detaches it. The reader is refused, and stops
// before it takes its count back, so the range is not finished. Free returns all the same. Its
// keys are given out again and freed later, and the later ranges overtake the first one.
//
// The tempting Free removes the range, and ignores a later call of the map's OnRetire, which it
// recognizes by the start of the range. Then [0, 10) is given out again under the owner of [5,
// 10).
//
// It kills 37_early_by_start.
func TestOvertaken(t *testing.T) {
	type step func(*rangealloc.Allocator[int, string]) error
	alloc := func(lo, hi int) step {
		return func(a *rangealloc.Allocator[int, string]) error { return a.AllocAt(ctx, rangelock.Span(lo, hi), "") }
	}
	free := func(lo int) step {
		return func(a *rangealloc.Allocator[int, string]) error { return a.Free(ctx, lo) }
	}
	later := func(lo int) step {
		return func(a *rangealloc.Allocator[int, string]) error { return a.FreeLater(ctx, lo) }
	}
	for _, x := range []struct {
		name  string
		steps []step
		gaps  []rangelock.Range[int]
	}{
		{"smaller", []step{alloc(0, 5), alloc(5, 10), later(0)}, []rangelock.Range[int]{rangelock.Span(0, 5)}},
		{"smaller, early", []step{alloc(0, 5), alloc(5, 10), free(0), alloc(0, 5)}, nil},
		{"same", []step{alloc(0, 10), later(0)}, []rangelock.Range[int]{rangelock.Span(0, 10)}},
		{"same, early", []step{alloc(0, 10), free(0), alloc(0, 10)}, nil},
		{"same, early and later", []step{alloc(0, 10), free(0), alloc(0, 10), later(0)}, []rangelock.Range[int]{rangelock.Span(0, 10)}},
		{"other start", []step{alloc(0, 5), alloc(5, 10), later(5), free(0)}, []rangelock.Range[int]{rangelock.Span(0, 10)}},
		{"closed", []step{alloc(0, 5), alloc(5, 10), func(a *rangealloc.Allocator[int, string]) error {
			short, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			if err := a.Close(short); !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("Close: %w", err)
			}
			return nil
		}}, []rangelock.Range[int]{rangelock.Span(0, 10)}},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				looked, add := make(chan struct{}), make(chan struct{})
				added, undo := make(chan struct{}), make(chan struct{})
				var leaving atomic.Bool
				leaves := func() {
					if leaving.CompareAndSwap(false, true) {
						close(add)
						<-added
					}
				}
				onPoint(t, map[string]func(){
					"rangelock: range looked at":                    func() { close(looked); <-add },
					"rangelock: before a range is finished at once": leaves,
					"rangelock: before the bits of detachment":      leaves,
					"rangelock: refused, before the undo":           func() { close(added); <-undo },
				})
				a := rangealloc.New[int, string](rangelock.Span(0, 10), nil)
				do := func(s step) {
					if err := s(a); err != nil {
						t.Error(err)
					}
				}
				do(alloc(0, 10))
				go func() {
					if g, err := a.Map().TryAcquire(3); err == nil {
						t.Error("the reader was not refused")
						g.Release()
					}
				}()
				<-looked
				do(free(0))
				for _, s := range x.steps {
					do(s)
				}
				close(undo)
				if err := a.Map().Drain(ctx); err != nil {
					t.Error(err)
				}
				wantGaps(t, a, x.gaps...)
				if n := a.Expected(); n != 0 {
					t.Errorf("%d calls of OnRetire are still expected", n)
				}
			})
		})
	}
}

// TestInsertPanics: if the map panics, the keys are a gap again.
func TestInsertPanics(t *testing.T) {
	a := rangealloc.New[int, string](rangelock.Span(0, 100), nil)
	for name, alloc := range map[string]func() error{
		"Alloc":     func() error { return second(a.Alloc(ctx, 10, 1, "")) },
		"AllocBest": func() error { return second(a.AllocBest(ctx, 10, 1, "")) },
		"AllocAt":   func() error { return a.AllocAt(ctx, rangelock.Span(20, 30), "") },
	} {
		onPoint(t, map[string]func(){"rangelock: before a range is attached": func() { panic(name) }})
		if got := panicOf(func() { alloc() }); got != name {
			t.Errorf("%s: panic with %v", name, got)
		}
		wantGaps(t, a, rangelock.Span(0, 100))
		if n := a.Map().Len(); n != 0 {
			t.Errorf("%s: %d ranges", name, n)
		}
	}
	invariants.SetHook(nil)
	if _, err := a.Alloc(ctx, 100, 1, ""); err != nil {
		t.Error(err)
	}
}
