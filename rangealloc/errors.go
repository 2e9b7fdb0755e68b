package rangealloc

import (
	"errors"
	"fmt"

	"github.com/spanlock/spanlock/rangelock"
)

// What an allocator refuses is one of these errors or one of rangelock's; an operation
// that returns one has changed nothing. They come in a [NoSpaceError], a [RequestError], a
// [RangeError] or a [NotAllocatedError], which say what was asked for and what is in the
// way, and make their text when it is asked for; so compare with [errors.Is]. A wait that a
// context ends returns a [rangelock.WaitError]. The doc comments of the operations say
// which of rangelock's errors they return.
var (
	// ErrNoSpace says that no gap is large enough, also after what alignment takes of
	// it; the [NoSpaceError] says how large the largest is. Keys that FreeLater gave back may
	// be missing only because OnRetire has not returned for them.
	//
	// Returned by: Allocator.Alloc, Allocator.AllocBest, Allocator.AllocEvict,
	// Allocator.AllocFunc, Allocator.AllocIn, Allocator.AllocTop.
	ErrNoSpace = errors.New("rangealloc: no gap is large enough")

	// ErrBadSize says that a size is zero or negative.
	//
	// Returned by: Allocator.Alloc, Allocator.AllocBest, Allocator.AllocEvict,
	// Allocator.AllocFunc, Allocator.AllocIn, Allocator.AllocTop.
	ErrBadSize = errors.New("rangealloc: size is not positive")

	// ErrBadAlign says that an alignment is negative or not a power of two. Zero is
	// as good as one.
	//
	// Returned by: Allocator.Alloc, Allocator.AllocBest, Allocator.AllocEvict,
	// Allocator.AllocFunc, Allocator.AllocIn, Allocator.AllocTop.
	ErrBadAlign = errors.New("rangealloc: alignment is not a power of two")

	// ErrOutside says that a range has keys that the allocator does not have; of Grow, that
	// it does not touch those.
	//
	// Returned by: Allocator.AllocAt, Allocator.Grow.
	ErrOutside = errors.New("rangealloc: range is not within the allocator's")

	// ErrNotAllocated says that no allocated range begins at the key. It was freed
	// before, or the key is in the middle of one.
	//
	// Returned by: Allocator.Free, Allocator.FreeLater, Allocator.TryFree.
	ErrNotAllocated = errors.New("rangealloc: no allocated range begins at the key")
)

// NoSpaceError is an [ErrNoSpace] with what was asked for and what there is.
type NoSpaceError[K Integer] struct {
	Size, Align K                  // as asked for
	Within      rangelock.Range[K] // the allocator's range
	Window      rangelock.Range[K] // the part of it that was asked for, by AllocIn; else the zero Range
	Largest     rangelock.Range[K] // the largest gap of the allocator; the zero Range if there is none
	Held        int                // how many ranges AllocEvict has passed over, because of their guards
}

// Error says what there is no room for.
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

// count is the number after n, which need not be a uint64.
func count(n uint64) string {
	if n+1 == 0 {
		return "18446744073709551616"
	}
	return fmt.Sprint(n + 1)
}

// Unwrap returns ErrNoSpace.
func (e *NoSpaceError[K]) Unwrap() error { return ErrNoSpace }

// RequestError is an [ErrBadSize] or an [ErrBadAlign] with the arguments.
type RequestError[K Integer] struct {
	Size, Align K
	Err         error // ErrBadSize or ErrBadAlign
}

// Error says which argument is wrong.
func (e *RequestError[K]) Error() string {
	if e.Err == ErrBadSize {
		return fmt.Sprintf("%v: %d", e.Err, e.Size)
	}
	return fmt.Sprintf("%v: %d", e.Err, e.Align)
}

// Unwrap returns e.Err.
func (e *RequestError[K]) Unwrap() error { return e.Err }

// RangeError is what is wrong with a range: an [ErrOutside], a [rangelock.ErrBadRange] or a
// [rangelock.ErrOverlap].
type RangeError[K Integer] struct {
	Range rangelock.Range[K] // as asked for

	// Other is the range that Range is not within or does not touch, for ErrOutside, and the
	// allocated one that it would overlap, for ErrOverlap. There it is the zero Range if the
	// keys are free but for an OnRetire that has not returned. For ErrBadRange it is zero.
	Other rangelock.Range[K]

	Err error
}

// Error says what is wrong.
func (e *RangeError[K]) Error() string {
	_, other := newOrder[K]().stretch(e.Other)
	switch {
	case e.Err == ErrOutside:
		return fmt.Sprintf("%v: %v has keys that %v has not", e.Err, e.Range, e.Other)
	case e.Err == rangelock.ErrOverlap && other:
		return fmt.Sprintf("%v: %v would overlap %v", e.Err, e.Range, e.Other)
	case e.Err == rangelock.ErrOverlap:
		return fmt.Sprintf("%v: %v would overlap keys that are being freed", e.Err, e.Range)
	}
	return fmt.Sprintf("%v: %v", e.Err, e.Range)
}

// Unwrap returns e.Err.
func (e *RangeError[K]) Unwrap() error { return e.Err }

// NotAllocatedError is an [ErrNotAllocated] with the key.
type NotAllocatedError[K Integer] struct {
	Lo K // the key, at which no range begins

	// Within is the allocated range that has the key in its middle; the zero Range if none
	// has it.
	Within rangelock.Range[K]
}

// Error says where the key is.
func (e *NotAllocatedError[K]) Error() string {
	if _, ok := newOrder[K]().stretch(e.Within); ok {
		return fmt.Sprintf("%v: %v is within %v", ErrNotAllocated, e.Lo, e.Within)
	}
	return fmt.Sprintf("%v: %v", ErrNotAllocated, e.Lo)
}

// Unwrap returns ErrNotAllocated.
func (e *NotAllocatedError[K]) Unwrap() error { return ErrNotAllocated }
