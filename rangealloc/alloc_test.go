package rangealloc_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

var ctx = context.Background()

// wantGaps fails the test if the gaps are not want, or if a tree of gaps is not in order.
func wantGaps[K rangealloc.Integer, V any](t *testing.T, a *rangealloc.Allocator[K, V], want ...rangelock.Range[K]) {
	t.Helper()
	if err := a.CheckGaps(); err != nil {
		t.Fatal(err)
	}
	got := a.GapRanges()
	if len(got) != len(want) {
		t.Fatalf("gaps %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("gaps %v, want %v", got, want)
		}
	}
}

// withGaps returns an allocator of the keys of r in which only the gaps are free.
func withGaps[K rangealloc.Integer](t *testing.T, r rangelock.Range[K], gaps ...rangelock.Range[K]) *rangealloc.Allocator[K, int] {
	t.Helper()
	a := rangealloc.New[K, int](r, nil)
	lo := r.Lo
	for _, g := range gaps {
		if lo < g.Lo {
			if err := a.AllocAt(ctx, rangelock.Span(lo, g.Lo), 0); err != nil {
				t.Fatal(err)
			}
		}
		lo = g.Hi
		if g.Unbounded {
			return a
		}
	}
	rest := r
	rest.Lo = lo
	if r.Unbounded || lo < r.Hi {
		if err := a.AllocAt(ctx, rest, 0); err != nil {
			t.Fatal(err)
		}
	}
	wantGaps(t, a, gaps...)
	return a
}

// TestAlloc checks the two ways to choose a gap, one case per row.
func TestAlloc(t *testing.T) {
	span, from := rangelock.Span[int16], rangelock.From[int16]
	type ranges = []rangelock.Range[int16]
	for _, x := range []struct {
		name        string
		all         rangelock.Range[int16]
		gaps        ranges
		size, align int16
		first, best rangelock.Range[int16] // the zero Range means ErrNoSpace
	}{
		{"whole", span(0, 10), ranges{span(0, 10)}, 10, 0, span(0, 10), span(0, 10)},
		{"one too many", span(0, 10), ranges{span(0, 10)}, 11, 0, span(0, 0), span(0, 0)},
		{"lowest or smallest", span(0, 100), ranges{span(10, 30), span(50, 55), span(60, 65)}, 5, 1, span(10, 15), span(50, 55)},
		{"nothing free", span(0, 10), nil, 1, 1, span(0, 0), span(0, 0)},
		{"exact after alignment", span(0, 100), ranges{span(16, 24)}, 8, 8, span(16, 24), span(16, 24)},
		{"just enough after alignment", span(0, 100), ranges{span(13, 24)}, 8, 8, span(16, 24), span(16, 24)},
		{"wide enough, lies badly", span(0, 100), ranges{span(13, 23)}, 8, 8, span(0, 0), span(0, 0)},
		{"smallest lies badly", span(0, 100), ranges{span(1, 9), span(20, 29), span(32, 42), span(56, 66)}, 8, 8, span(32, 40), span(32, 40)},
		{"aligned further up", span(0, 100), ranges{span(1, 40), span(48, 57)}, 8, 16, span(16, 24), span(48, 56)},
		{"negative keys", span(-100, 100), ranges{span(-13, 50)}, 4, 8, span(-8, -4), span(-8, -4)},
		{"over zero", span(-100, 100), ranges{span(-3, 3)}, 6, 1, span(-3, 3), span(-3, 3)},
		{"the lowest key", from(math.MinInt16), ranges{span(math.MinInt16, -32000)}, 8, 16384, span(-32768, -32760), span(-32768, -32760)},
		{"up to the largest key", from(0), ranges{from(32760)}, 8, 8, from(32760), from(32760)},
		{"below the largest key", from(0), ranges{from(32760)}, 7, 1, span(32760, 32767), span(32760, 32767)},
		{"only the largest key", from(0), ranges{from(32767)}, 1, 1, from(32767), from(32767)},
		{"the largest key is odd", from(0), ranges{from(32767)}, 1, 2, span(0, 0), span(0, 0)},
		{"alignment past the top", from(0), ranges{from(32761)}, 1, 16384, span(0, 0), span(0, 0)},
		{"bounded by the largest key", span(0, 32767), ranges{span(32760, 32767)}, 7, 1, span(32760, 32767), span(32760, 32767)},
		{"and not above it", span(0, 32767), ranges{span(32760, 32767)}, 8, 1, span(0, 0), span(0, 0)},
		{"more than the kind has positives", from(math.MinInt16), ranges{from(math.MinInt16)}, 32767, 1, span(-32768, -1), span(-32768, -1)},
	} {
		t.Run(x.name, func(t *testing.T) {
			for _, way := range []struct {
				name  string
				alloc func(*rangealloc.Allocator[int16, int]) (rangelock.Range[int16], error)
				want  rangelock.Range[int16]
			}{
				{"Alloc", func(a *rangealloc.Allocator[int16, int]) (rangelock.Range[int16], error) {
					return a.Alloc(ctx, x.size, x.align, 1)
				}, x.first},
				{"AllocBest", func(a *rangealloc.Allocator[int16, int]) (rangelock.Range[int16], error) {
					return a.AllocBest(ctx, x.size, x.align, 1)
				}, x.best},
			} {
				a := withGaps(t, x.all, x.gaps...)
				n := a.Map().Len()
				got, err := way.alloc(a)
				if none := way.want == (rangelock.Range[int16]{}); none != errors.Is(err, rangealloc.ErrNoSpace) || !none && err != nil || got != way.want {
					t.Errorf("%s: %v, %v, want %v", way.name, got, err, way.want)
				}
				if err != nil {
					wantGaps(t, a, x.gaps...)
					if a.Map().Len() != n {
						t.Errorf("%s: %d ranges after an error, %d before", way.name, a.Map().Len(), n)
					}
					continue
				}
				if v, ok := a.Map().Get(got.Lo); !ok || v != 1 {
					t.Errorf("%s: %d, %v at %d", way.name, v, ok, got.Lo)
				}
				if err := a.Free(ctx, got.Lo); err != nil {
					t.Error(err)
				}
				wantGaps(t, a, x.gaps...)
			}
		})
	}
}

