package inspect

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"strconv"
	"strings"
)

// A scale lays keys out on a line of 2^64 places, so that all that is drawn is drawn
// with the same arithmetic.
type scale struct {
	kind scaleKind
	base float64 // byFloat: the key at place 0
	step float64 // byFloat: what lies between two places
	hex  bool    // byInteger: the keys are addresses
}

type scaleKind int

const (
	byOrder    scaleKind = iota // range i is [i, i+1): for keys of which nothing is known
	byUnsigned                  // the place is the key
	bySigned                    // the place is the key + 2^63
	byFloat                     // the place is (key-base)/step
	byBytes                     // the place is the first eight bytes, the first one highest
)

// String returns what a tool calls the scale.
func (k scaleKind) String() string {
	switch k {
	case byUnsigned, bySigned, byFloat:
		return "numbers"
	case byBytes:
		return "bytes"
	}
	return "order"
}

// floatPlaces is how many places the keys of a float scale are spread over: more than a
// float64 can tell apart.
const floatPlaces = 1 << 60

// newScale returns the scale for keys of the type of lo, from lo to hi.
func newScale(lo, hi reflect.Value) scale {
	switch k := lo.Kind(); k {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return scale{kind: bySigned}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return scale{kind: byUnsigned, hex: k == reflect.Uintptr}
	case reflect.Float32, reflect.Float64:
		a, b := finite(lo.Float()), finite(hi.Float())
		if s := (b/floatPlaces - a/floatPlaces); s > 0 {
			return scale{kind: byFloat, base: a, step: s}
		}
	case reflect.String:
		return scale{kind: byBytes}
	default:
		if isBytes(lo.Type()) {
			return scale{kind: byBytes}
		}
	}
	return scale{kind: byOrder}
}

// finite puts a number in the place of an infinite one.
func finite(f float64) float64 { return max(-math.MaxFloat64/4, min(f, math.MaxFloat64/4)) }

// at returns the place of a key. It means nothing byOrder.
func (s scale) at(v reflect.Value) uint64 {
	switch s.kind {
	case byUnsigned:
		return v.Uint()
	case bySigned:
		return uint64(v.Int()) ^ 1<<63
	case byFloat:
		return s.atFloat(v.Float())
	case byBytes:
		var b [8]byte
		if v.Kind() == reflect.String {
			copy(b[:], v.String())
		} else {
			copy(b[:], v.Bytes())
		}
		return binary.BigEndian.Uint64(b[:])
	}
	return 0
}

func (s scale) atFloat(f float64) uint64 {
	p := finite(f)/s.step - s.base/s.step
	return uint64(max(0, min(p, 2*floatPlaces)))
}

// text returns a place as it stands in a query, and parse reads it.
func (s scale) text(p uint64) string {
	switch {
	case s.kind == bySigned:
		return strconv.FormatInt(int64(p^1<<63), 10)
	case s.kind == byFloat:
		return strconv.FormatFloat(s.base+float64(p)*s.step, 'g', -1, 64)
	case s.kind == byBytes:
		return fmt.Sprintf("%016x", p)
	case s.hex:
		return fmt.Sprintf("%#x", p)
	}
	return strconv.FormatUint(p, 10)
}

func (s scale) parse(t string) (uint64, error) {
	switch s.kind {
	case bySigned:
		i, err := strconv.ParseInt(t, 0, 64)
		return uint64(i) ^ 1<<63, err
	case byFloat:
		f, err := strconv.ParseFloat(t, 64)
		if err == nil && f != f {
			err = strconv.ErrRange
		}
		return s.atFloat(f), err
	case byBytes:
		return strconv.ParseUint(t, 16, 64)
	}
	return strconv.ParseUint(t, 0, 64)
}

// label returns a place for people.
func (s scale) label(p uint64) string {
	switch s.kind {
	case byBytes:
		b, _ := hex.DecodeString(s.text(p))
		return quote(strings.TrimRight(string(b), "\x00")) + "…"
	case byFloat:
		return strconv.FormatFloat(s.base+float64(p)*s.step, 'g', 6, 64)
	case byOrder:
		return "#" + s.text(p)
	}
	return s.text(p)
}

// A window is the places [lo, hi), and lo < hi.
type window struct{ lo, hi uint64 }

// newWindow returns [lo, hi), or a little more if there is nothing in it.
func newWindow(lo, hi uint64) window {
	if hi <= lo {
		if hi = lo + 1; hi == 0 {
			lo, hi = lo-1, lo
		}
	}
	return window{lo, hi}
}

// cell returns which of n equal parts of w the place p, which is in it, is in.
func (w window) cell(p uint64, n int) int {
	hi, lo := bits.Mul64(p-w.lo, uint64(n))
	q, _ := bits.Div64(hi, lo, w.hi-w.lo)
	return int(q)
}

// edge returns where part i of n begins.
func (w window) edge(i, n int) uint64 {
	hi, lo := bits.Mul64(w.hi-w.lo, uint64(i))
	q, _ := bits.Div64(hi, lo, uint64(n))
	return w.lo + q
}

// share returns where p is between the ends, from 0 to 1.
func (w window) share(p uint64) float64 {
	p = max(w.lo, min(p, w.hi))
	return float64(p-w.lo) / float64(w.hi-w.lo)
}

// cut returns the part of w between two shares, which may lie outside of it, as far
// as it is in whole. A part that is outside is moved inside.
func (w window) cut(a, b float64, whole window) window {
	width := float64(w.hi - w.lo)
	lo, hi := float64(w.lo-whole.lo)+a*width, float64(w.lo-whole.lo)+b*width
	size := float64(whole.hi - whole.lo)
	if lo < 0 {
		lo, hi = 0, hi-lo
	} else if hi > size {
		lo, hi = lo-(hi-size), size
	}
	lo, hi = max(lo, 0), min(hi, size)
	if lo <= 0 && hi >= size {
		return whole
	}
	c := newWindow(whole.lo+uint64(lo), whole.lo+uint64(math.Ceil(hi)))
	return window{max(c.lo, whole.lo), min(c.hi, whole.hi)}
}
