package rangelock

import "errors"

// The errors of the map. An operation that returns one has changed nothing, except Load, and Put
// if its SplitValue fails. The methods of a Writer return them inside a [RangeError], a
// [KeyError] or a [BacklogError], so compare with [errors.Is]. TryAcquire and AcquireContext
// return them as they are, because these calls must not allocate. A wait that a context ends
// returns a [WaitError].
var (
	// ErrNotFound says that no range covers the key. It is a definite result. Merge returns it if
	// no two ranges meet at the key, AcquireNextContext if no range ends above the key, and
	// AcquirePrevContext if no range begins at or below it.
	//
	// Returned by: AcquireContext, Map.AcquireContext, Map.AcquireExclusiveContext,
	// Map.AcquireNextContext, Map.AcquirePrevContext, Map.TryAcquire, Map.TryAcquireExclusive,
	// Reader.AcquireContext, TryAcquire, Writer.Extract, Writer.Merge, Writer.Resize,
	// Writer.Split, Writer.Update.
	ErrNotFound = errors.New("rangelock: no range covers the key")

	// ErrBusy says that the call would have to wait, for a writer or for guards, or that the
	// range has as many guards as it can have. It may be returned when nothing is in the way any
	// more. It does not say whether a range covers the key.
	//
	// Returned by: Map.TryAcquire, Map.TryAcquireExclusive, TryAcquire.
	ErrBusy = errors.New("rangelock: a writer or a guard is in the way")

	// ErrOverlap says that a range to be inserted overlaps an attached range. Resize returns it
	// if the new bounds overlap another range.
	//
	// Returned by: Map.AcquireOrLoad, Map.Insert, Writer.Insert, Writer.Load, Writer.Resize.
	ErrOverlap = errors.New("rangelock: range overlaps an attached range")

	// ErrBadRange says that a range is empty, has its bounds in the wrong order, or has a NaN
	// bound. AcquireOrLoad also returns it for a key that is NaN, and for a loaded range that
	// does not cover the key or differs from the one that Options.LoadRange has returned.
	//
	// Returned by: Map.AcquireOrLoad, Map.DrainRange, Map.Insert, Map.Remove, Map.Retire,
	// Map.Swap, Writer.Evict, Writer.Exclude, Writer.Insert, Writer.Load, Writer.Put,
	// Writer.Remove, Writer.Replace, Writer.Resize, Writer.Retire, Writer.Swap.
	ErrBadRange = errors.New("rangelock: range is not valid")

	// ErrPartial says that an operation on whole ranges would cut one. Merge returns it if the
	// two ranges cannot be joined.
	//
	// Returned by: Map.Remove, Map.Retire, Map.Swap, Writer.Merge, Writer.Put, Writer.Remove,
	// Writer.Replace, Writer.Retire, Writer.Swap.
	ErrPartial = errors.New("rangelock: operation would cut a range")

	// ErrBacklog says that an operation would leave more cost pending than
	// Options.MaxPending allows.
	//
	// Returned by: Map.Remove, Map.Retire, Map.Room, Map.Swap, Writer.Clear, Writer.Evict,
	// Writer.Put, Writer.Remove, Writer.Replace, Writer.Retire, Writer.Swap, Writer.Update.
	ErrBacklog = errors.New("rangelock: too much is pending")

	// ErrStale says that the key was invalidated during each of several loads, one after the
	// other, so that none of them could be used.
	//
	// Returned by: Map.AcquireOrLoad.
	ErrStale = errors.New("rangelock: invalidated while it was loaded")

	// ErrFull says that the map would have more than Options.MaxRanges ranges.
	//
	// Returned by: Map.AcquireOrLoad, Map.Insert, Map.Swap, Writer.Insert, Writer.Load,
	// Writer.Put, Writer.Replace, Writer.Split, Writer.Swap.
	ErrFull = errors.New("rangelock: map is full")

	// ErrClosed says that the map has been closed. A reader gets it instead of ErrNotFound, so
	// that it can tell the two apart.
	//
	// Returned by: AcquireContext, Map.AcquireContext, Map.AcquireExclusiveContext,
	// Map.AcquireNextContext, Map.AcquireOrLoad, Map.AcquirePrevContext, Map.Do, Map.Insert,
	// Map.LockContext, Map.Remove, Map.Retire, Map.Room, Map.Swap, Map.TryAcquire,
	// Map.TryAcquireExclusive, Reader.AcquireContext, TryAcquire, Writer.Clear, Writer.Evict,
	// Writer.Exclude, Writer.Extract, Writer.Insert, Writer.Load, Writer.Merge, Writer.Put,
	// Writer.Remove, Writer.Replace, Writer.Resize, Writer.Retire, Writer.Split, Writer.Swap,
	// Writer.Update.
	ErrClosed = errors.New("rangelock: map is closed")
)
