package rangelock_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestErrors checks for each way in which an operation is refused that the error is the
// sentinel promised, no other, says `rangelock: `, and names the bounds in question.
func TestErrors(t *testing.T) {
	sentinels := []error{
		rangelock.ErrNotFound, rangelock.ErrBusy, rangelock.ErrOverlap, rangelock.ErrBadRange,
		rangelock.ErrPartial, rangelock.ErrBacklog, rangelock.ErrStale, rangelock.ErrClosed, rangelock.ErrFull,
	}
	for i, a := range sentinels {
		if !strings.HasPrefix(a.Error(), "rangelock: ") {
			t.Errorf("%q", a)
		}
		for _, b := range sentinels[:i] {
			if errors.Is(a, b) || errors.Is(b, a) {
				t.Errorf("%q is %q", a, b)
			}
		}
	}
	for _, x := range []struct {
		name string
		do   func(w intWriter) error
		want error
		text []string
	}{
		{"Insert over", func(w intWriter) error { return w.Insert(rg(12, 13), "x") }, rangelock.ErrOverlap, []string{"[12, 13)", "[10, 20)"}},
		{"Insert unbounded", func(w intWriter) error { return w.Insert(rangelock.From(19), "x") }, rangelock.ErrOverlap, []string{"[19, ∞)", "[10, 20)"}},
		{"Insert over unbounded", func(w intWriter) error { return w.Insert(rg(58, 59), "x") }, rangelock.ErrOverlap, []string{"[58, 59)", "[50, ∞)"}},
		{"Insert bad", func(w intWriter) error { return w.Insert(rg(33, 32), "x") }, rangelock.ErrBadRange, []string{"[33, 32)"}},
		{"Exclude bad", func(w intWriter) error { return w.Exclude(rg(33, 33)) }, rangelock.ErrBadRange, []string{"[33, 33)"}},
		{"Remove bad", func(w intWriter) error { return second(w.Remove(rg(33, 33))) }, rangelock.ErrBadRange, []string{"[33, 33)"}},
		{"Retire bad", func(w intWriter) error { return second(w.Retire(rg(33, 33))) }, rangelock.ErrBadRange, []string{"[33, 33)"}},
		{"Swap bad", func(w intWriter) error { return w.Swap(rg(33, 33), "x") }, rangelock.ErrBadRange, []string{"[33, 33)"}},
		{"Remove low", func(w intWriter) error { return second(w.Remove(rg(5, 33))) }, rangelock.ErrPartial, []string{"[5, 33)", "[0, 10)"}},
		{"Remove high", func(w intWriter) error { return second(w.Remove(rg(0, 13))) }, rangelock.ErrPartial, []string{"[0, 13)", "[10, 20)"}},
		{"Retire", func(w intWriter) error { return second(w.Retire(rg(45, 77))) }, rangelock.ErrPartial, []string{"[45, 77)", "[50, ∞)"}},
		{"Swap", func(w intWriter) error { return w.Swap(rg(-3, 3), "x") }, rangelock.ErrPartial, []string{"[-3, 3)", "[0, 10)"}},
		{"Update", func(w intWriter) error { return w.Update(47, "x") }, rangelock.ErrNotFound, []string{"47"}},
		{"Retire too many", func(w intWriter) error { return second(w.Retire(rg(0, 20))) }, rangelock.ErrBacklog, nil},
		{"Clear too many", func(w intWriter) error { return second(w.Clear()) }, rangelock.ErrBacklog, nil},
		{"Load", func(w intWriter) error {
			return second(w.Load(func(yield func(intRange, string) bool) { yield(rg(4, 6), "x") }))
		}, rangelock.ErrOverlap, []string{"[4, 6)", "[0, 10)"}},
	} {
		m := rangelock.New(&rangelock.Options[int, string]{MaxPending: 1})
		fillTens(m, "a", "b")
		w := m.Lock()
		if err := w.Insert(rangelock.From(50), "e"); err != nil {
			t.Fatal(err)
		}
		err := x.do(w)
		if err == nil {
			t.Errorf("%s succeeds", x.name)
			continue
		}
		for _, s := range append(sentinels, context.Canceled) {
			if errors.Is(err, s) != (s == x.want) {
				t.Errorf("%s: errors.Is(%v, %v) = %t", x.name, err, s, errors.Is(err, s))
			}
		}
		for _, s := range append(x.text, "rangelock: ") {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %q does not say %q", x.name, err, s)
			}
		}
		w.Unlock()
	}
}

// named and raw are keys that are a string and bytes under another name.
type (
	named string
	raw   []byte
)

// TestRangeString checks how ranges are written.
func TestRangeString(t *testing.T) {
	for want, r := range map[string]interface{ String() string }{
		"[1, 2)":        rg(1, 2),
		"[-1, ∞)":       rangelock.From(-1),
		"[0.5, 1)":      rangelock.Span(0.5, 1),
		`["a", "\x00")`: rangelock.Span("a", "\x00"),
		`["a", ∞)`:      rangelock.From([]byte("a")),
		`["", "\xff,")`: rangelock.Span(nil, []byte("\xff,")),
		`["\"", "x")`:   rangelock.Span[named]("\"", "x"),
		`["1", "22")`:   rangelock.Span(raw("1"), raw("22")),
		"[::1, ::2)":    rangelock.Span(netip.MustParseAddr("::1"), netip.MustParseAddr("::2")),
		"[1s, ∞)":       rangelock.From(time.Second),
		"[[1 2], ∞)":    rangelock.From([2]byte{1, 2}),
		"[<nil>, 3)":    rangelock.Span[any](nil, 3),
		"[3, ∞)":        intRange{Lo: 3, Hi: 1, Unbounded: true},
		"[0, 0)":        intRange{},
		"[-9, ∞)":       rangelock.From[int8](-9),
		"[255, ∞)":      rangelock.From[uint8](255),
	} {
		if r != nil && r.String() != want {
			t.Errorf("String() = %q, want %q", r, want)
		}
	}
	if r := rg(1, 2); r.Lo != 1 || r.Hi != 2 || r.Unbounded {
		t.Errorf("Span(1, 2) = %+v", r)
	}
	if r := rangelock.From(1); r.Lo != 1 || !r.Unbounded {
		t.Errorf("From(1) = %+v", r)
	}
}
