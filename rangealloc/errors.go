package rangealloc

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/spanlock/spanlock/rangelock"
)

// What an allocator refuses is one of these errors or one of rangelock's; an operation
// that returns one has changed nothing. They are wrapped with what was asked for and
// what is in the way, so compare with [errors.Is]. A wait that a context ends returns
// a [rangelock.WaitError]. The doc comments of the operations say which of rangelock's
// errors they return.
var (
	// ErrNoSpace says that no gap is large enough, also after what alignment takes of
	// it; the text says how large the largest is. Keys that FreeLater gave back may be
	// missing only because OnRetire has not returned for them.
	//
	// Returned by: Allocator.Alloc, Allocator.AllocBest.
	ErrNoSpace = errors.New("rangealloc: no gap is large enough")

	// ErrBadSize says that a size is zero or negative.
	//
	// Returned by: Allocator.Alloc, Allocator.AllocBest.
	ErrBadSize = errors.New("rangealloc: size is not positive")

	// ErrBadAlign says that an alignment is negative or not a power of two. Zero is
	// as good as one.
	//
	// Returned by: Allocator.Alloc, Allocator.AllocBest.
	ErrBadAlign = errors.New("rangealloc: alignment is not a power of two")

	// ErrOutside says that a range has keys that the allocator does not have.
	//
	// Returned by: Allocator.AllocAt.
	ErrOutside = errors.New("rangealloc: range is not within the allocator's")

	// ErrNotAllocated says that no allocated range begins at the key. It was freed
	// before, or the key is in the middle of one.
	//
	// Returned by: Allocator.Free, Allocator.FreeLater.
	ErrNotAllocated = errors.New("rangealloc: no allocated range begins at the key")
)

// noSpace wraps ErrNoSpace with what was asked for and the largest gap, if there is
// one.
func (a *Allocator[K, V]) noSpace(size K, w want, largest gap, ok bool) error {
	if !ok {
		return fmt.Errorf("%w: %d keys aligned to %d, and %v is full", ErrNoSpace, size, w.align, a.all)
	}
	keys := new(big.Int).SetUint64(largest.width())
	keys.Add(keys, big.NewInt(1)) // 2^64 is a size
	return fmt.Errorf("%w: %d keys aligned to %d; the largest gap is %v with %d keys",
		ErrNoSpace, size, w.align, a.order.rangeOf(largest), keys)
}

// taken wraps rangelock.ErrOverlap with the range asked for and what is in its way: an
// allocated range, or, if there is none, keys that are on their way back.
func (a *Allocator[K, V]) taken(w rangelock.Writer[K, V], r rangelock.Range[K]) error {
	for there := range w.Overlapping(r) {
		return fmt.Errorf("%w: %v would overlap %v", rangelock.ErrOverlap, r, there)
	}
	return fmt.Errorf("%w: %v would overlap keys that are being freed", rangelock.ErrOverlap, r)
}

// notAllocated wraps ErrNotAllocated with the key and the range that covers it, if one
// does.
func notAllocated[K any](lo K, r rangelock.Range[K], covered bool) error {
	if covered {
		return fmt.Errorf("%w: %v is within %v", ErrNotAllocated, lo, r)
	}
	return fmt.Errorf("%w: %v", ErrNotAllocated, lo)
}