func TestAllocAt(t *testing.T) {
	span, from := rangelock.Span[uint8], rangelock.From[uint8]
	a := withGaps(t, span(10, 255), span(20, 30), span(200, 255))
	top := withGaps(t, from(0), from(250))
	for _, x := range []struct {
		name string
		a    *rangealloc.Allocator[uint8, int]
		r    rangelock.Range[uint8]
		want error
	}{
		{"inside", a, span(22, 25), nil},
		{"exact", a, span(20, 30), nil},
		{"over the low end", a, span(19, 21), rangelock.ErrOverlap},
		{"over the high end", a, span(29, 31), rangelock.ErrOverlap},
		{"over two gaps", a, span(25, 210), rangelock.ErrOverlap},
		{"in a range", a, span(100, 101), rangelock.ErrOverlap},
		{"below", a, span(5, 25), rangealloc.ErrOutside},
		{"unbounded in bounded", a, from(254), rangealloc.ErrOutside},
		{"empty", a, span(25, 25), rangelock.ErrBadRange},
		{"upside down", a, span(25, 22), rangelock.ErrBadRange},
		{"up to the end", a, span(201, 255), nil},
		{"unbounded", top, from(250), nil},
		{"the largest key", top, from(255), nil},
		{"below the largest key", top, span(250, 255), nil},
		{"unbounded, overlapping", top, from(249), rangelock.ErrOverlap},
	} {
		t.Run(x.name, func(t *testing.T) {
			before := x.a.GapRanges()
			if err := x.a.AllocAt(ctx, x.r, 1); !errors.Is(err, x.want) {
				t.Fatalf("%v, want %v", err, x.want)
			}
			if x.want == nil {
				if !x.a.Map().View(x.r.Lo, func(r rangelock.Range[uint8], v int) {
					if r != x.r || v != 1 {
						t.Errorf("%v with %d, want %v", r, v, x.r)
					}
				}) {
					t.Errorf("nothing at %d", x.r.Lo)
				}
				if err := x.a.Free(ctx, x.r.Lo); err != nil {
					t.Error(err)
				}
			}
			wantGaps(t, x.a, before...)
		})
	}
}

