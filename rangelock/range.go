package rangelock

import (
	"fmt"
	"reflect"
	"strconv"
)

// Range is a half-open range of keys: [Lo, Hi), which holds Lo and not Hi, or,
// when Unbounded, [Lo, ∞), which holds Lo and every key above it, the largest
// one included; Hi is then ignored, and the zero key in ranges that a map returns.
//
// A range is valid when Lo < Hi or when it is unbounded, and no bound that counts
// is NaN. Operations refuse any other with [ErrBadRange]; the zero Range is not
// valid.
type Range[K any] struct {
	Lo, Hi    K
	Unbounded bool
}

// Span returns the range [lo, hi). It does not check that it is valid.
func Span[K any](lo, hi K) Range[K] { return Range[K]{Lo: lo, Hi: hi} }

// From returns the range [lo, ∞).
func From[K any](lo K) Range[K] { return Range[K]{Lo: lo, Unbounded: true} }

// end returns Hi, or the zero key where that does not count.
func (r Range[K]) end() (hi K) {
	if !r.Unbounded {
		hi = r.Hi
	}
	return hi
}

// String returns the range as mathematics writes it: [lo, hi) or [lo, ∞). A string or a
// slice of bytes is quoted as Go writes it; any other key is printed as %v does it.
func (r Range[K]) String() string {
	if r.Unbounded {
		return "[" + keyText(r.Lo) + ", ∞)"
	}
	return "[" + keyText(r.Lo) + ", " + keyText(r.Hi) + ")"
}

// keyText returns a key as Range.String prints it. A type that says itself how it is
// printed is asked.
func keyText[K any](key K) string {
	switch k := any(key).(type) {
	case string:
		return strconv.Quote(k)
	case []byte:
		return strconv.Quote(string(k))
	case fmt.Formatter, fmt.Stringer, error:
		return fmt.Sprint(k)
	}
	switch v := reflect.ValueOf(&key).Elem(); {
	case v.Kind() == reflect.String:
		return strconv.Quote(v.String())
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		return strconv.Quote(string(v.Bytes()))
	}
	return fmt.Sprint(key)
}
