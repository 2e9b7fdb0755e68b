package rangelock

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/shape"
)

// This file has ranges as values. It knows nothing of maps.

// Range is a half-open range of keys: [Lo, Hi), the keys from Lo up to but not including Hi. If
// Unbounded is set it is [Lo, ∞), Lo and every key above it, including the largest. Then Hi is
// ignored, and is the zero key in ranges that a map returns.
//
// A range is valid if Lo < Hi or if it is unbounded, and if no bound that counts is NaN. Operations
// refuse any other range with [ErrBadRange]. The zero Range is not valid.
type Range[K any] struct {
	Lo, Hi    K
	Unbounded bool
}

// Span returns the range [lo, hi). It does not check that the range is valid.
func Span[K any](lo, hi K) Range[K] { return Range[K]{Lo: lo, Hi: hi} }

// From returns the range [lo, ∞).
func From[K any](lo K) Range[K] { return Range[K]{Lo: lo, Unbounded: true} }

// Contains reports whether key is in r: Lo <= key and key < Hi, or Lo <= key if r is unbounded.
// [Map.Contains] is for keys that are not ordered by <.
func Contains[K cmp.Ordered](r Range[K], key K) bool {
	return r.Lo <= key && (r.Unbounded || key < r.Hi)
}

// Overlap reports whether a key can be in both a and b. Ranges that touch, like [0, 5) and [5, 9),
// do not overlap. A range that is not valid overlaps nothing.
func Overlap[K cmp.Ordered](a, b Range[K]) bool {
	lo := max(a.Lo, b.Lo)
	return Contains(a, lo) && Contains(b, lo)
}

// Prefix returns the range of all strings that begin with s.
func Prefix(s string) Range[string] {
	if end := prefixEnd([]byte(s)); end != nil {
		return Span(s, string(end))
	}
	return From(s)
}

// PrefixBytes returns the range of all byte slices that begin with b, in the order of
// [bytes.Compare]. Its Lo is b itself, not a copy.
func PrefixBytes(b []byte) Range[[]byte] {
	if end := prefixEnd(b); end != nil {
		return Span(b, end)
	}
	return From(b)
}

// prefixEnd returns the first text after all texts that begin with b, in new memory, or nil if
// there is none.
func prefixEnd(b []byte) []byte {
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			end := slices.Clone(b[:i+1])
			end[i]++
			return end
		}
	}
	return nil
}

// end returns Hi, or the zero key if r is unbounded.
func (r Range[K]) end() (hi K) {
	if !r.Unbounded {
		hi = r.Hi
	}
	return hi
}

// String returns the range in mathematical notation: [lo, hi) or [lo, ∞). A string or a byte slice
// is quoted as in Go source; any other key is formatted with %v.
func (r Range[K]) String() string {
	if r.Unbounded {
		return "[" + keyText(r.Lo) + ", ∞)"
	}
	return "[" + keyText(r.Lo) + ", " + keyText(r.Hi) + ")"
}

// keyText returns a key as Range.String prints it. A type with its own formatting method is
// formatted by that method.
func keyText[K any](key K) string {
	switch k := any(key).(type) {
	case string:
		return strconv.Quote(k)
	case []byte:
		return strconv.Quote(string(k))
	case fmt.Formatter, fmt.Stringer, error:
		return fmt.Sprint(k)
	}
	switch kind, _ := shape.KindOf[K](); kind { // a named type of the program
	case shape.Text:
		return strconv.Quote(raw.As[string](&key))
	case shape.Bytes:
		return strconv.Quote(string(raw.As[[]byte](&key)))
	}
	return fmt.Sprint(key)
}
