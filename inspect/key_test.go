package inspect_test

import (
	"bytes"
	"cmp"
	"fmt"
	"testing"

	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/rangelock"
)

type (
	offset  int16
	ratio   float32
	path    string
	address uintptr
	digest  [20]byte
)

// String must not be called: keys are shown by their kind.
func (offset) String() string { panic("String of a key") }

// TestKeyTypes: keys of named types are shown by their kind.
func TestKeyTypes(t *testing.T) {
	want := func(what string, m inspect.Map, scale, line string) {
		t.Helper()
		d := parsed(t, m, "")
		got := lines(t, inspect.Handler(m), "")
		if d.Scale != scale || got != line {
			t.Errorf("%s: %s\n%swant %s\n%s", what, d.Scale, got, scale, line)
		}
	}
	want("offsets", of(t, offset(-300), 7), "numbers", "-300-7\tfree\t0\n")
	want("ratios", of(t, ratio(0.1), 0.2), "numbers", "0.1-0.2\tfree\t0\n")
	want("paths", of(t, path("a"), "b"), "bytes", "\"a\"-\"b\"\tfree\t0\n")
	want("addresses", of(t, address(0x1000), 0x2000), "numbers", "0x1000-0x2000\tfree\t0\n")
	m := rangelock.NewFunc[digest, int](func(a, b digest) int { return bytes.Compare(a[:], b[:]) }, nil)
	insert(t, m, rangelock.Span(digest{'a'}, digest{'b'}), 0)
	zeros := fmt.Sprintf("%q", make([]byte, 19))
	want("digests", show(m), "bytes", `"a`+zeros[1:len(zeros)-1]+`"-"b`+zeros[1:]+"\tfree\t0\n")
}

func of[K cmp.Ordered](t *testing.T, lo, hi K) inspect.Map {
	m := rangelock.New[K, int](nil)
	insert(t, m, rangelock.Span(lo, hi), 0)
	return show(m)
}

// TestKeysKept: the first and the last key of the ranges that have left keep their place,
// although the survey has read other ranges since.
//
// It kills 242_key_of_the_next.
func TestKeysKept(t *testing.T) {
	m := rangelock.NewFunc[[2]byte, int](func(a, b [2]byte) int { return bytes.Compare(a[:], b[:]) }, nil)
	for i := range byte(20) {
		insert(t, m, rangelock.Span([2]byte{10 * i}, [2]byte{10*i + 5}), 0)
		g, _ := m.Acquire([2]byte{10 * i})
		defer g.Release()
	}
	w := m.Lock()
	defer w.Unlock()
	if _, err := w.Clear(); err != nil {
		t.Fatal(err)
	}
	if d := parsed(t, show(m), ""); d.Whole.From != "0000000000000000" || d.Whole.To != "c300000000000000" || len(d.Left) != 20 {
		t.Errorf("20 ranges from 00 to c3 have left: %+v, %d left", d.Whole, len(d.Left))
	}
}
