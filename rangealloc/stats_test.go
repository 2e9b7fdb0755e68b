package rangealloc_test

import (
	"errors"
	"math"
	"testing"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

func TestStats(t *testing.T) {
	a := withGaps(t, rangelock.Span(0, 100), rangelock.Span(10, 20), rangelock.Span(40, 70))
	want := rangealloc.Stats{Keys: 100, Free: 40, Largest: 30, Gaps: 2, Ranges: 3, Fragmentation: 0.25}
	if got := a.Stats(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	full := withGaps(t, rangelock.Span(0, 5))
	if got, want := full.Stats(), (rangealloc.Stats{Keys: 5, Ranges: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	all := rangealloc.New[uint64, int](rangelock.From[uint64](0), nil)
	const most = math.MaxUint64
	if got, want := all.Stats(), (rangealloc.Stats{Keys: most, Free: most, Largest: most, Gaps: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestGrow: the allocator then has the keys of both ranges, and the keys that it had are
// unchanged.
func TestGrow(t *testing.T) {
	span, from := rangelock.Span[uint8], rangelock.From[uint8]
	for _, x := range []struct {
		name    string
		by      rangelock.Range[uint8]
		err     error
		gaps    []rangelock.Range[uint8]
		allKeys uint64
	}{
		{"above", span(200, 210), nil, []rangelock.Range[uint8]{span(120, 130), span(180, 210)}, 110},
		{"below", span(90, 100), nil, []rangelock.Range[uint8]{span(90, 100), span(120, 130), span(180, 200)}, 110},
		{"to the whole", span(50, 240), nil, []rangelock.Range[uint8]{span(50, 100), span(120, 130), span(180, 240)}, 190},
		{"to the largest key", from(200), nil, []rangelock.Range[uint8]{span(120, 130), from(180)}, 156},
		{"to all keys", from(0), nil, []rangelock.Range[uint8]{span(0, 100), span(120, 130), from(180)}, 256},
		{"overlapping", span(150, 201), nil, []rangelock.Range[uint8]{span(120, 130), span(180, 201)}, 101},
		{"nothing new", span(110, 140), nil, []rangelock.Range[uint8]{span(120, 130), span(180, 200)}, 100},
		{"a hole above", span(201, 210), rangealloc.ErrOutside, []rangelock.Range[uint8]{span(120, 130), span(180, 200)}, 100},
		{"a hole below", span(0, 99), rangealloc.ErrOutside, []rangelock.Range[uint8]{span(120, 130), span(180, 200)}, 100},
		{"empty", span(200, 200), rangelock.ErrBadRange, []rangelock.Range[uint8]{span(120, 130), span(180, 200)}, 100},
	} {
		t.Run(x.name, func(t *testing.T) {
			a := withGaps(t, span(100, 200), span(120, 130), span(180, 200))
			if err := a.Grow(x.by); !errors.Is(err, x.err) {
				t.Fatalf("%v, want %v", err, x.err)
			}
			wantGaps(t, a, x.gaps...)
			if got := a.Stats().Keys; got != x.allKeys {
				t.Errorf("%d keys, want %d", got, x.allKeys)
			}
			if last := x.gaps[len(x.gaps)-1]; x.err == nil {
				if err := a.AllocAt(ctx, last, 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestGrowUnderTurn: Grow does not wait while a Reader keeps writers out.
func TestGrowUnderTurn(t *testing.T) {
	a := withGaps(t, rangelock.Span(0, 10))
	rd := a.Map().RLock()
	defer rd.Unlock()
	if err := a.Grow(rangelock.Span(10, 20)); err != nil {
		t.Error(err)
	}
	wantGaps(t, a, rangelock.Span(10, 20))
}

// TestGrowClosed: Grow of a closed allocator is refused as every other change of it, and adds
// no keys. A range that is not valid is refused before that.
//
// It kills 280_grow_after_close.
func TestGrowClosed(t *testing.T) {
	a := rangealloc.New[int, int](rangelock.Span(0, 10), nil)
	if err := a.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := a.Grow(rangelock.Span(10, 20)); !errors.Is(err, rangelock.ErrClosed) {
		t.Errorf("Grow after Close: %v, want ErrClosed", err)
	}
	if err := a.Grow(rangelock.Span(20, 10)); !errors.Is(err, rangelock.ErrBadRange) {
		t.Errorf("Grow by a bad range after Close: %v, want ErrBadRange", err)
	}
	if n := a.Stats().Keys; n != 10 {
		t.Errorf("%d keys after Close and Grow, want 10", n)
	}
}

// TestAllocIn: the window is part of a gap, reaches over gaps, or lies outside.
func TestAllocIn(t *testing.T) {
	for _, x := range []struct {
		window      rangelock.Range[int]
		size, align int
		want        rangelock.Range[int] // the zero Range means ErrNoSpace
	}{
		{rangelock.From(-1000), 8, 1, rangelock.Span(10, 18)},
		{rangelock.Span(15, 25), 10, 1, rangelock.Span(15, 25)},
		{rangelock.Span(15, 25), 11, 1, rangelock.Range[int]{}},
		{rangelock.Span(15, 24), 8, 8, rangelock.Span(16, 24)},
		{rangelock.Span(15, 23), 8, 8, rangelock.Range[int]{}},
		{rangelock.Span(28, 75), 8, 1, rangelock.Span(60, 68)},
		{rangelock.From(89), 1, 1, rangelock.Span(89, 90)},
		{rangelock.From(90), 1, 1, rangelock.Range[int]{}},
		{rangelock.Span(-50, 15), 6, 1, rangelock.Range[int]{}},
	} {
		a := withGaps(t, rangelock.Span(0, 100), rangelock.Span(10, 30), rangelock.Span(60, 90))
		got, err := a.AllocIn(ctx, x.window, x.size, x.align, 1)
		if got != x.want || (err == nil) != (x.want != rangelock.Range[int]{}) {
			t.Errorf("%v in %v: %v, %v, want %v", x.size, x.window, got, err, x.want)
		}
		var e *rangealloc.NoSpaceError[int]
		if err != nil && (!errors.As(err, &e) || e.Window != x.window || e.Largest != rangelock.Span(60, 90)) {
			t.Error(err)
		}
	}
	a := withGaps(t, rangelock.Span(0, 10))
	if _, err := a.AllocIn(ctx, rangelock.Span(5, 5), 1, 1, 1); !errors.Is(err, rangelock.ErrBadRange) {
		t.Error(err)
	}
}
