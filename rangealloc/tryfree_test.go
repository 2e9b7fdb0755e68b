package rangealloc_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// TestTryFree: it frees at once or not at all. OnRetire has run when it returns.
func TestTryFree(t *testing.T) {
	for _, with := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			retired := 0
			var o rangelock.Options[int, string]
			if with {
				o.OnRetire = func(r rangelock.Range[int], v string) {
					if retired++; r != rangelock.Span(0, 10) || v != "a" {
						t.Errorf("OnRetire(%v, %q)", r, v)
					}
				}
			}
			a, g := one(t, &o)
			if err := a.TryFree(0); err != rangelock.ErrBusy {
				t.Errorf("under a guard: %v", err)
			}
			if again, err := a.Map().TryAcquire(3); err != nil {
				t.Errorf("after ErrBusy: %v", err)
			} else {
				again.Release()
			}
			g.Release()
			alone, ok := a.Map().AcquireExclusive(3)
			if !ok {
				t.Error("no exclusive guard")
			}
			if err := a.TryFree(0); err != rangelock.ErrBusy {
				t.Errorf("under an exclusive guard: %v", err)
			}
			alone.Release()
			rd := a.Map().RLock()
			if err := a.TryFree(0); err != rangelock.ErrBusy {
				t.Errorf("under a Reader: %v", err)
			}
			rd.Unlock()
			var e *rangealloc.NotAllocatedError[int]
			if err := a.TryFree(5); !errors.Is(err, rangealloc.ErrNotAllocated) || !errors.As(err, &e) || e.Within != rangelock.Span(0, 10) {
				t.Errorf("in the middle: %v", err)
			}
			wantGaps(t, a)
			if err := a.TryFree(0); err != nil || !isFree(t, a) || with != (retired == 1) {
				t.Errorf("%v, gaps %v, %d retired", err, a.GapRanges(), retired)
			}
			if err := a.TryFree(0); !errors.Is(err, rangealloc.ErrNotAllocated) {
				t.Errorf("twice: %v", err)
			}
			if err := a.Close(ctx); err != nil {
				t.Error(err)
			}
			if err := a.TryFree(0); !errors.Is(err, rangelock.ErrClosed) && !errors.Is(err, rangealloc.ErrNotAllocated) {
				t.Errorf("closed: %v", err)
			}
			if retired > 1 {
				t.Errorf("retired %d times", retired)
			}
		})
	}
}

// TestTryFreeBesideFree: a Free that waits for guards keeps other calls from their turns, but
// does not make TryFree wait.
func TestTryFreeBesideFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := tensOf(t, 2, nil)
		g, _ := a.Map().Acquire(0)
		done := make(chan error, 1)
		go func() { done <- a.Free(ctx, 0) }()
		synctest.Wait()
		if err := a.TryFree(10); err != rangelock.ErrBusy {
			t.Errorf("beside a Free that waits: %v", err)
		}
		g.Release()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := a.TryFree(10); err != nil {
			t.Error(err)
		}
	})
}

// TestFreeLaterAtOnce: without a guard and an OnRetire, the keys are free when FreeLater returns.
//
// It kills 214_free_later_waits.
func TestFreeLaterAtOnce(t *testing.T) {
	a := tensOf(t, 2, nil)
	for range 100 {
		if err := a.FreeLater(ctx, 10); err != nil {
			t.Fatal(err)
		}
		if r, err := a.Alloc(ctx, 10, 1, "new"); err != nil || r.Lo != 10 {
			t.Fatal(r, err)
		}
	}
}
