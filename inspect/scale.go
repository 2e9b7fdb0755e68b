package inspect

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spanlock/spanlock/internal/shape"
)

// A scale maps keys to a line of 2^64 places, so that everything is drawn with the same
// arithmetic.
type scale struct {
	kind  scaleKind
	why   string  // byOrder: the reason, for people
	base  float64 // byFloat: the key at place 0, or a finite one instead of -Inf
	inf   bool    // byFloat: the key at place 0 is -Inf
	step  float64 // byFloat: the distance of two places
	hex   bool    // byUnsigned: the keys are addresses
	fixed bool    // byBytes: all keys are equally long
	top   uint64  // the last place that a key can have
}

type scaleKind int

const (
	byOrder    scaleKind = iota // range i is [i, i+1); for keys without places
	byUnsigned                  // the place is the key
	bySigned                    // the place is the key + 2^63
	byFloat                     // the place is (key-base)/step
	byBytes                     // the place is the first eight bytes, the first one highest
)

// String returns the name of the scale in JSON.
func (k scaleKind) String() string {
	switch k {
	case byUnsigned, bySigned, byFloat:
		return "numbers"
	case byBytes:
		return "bytes"
	}
	return "order"
}

// floatPlaces is the number of places of a float scale: more than a float64 can distinguish.
const floatPlaces = 1 << 60

// newScale returns the scale for keys of type t, from lo to hi.
func newScale(t keyType, lo, hi key) scale {
	bits := 8 * min(t.size, 8)
	switch t.kind {
	case shape.Signed:
		return scale{kind: bySigned, top: 1<<63 | (1<<(bits-1) - 1)}
	case shape.Unsigned, shape.Address:
		return scale{kind: byUnsigned, hex: t.kind == shape.Address, top: math.MaxUint64 >> (64 - bits)}
	case shape.Float:
		return newFloatScale(lo.float(), hi.float())
	case shape.Text, shape.Bytes:
		return scale{kind: byBytes, top: math.MaxUint64}
	case shape.Array:
		return scale{kind: byBytes, top: ^(math.MaxUint64 >> bits), fixed: true}
	}
	return scale{kind: byOrder, why: "these keys have no distance"}
}

func newFloatScale(lo, hi float64) scale {
	s := scale{kind: byFloat, base: finite(lo), inf: math.IsInf(lo, -1)}
	s.step = (finite(hi)/2 - s.base/2) / (floatPlaces / 2) // halves, because the distance can overflow
	switch {
	case finite(hi) == s.base:
		s.step = 1 // all keys have one place
	case !(s.step > 0):
		return scale{kind: byOrder, why: "these keys are too close to each other"}
	}
	s.top = s.atFloat(math.Inf(1))
	return s
}

// finite returns the nearest finite number to f, and 0 for NaN.
func finite(f float64) float64 {
	if f != f {
		return 0
	}
	return max(-math.MaxFloat64, min(f, math.MaxFloat64))
}

// at returns the place of a key. It is not used byOrder.
func (s scale) at(k key) uint64 {
	switch s.kind {
	case byUnsigned:
		return k.word
	case bySigned:
		return k.word ^ 1<<63
	case byFloat:
		return s.atFloat(k.float())
	case byBytes:
		b, _ := s.firstBytes(k)
		return binary.BigEndian.Uint64(b[:])
	}
	return 0
}

// below returns the last place of a range from the place a to the key hi, which is not in the
// range and has the place b. If several keys share a place, the last place can be b.
func (s scale) below(a, b uint64, hi key) uint64 {
	if s.kind == byBytes {
		if _, more := s.firstBytes(hi); more {
			return max(a, b)
		}
	}
	return max(a, b-min(b, 1))
}

// firstBytes returns the first eight bytes of a key, and whether there are smaller keys with the
// same first eight bytes.
func (s scale) firstBytes(k key) (b [8]byte, smaller bool) {
	rest := len(k.text) - copy(b[:], k.text)
	if s.fixed {
		return b, rest > 0
	}
	// The smallest key with these bytes ends where only zeros follow.
	return b, rest > 0 || len(k.text) > len(bytes.TrimRight(b[:], "\x00"))
}

func (s scale) atFloat(f float64) uint64 {
	p := (finite(f)/2 - s.base/2) / s.step * 2
	return uint64(max(0, min(p, 2*floatPlaces)))
}

// float returns the key at a place.
func (s scale) float(p uint64) float64 {
	if p == 0 && s.inf {
		return math.Inf(-1)
	}
	return finite(4 * (s.base/4 + float64(p)*(s.step/4))) // quarters, because p can lie far beyond
}

// rounding returns the largest error of text followed by parse, in places.
func (s scale) rounding() uint64 {
	if s.kind != byFloat {
		return 0
	}
	// Two units in the last place of the largest possible key.
	return uint64(min(floatPlaces, (math.Abs(s.base)/s.step+floatPlaces)*0x1p-51))
}

// text returns a place for a query, and parse reads it.
func (s scale) text(p uint64) string {
	switch {
	case s.kind == bySigned:
		return strconv.FormatInt(int64(p^1<<63), 10)
	case s.kind == byFloat:
		return strconv.FormatFloat(s.float(p), 'g', -1, 64)
	case s.kind == byBytes:
		return fmt.Sprintf("%016x", p)
	case s.hex:
		return fmt.Sprintf("%#x", p)
	}
	return strconv.FormatUint(p, 10)
}

// parse returns the place of t, and whether t is a number beyond the last place.
func (s scale) parse(t string) (p uint64, beyond bool, err error) {
	switch s.kind {
	case bySigned:
		var i int64
		i, err = strconv.ParseInt(t, 0, 64)
		p = uint64(i) ^ 1<<63
	case byFloat:
		var f float64
		f, err = strconv.ParseFloat(t, 64)
		if f != f {
			return 0, false, errors.New("not a number")
		}
		p = s.atFloat(f)
	case byBytes:
		p, err = strconv.ParseUint(t, 16, 64)
	default:
		p, err = strconv.ParseUint(t, 0, 64)
	}
	if errors.Is(err, strconv.ErrRange) { // p is the first or the last place
		return p, p == math.MaxUint64, nil
	}
	return p, false, err
}

// after returns the text of the place after p. After the last place it is a number that parse
// reports as beyond.
func (s scale) after(p uint64) string {
	switch {
	case p < math.MaxUint64:
		return s.text(p + 1)
	case s.kind == bySigned:
		return "9223372036854775808"
	case s.kind == byBytes:
		return "10000000000000000"
	}
	return "18446744073709551616"
}

// label returns a place for people.
func (s scale) label(p uint64) string {
	switch s.kind {
	case byBytes:
		b, _ := hex.DecodeString(s.text(p))
		return quote(strings.TrimRight(string(b), "\x00")) + "…"
	case byFloat:
		return strconv.FormatFloat(s.float(p), 'g', 6, 64)
	case byOrder:
		return "#" + s.text(p)
	}
	return s.text(p)
}
