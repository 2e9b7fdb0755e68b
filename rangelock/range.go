package rangelock

import "fmt"

// Range is a half-open range of keys: [Lo, Hi), which holds Lo and not Hi, or,
// when Unbounded, [Lo, +inf), which holds Lo and every key above it, the largest
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

// From returns the range [lo, +inf).
func From[K any](lo K) Range[K] { return Range[K]{Lo: lo, Unbounded: true} }

// String returns the range as mathematics writes it: [lo, hi) or [lo, +inf).
func (r Range[K]) String() string {
	if r.Unbounded {
		return fmt.Sprintf("[%v, +inf)", r.Lo)
	}
	return fmt.Sprintf("[%v, %v)", r.Lo, r.Hi)
}
