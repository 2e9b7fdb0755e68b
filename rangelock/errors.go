package rangelock

import (
	"errors"
	"fmt"
)

// What the map refuses is one of these errors; an operation that returns one has
// changed nothing, except Load. Writers wrap them with the bounds that refused, so
// compare with [errors.Is]. TryAcquire and AcquireContext return them as they are,
// because they must not allocate. A wait that a context ends returns a [WaitError].
var (
	// ErrNotFound says that no range covers the key, definitely. Merge returns it where no
	// two ranges meet, and AcquireNextContext where no range ends above the key.
	//
	// Returned by: AcquireContext, Map.AcquireContext, Map.AcquireExclusiveContext,
	// Map.AcquireNextContext, Map.TryAcquire, Map.TryAcquireExclusive,
	// Reader.AcquireContext, TryAcquire, Writer.Merge, Writer.Resize, Writer.Split,
	// Writer.Update.
	ErrNotFound = errors.New("rangelock: no range covers the key")

	// ErrBusy says that the answer would have to wait for a writer or for guards of
	// others, or that the range has as many guards as it can have. It may be reported
	// when nothing is in the way any more; it says nothing about whether a range covers
	// the key.
	//
	// Returned by: Map.TryAcquire, Map.TryAcquireExclusive, TryAcquire.
	ErrBusy = errors.New("rangelock: a writer is in the way")

	// ErrOverlap says that a range to be inserted overlaps one that is there. Resize
	// returns it where its new bounds overlap another range.
	//
	// Returned by: Map.AcquireOrLoad, Map.Insert, Writer.Insert, Writer.Load,
	// Writer.Resize.
	ErrOverlap = errors.New("rangelock: range overlaps an attached range")

	// ErrBadRange says that a range is empty, upside down or has a NaN bound. AcquireOrLoad
	// says so, too, of a key that is NaN, and of a loaded range that does not cover the
	// key, or is not the one that Options.LoadRange has said.
	//
	// Returned by: Map.AcquireOrLoad, Map.Insert, Map.Remove, Map.Retire, Map.Swap,
	// Writer.Exclude, Writer.Insert, Writer.Load, Writer.Remove, Writer.Replace,
	// Writer.Resize, Writer.Retire, Writer.Swap.
	ErrBadRange = errors.New("rangelock: range is not valid")

	// ErrPartial says that an operation on whole ranges would cut one. Merge returns it
	// where the values of two ranges do not go together.
	//
	// Returned by: Map.Remove, Map.Retire, Map.Swap, Writer.Merge, Writer.Remove,
	// Writer.Replace, Writer.Retire, Writer.Swap.
	ErrPartial = errors.New("rangelock: operation would cut a range")

	// ErrBacklog says that an operation would leave more cost pending than
	// Options.MaxPending allows.
	//
	// Returned by: Map.Remove, Map.Retire, Map.Room, Map.Swap, Writer.Clear,
	// Writer.Remove, Writer.Replace, Writer.Retire, Writer.Swap, Writer.Update.
	ErrBacklog = errors.New("rangelock: too much is pending")

	// ErrStale says that the key was invalidated in each of several loads, one after the
	// other, so that nothing was loaded that could be used.
	//
	// Returned by: Map.AcquireOrLoad.
	ErrStale = errors.New("rangelock: invalidated while it was loaded")

	// ErrClosed says that the map has been closed. AcquireOrLoad returns it on a miss.
	//
	// Returned by: Map.AcquireOrLoad, Map.Do, Map.Insert, Map.LockContext, Map.Remove, Map.Retire,
	// Map.Room, Map.Swap, Writer.Clear, Writer.Exclude, Writer.Insert, Writer.Load,
	// Writer.Merge, Writer.Remove, Writer.Replace, Writer.Resize, Writer.Retire,
	// Writer.Split, Writer.Swap, Writer.Update.
	ErrClosed = errors.New("rangelock: map is closed")
)

// badRange wraps ErrBadRange with the range.
func badRange[K any](r Range[K]) error {
	return fmt.Errorf("%w: %v", ErrBadRange, r)
}

// overlap wraps ErrOverlap with the range to insert and the one in its way.
func overlap[K any](r, there Range[K]) error {
	return fmt.Errorf("%w: %v would overlap %v", ErrOverlap, r, there)
}

// BacklogError is an [ErrBacklog] with its figures, in units of Options.Cost. A figure
// that is larger than an int64 is the largest int64.
type BacklogError[K any] struct {
	Range      Range[K] // what was to leave the map
	Cost       int64    // of what was to leave
	Pending    int64    // cost of what had left and was still pending
	MaxPending int64    // the bound

	rangeless bool // it was asked for room alone
}

// Error says what would not fit.
func (e *BacklogError[K]) Error() string {
	what := "that"
	if !e.rangeless {
		what = e.Range.String()
	}
	return fmt.Sprintf("%v: %s would add %d to the %d that are pending, more than MaxPending %d",
		ErrBacklog, what, e.Cost, e.Pending, e.MaxPending)
}

// Unwrap returns ErrBacklog.
func (e *BacklogError[K]) Unwrap() error { return ErrBacklog }

// partial wraps ErrPartial with the range asked for and the one it would cut.
func partial[K any](r, cut Range[K]) error {
	return fmt.Errorf("%w: %v would cut %v", ErrPartial, r, cut)
}

// notFound wraps ErrNotFound with the key.
func notFound[K any](key K) error {
	return fmt.Errorf("%w: %v", ErrNotFound, key)
}
