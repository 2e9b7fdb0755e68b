package rangealloc_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// TestAllocFunc: before f has returned, no reader sees the range and no other call gets its keys.
// f may use the allocator. If f does not return a value, the keys are free.
//
// It kills 219_func_keys_lost.
func TestAllocFunc(t *testing.T) {
	failed := errors.New("failed")
	for name, end := range map[string]func() (string, error){
		"value":  func() (string, error) { return "made", nil },
		"fails":  func() (string, error) { return "made", failed },
		"panics": func() (string, error) { panic("f") },
		"Goexit": func() (string, error) { runtime.Goexit(); return "", nil },
	} {
		t.Run(name, func(t *testing.T) {
			a := rangealloc.New[int, string](rangelock.Span(0, 100), nil)
			var got rangelock.Range[int]
			var err error
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { recover() }()
				got, err = a.AllocFunc(ctx, 10, 16, func(r rangelock.Range[int]) (string, error) {
					if _, err := a.Map().TryAcquire(r.Lo); !errors.Is(err, rangelock.ErrNotFound) || r != rangelock.Span(0, 10) {
						t.Errorf("TryAcquire(%v) in f: %v", r, err)
					}
					if other, err := a.Alloc(ctx, 10, 1, "other"); err != nil || other != rangelock.Span(10, 20) {
						t.Errorf("Alloc in f: %v, %v", other, err)
					}
					return end()
				})
			}()
			<-done
			if name == "value" {
				v, ok := a.Map().Get(5)
				if got != rangelock.Span(0, 10) || err != nil || !ok || v != "made" {
					t.Errorf("%v, %v; %q, %v", got, err, v, ok)
				}
				wantGaps(t, a, rangelock.Span(20, 100))
				return
			}
			if name == "fails" && err != failed || got != (rangelock.Range[int]{}) {
				t.Errorf("%v, %v", got, err)
			}
			wantGaps(t, a, rangelock.Span(0, 10), rangelock.Span(20, 100))
		})
	}
}

// TestAllocFuncErrors: f is not called if there is no room. If the range cannot be attached after
// f, the keys are free again.
func TestAllocFuncErrors(t *testing.T) {
	a := rangealloc.New[int, int](rangelock.Span(0, 100), nil)
	never := func(rangelock.Range[int]) (int, error) { t.Error("f is called"); return 0, nil }
	ended, cancel := context.WithCancel(ctx)
	for _, x := range []struct {
		err, want error
	}{
		{second(a.AllocFunc(ctx, 101, 1, never)), rangealloc.ErrNoSpace},
		{second(a.AllocFunc(ctx, 0, 1, never)), rangealloc.ErrBadSize},
		{second(a.AllocFunc(ctx, 1, 6, never)), rangealloc.ErrBadAlign},
		{second(a.AllocFunc(ended, 1, 1, func(rangelock.Range[int]) (int, error) { cancel(); return 1, nil })), context.Canceled},
		{second(a.AllocFunc(ended, 1, 1, never)), context.Canceled},
		{second(a.AllocFunc(ctx, 1, 1, func(rangelock.Range[int]) (int, error) { return 1, a.Close(ctx) })), rangelock.ErrClosed},
		{second(a.AllocFunc(ctx, 1, 1, never)), rangelock.ErrClosed},
	} {
		if !errors.Is(x.err, x.want) {
			t.Errorf("%v, want %v", x.err, x.want)
		}
	}
	wantGaps(t, a, rangelock.Span(0, 100))
}