// TestErrors: a wrong call returns an error that describes the mistake, and changes nothing.
func TestErrors(t *testing.T) {
	a := withGaps(t, rangelock.Span(0, 100), rangelock.Span(10, 20), rangelock.Span(40, 43))
	_, err := a.Alloc(ctx, 12, 4, 0)
	for _, part := range []string{"12 keys", "aligned to 4", "[10, 20)", "10 keys"} {
		if !errors.Is(err, rangealloc.ErrNoSpace) || !strings.Contains(err.Error(), part) {
			t.Errorf("%v, want ErrNoSpace with %q", err, part)
		}
	}
	full := withGaps(t, rangelock.Span(0, 5))
	if _, err := full.AllocBest(ctx, 1, 0, 0); !errors.Is(err, rangealloc.ErrNoSpace) || !strings.Contains(err.Error(), "[0, 5) is full") {
		t.Error(err)
	}
	over := withGaps(t, rangelock.From[uint64](1))
	if _, err := over.Alloc(ctx, 1, 1<<63, 0); !errors.Is(err, rangealloc.ErrNoSpace) || !strings.Contains(err.Error(), "[1, ∞) is full") {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for _, x := range []struct {
		name string
		err  error
		want error
	}{
		{"size 0", second(a.Alloc(ctx, 0, 1, 0)), rangealloc.ErrBadSize},
		{"size -1", second(a.AllocBest(ctx, -1, 1, 0)), rangealloc.ErrBadSize},
		{"the least size", second(a.Alloc(ctx, math.MinInt, 1, 0)), rangealloc.ErrBadSize},
		{"align 3", second(a.Alloc(ctx, 1, 3, 0)), rangealloc.ErrBadAlign},
		{"align -4", second(a.AllocBest(ctx, 1, -4, 0)), rangealloc.ErrBadAlign},
		{"the least align", second(a.AllocBest(ctx, 1, math.MinInt, 0)), rangealloc.ErrBadAlign},
		{"Alloc, ended context", second(a.Alloc(ended, 1, 1, 0)), context.Canceled},
		{"AllocAt, ended context", a.AllocAt(ended, rangelock.Span(10, 11), 0), context.Canceled},
		{"Free, ended context", a.Free(ended, 0), context.Canceled},
		{"FreeLater, ended context", a.FreeLater(ended, 0), context.Canceled},
		{"Free of a gap", a.Free(ctx, 10), rangealloc.ErrNotAllocated},
		{"Free of the middle", a.Free(ctx, 5), rangealloc.ErrNotAllocated},
		{"FreeLater of a gap", a.FreeLater(ctx, 10), rangealloc.ErrNotAllocated},
		{"FreeLater of the middle", a.FreeLater(ctx, 5), rangealloc.ErrNotAllocated},
	} {
		if !errors.Is(x.err, x.want) {
			t.Errorf("%s: %v, want %v", x.name, x.err, x.want)
		}
	}
	wantGaps(t, a, rangelock.Span(10, 20), rangelock.Span(40, 43))
	if n := a.Map().Len(); n != 3 {
		t.Errorf("%d ranges, want 3", n)
	}
}

func second[T any](_ T, err error) error { return err }

// TestFull: the error of an allocation that MaxRanges refuses names the method that was called and
// the range that was chosen, in a RangeError of this package, and the keys are free again.
//
// It kills 281_full_says_insert.
func TestFull(t *testing.T) {
	a := rangealloc.New(rangelock.Span(0, 100), &rangelock.Options[int, int]{MaxRanges: 1})
	if err := a.AllocAt(ctx, rangelock.Span(0, 10), 0); err != nil {
		t.Fatal(err)
	}
	for op, err := range map[string]error{
		"Alloc":      second(a.Alloc(ctx, 10, 1, 0)),
		"AllocBest":  second(a.AllocBest(ctx, 10, 1, 0)),
		"AllocIn":    second(a.AllocIn(ctx, rangelock.Span(0, 50), 10, 1, 0)),
		"AllocAt":    a.AllocAt(ctx, rangelock.Span(10, 20), 0),
		"AllocEvict": second(a.AllocEvict(ctx, 10, 1, 0, func() (int, bool) { return 0, false })),
		"AllocFunc":  second(a.AllocFunc(ctx, 10, 1, func(rangelock.Range[int]) (int, error) { return 0, nil })),
	} {
		var e *rangealloc.RangeError[int]
		if !errors.Is(err, rangelock.ErrFull) || !errors.As(err, &e) || e.Op != op || e.Range != rangelock.Span(10, 20) {
			t.Errorf("%s: %v", op, err)
		}
		if want := "rangelock: map is full: " + op + " [10, 20)"; err != nil && err.Error() != want {
			t.Errorf("%s: %q, want %q", op, err, want)
		}
	}
	wantGaps(t, a, rangelock.Span(10, 100))
}

// TestLeaks: in a debug build the map of an allocator tells where a guard was taken, as that of
// rangelock does. In other builds it tells nothing.
func TestLeaks(t *testing.T) {
	a := rangealloc.New[int, int](rangelock.Span(0, 100), nil)
	if err := a.AllocAt(ctx, rangelock.Span(10, 20), 0); err != nil {
		t.Fatal(err)
	}
	g, ok := a.Map().Acquire(15)
	if !ok {
		t.Fatal("no guard")
	}
	leaks := a.Map().Leaks()
	if debugBuild && (len(leaks) != 1 || leaks[0].Range != "[10, 20)" || !strings.Contains(leaks[0].Stack, "TestLeaks")) || !debugBuild && leaks != nil {
		t.Errorf("Leaks with a guard on [10, 20): %v", leaks)
	}
	g.Release()
	if leaks := a.Map().Leaks(); leaks != nil {
		t.Errorf("Leaks without a guard: %v", leaks)
	}
}

// panicOf returns what f panics with, or nil.
func panicOf(f func()) (p any) {
	defer func() { p = recover() }()
	f()
	return nil
}

// TestAllKeys: all 2^64 keys are one gap. The first and the last key do not touch, although the
// position after the last one wraps to that of the first.
func TestAllKeys(t *testing.T) {
	allKeys(t, rangelock.From[uint64](0), 1, math.MaxUint64)
	allKeys(t, rangelock.From[int64](math.MinInt64), math.MinInt64+1, math.MaxInt64)
}

func allKeys[K rangealloc.Integer](t *testing.T, all rangelock.Range[K], second, largest K) {
	a := rangealloc.New[K, int](all, nil)
	wantGaps(t, a, all)
	if err := a.AllocAt(ctx, all, 0); err != nil {
		t.Fatal(err)
	}
	if err := a.Free(ctx, all.Lo); err != nil {
		t.Fatal(err)
	}
	wantGaps(t, a, all)
	for _, r := range []rangelock.Range[K]{rangelock.Span(second, largest), rangelock.From(largest)} {
		if err := a.AllocAt(ctx, r, 0); err != nil {
			t.Fatal(err)
		}
	}
	wantGaps(t, a, rangelock.Span(all.Lo, second))
	if err := a.Free(ctx, largest); err != nil {
		t.Fatal(err)
	}
	wantGaps(t, a, rangelock.Span(all.Lo, second), rangelock.From(largest))
	if err := a.Free(ctx, second); err != nil {
		t.Fatal(err)
	}
	wantGaps(t, a, all)
}

// TestMapRefuses: if the map refuses the range, its keys are a gap again.
func TestMapRefuses(t *testing.T) {
	a := rangealloc.New[int, string](rangelock.Span(0, 100), nil)
	if err := a.Smuggle(rangelock.Span(3, 5), ""); err != nil {
		t.Fatal(err)
	}
	if r, err := a.Alloc(ctx, 10, 1, ""); !errors.Is(err, rangelock.ErrOverlap) || r != (rangelock.Range[int]{}) {
		t.Errorf("Alloc: %v, %v", r, err)
	}
	if err := a.AllocAt(ctx, rangelock.Span(1, 5), ""); !errors.Is(err, rangelock.ErrOverlap) {
		t.Errorf("AllocAt: %v", err)
	}
	wantGaps(t, a, rangelock.Span(0, 100))
}

func TestNewPanics(t *testing.T) {
	for name, x := range map[string]struct {
		f    func()
		want string
	}{
		"empty":       {func() { rangealloc.New[int, int](rangelock.Span(5, 5), nil) }, "rangealloc: New with [5, 5), which is not a valid range"},
		"zero":        {func() { rangealloc.New[uint8, int](rangelock.Range[uint8]{}, nil) }, "rangealloc: New with [0, 0)"},
		"upside down": {func() { rangealloc.New[int, int](rangelock.Span(5, -5), nil) }, "rangealloc: New with [5, -5)"},
		"MaxPending": {func() {
			rangealloc.New(rangelock.Span(0, 5), &rangelock.Options[int, int]{MaxPending: -1})
		}, "MaxPending"},
	} {
		func() {
			defer func() {
				if s, _ := recover().(string); !strings.Contains(s, x.want) {
					t.Errorf("%s: panic with %q, want %q", name, s, x.want)
				}
			}()
			x.f()
		}()
	}
}
