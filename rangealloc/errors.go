package rangealloc

import (
	"errors"
	"fmt"

	"github.com/spanlock/spanlock/rangelock"
)

// An operation of an allocator that refuses returns one of these errors or one of rangelock's,
// and has changed nothing. The errors come in a [NoSpaceError], a [RequestError], a [RangeError]
// or a [NotAllocatedError], which tell what was asked for and what is in the way. Compare with
// [errors.Is]. These types format their text only when Error is called. A wait that a context
// ends returns a [rangelock.WaitError]. The doc comment of each operation lists the errors of
// rangelock that it returns.
var (
	// ErrNoSpace says that no gap has room for the size at the alignment. The [NoSpaceError] has
	// the largest gap. Keys that FreeLater has freed are no gap while OnRetire has not returned
	// for them.
	//
	// Returned by: Allocator.Alloc, Allocator.AllocBest, Allocator.AllocEvict,
	// Allocator.AllocFunc, Allocator.AllocIn, Allocator.AllocTop.
	ErrNoSpace = errors.New("rangealloc: no gap is large enough")

	// ErrBadSize says that a size is zero or negative.
	//
	// Returned by: Allocator.Alloc, Allocator.AllocBest, Allocator.AllocEvict,
	// Allocator.AllocFunc, Allocator.AllocIn, Allocator.AllocTop.
	ErrBadSize = errors.New("rangealloc: size is not positive")

	// ErrBadAlign says that an alignment is negative or not a power of two. Zero is allowed, and
	// means one.
	//
	// Returned by: Allocator.Alloc, Allocator.AllocBest, Allocator.AllocEvict,
	// Allocator.AllocFunc, Allocator.AllocIn, Allocator.AllocTop.
	ErrBadAlign = errors.New("rangealloc: alignment is not a power of two")

	// ErrOutside says that a range has keys that the allocator does not have. From Grow it says
	// that the range does not touch the allocator's keys.
	//
	// Returned by: Allocator.AllocAt, Allocator.Grow.
	ErrOutside = errors.New("rangealloc: range is not within the allocator's")

	// ErrNotAllocated says that no allocated range begins at the key: the range was freed before,
	// or the key is in the middle of a range.
	//
	// Returned by: Allocator.Free, Allocator.FreeLater, Allocator.TryFree.
	ErrNotAllocated = errors.New("rangealloc: no allocated range begins at the key")
)

// A NoSpaceError is an [ErrNoSpace] with the request and the largest gap.
type NoSpaceError[K Integer] struct {
	Size, Align K                  // as asked for
	Within      rangelock.Range[K] // the allocator's range
	Window      rangelock.Range[K] // the window of AllocIn; else the zero Range
	Largest     rangelock.Range[K] // the largest gap of the allocator; the zero Range if there is none
	Held        int                // how many ranges AllocEvict has passed over because of their guards
}

// Error describes the request and the largest gap.
func (e *NoSpaceError[K]) Error() string {
	text := fmt.Sprintf("%v: %d keys aligned to %d", ErrNoSpace, e.Size, max(e.Align, 1))
	order := newOrder[K]()
	if _, ok := order.stretch(e.Window); ok {
		text += fmt.Sprintf(" in %v", e.Window)
	}
	if largest, ok := order.stretch(e.Largest); ok {
		text += fmt.Sprintf("; the largest gap is %v with %s keys", e.Largest, count(largest.width()))
	} else {
		text += fmt.Sprintf(", and %v is full", e.Within)
	}
	if e.Held > 0 {
		text += fmt.Sprintf("; %d ranges have guards", e.Held)
	}
	return text
}

// count returns n+1 in decimal. It may be 2^64, which is no uint64.
func count(n uint64) string {
	if n+1 == 0 {
		return "18446744073709551616"
	}
	return fmt.Sprint(n + 1)
}

// Unwrap returns ErrNoSpace.
func (e *NoSpaceError[K]) Unwrap() error { return ErrNoSpace }

// A RequestError is an [ErrBadSize] or an [ErrBadAlign] with the arguments.
type RequestError[K Integer] struct {
	Size, Align K
	Err         error // ErrBadSize or ErrBadAlign
}

// Error names the bad argument.
func (e *RequestError[K]) Error() string {
	if e.Err == ErrBadSize {
		return fmt.Sprintf("%v: %d", e.Err, e.Size)
	}
	return fmt.Sprintf("%v: %d", e.Err, e.Align)
}

// Unwrap returns e.Err.
func (e *RequestError[K]) Unwrap() error { return e.Err }

// A RangeError is an [ErrOutside], a [rangelock.ErrBadRange], a [rangelock.ErrOverlap] or a
// [rangelock.ErrFull] with the range that was refused.
type RangeError[K Integer] struct {
	Op    string             // the method, as "AllocAt"
	Range rangelock.Range[K] // as asked for; for ErrFull the range that was chosen

	// For ErrOutside, Other is the allocator's range. For ErrOverlap, it is the allocated range
	// that Range overlaps, or the zero Range if the keys were freed but OnRetire has not returned
	// for them. For other errors it is the zero Range.
	Other rangelock.Range[K]

	Err error
}

// Error describes the range, and the range in its way.
func (e *RangeError[K]) Error() string {
	_, other := newOrder[K]().stretch(e.Other)
	switch {
	case e.Err == ErrOutside:
		return fmt.Sprintf("%v: %s %v: the allocator has %v", e.Err, e.Op, e.Range, e.Other)
	case e.Err == rangelock.ErrOverlap && other:
		return fmt.Sprintf("%v: %s %v would overlap %v", e.Err, e.Op, e.Range, e.Other)
	case e.Err == rangelock.ErrOverlap:
		return fmt.Sprintf("%v: %s %v would overlap keys that are being freed", e.Err, e.Op, e.Range)
	}
	return fmt.Sprintf("%v: %s %v", e.Err, e.Op, e.Range)
}

// Unwrap returns e.Err.
func (e *RangeError[K]) Unwrap() error { return e.Err }

// A NotAllocatedError is an [ErrNotAllocated] with the key.
type NotAllocatedError[K Integer] struct {
	Lo K // the key, at which no range begins

	// Within is the allocated range that has the key in its middle, or the zero Range.
	Within rangelock.Range[K]
}

// Error describes where the key is.
func (e *NotAllocatedError[K]) Error() string {
	if _, ok := newOrder[K]().stretch(e.Within); ok {
		return fmt.Sprintf("%v: %v is within %v", ErrNotAllocated, e.Lo, e.Within)
	}
	return fmt.Sprintf("%v: %v", ErrNotAllocated, e.Lo)
}

// Unwrap returns ErrNotAllocated.
func (e *NotAllocatedError[K]) Unwrap() error { return ErrNotAllocated }
