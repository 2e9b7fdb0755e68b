package rangelock

import "fmt"

// Options configures a map. [New] and [NewFunc] read it once; a later change has no effect. The
// zero Options is valid: it calls no function, and it has no bounds.
type Options[K, V any] struct {
	// OnRetire is called exactly once for each range that leaves the map for good, after the
	// last guard on the range was released, and when no reader can find the range any more. It
	// is the place to unmap, close or free what v stands for.
	//
	// A range leaves the map by Remove, Retire, Evict, Swap, Update, Replace, Put, Clear or
	// Close. OnRetire is also called for a range that a load of AcquireOrLoad has returned and
	// that the map cannot insert, for example because it is stale. It is not called for a range
	// that leaves by Extract, which gives the value to its caller.
	//
	// Calls come one at a time, on a goroutine of the map, never on a goroutine of a reader or a
	// writer. Their order is the order in which the ranges lost their last guard or, without a
	// guard, left the map.
	//
	// OnRetire will not run before the last guard is released. It may run before the
	// transaction that removed the range has ended. It may run late, or never, if a guard is
	// never released or another OnRetire does not return.
	//
	// It may use the map, but must not call Drain or Close, directly or by waiting for a
	// goroutine that does: they wait for OnRetire. A panic in it is not recovered, so it ends
	// the program. A call of runtime.Goexit ends only that call of OnRetire.
	OnRetire func(r Range[K], v V)

	// Cost returns the cost of a range while the range is pending. A range is pending from the
	// moment it leaves the map until OnRetire has returned, or, without an OnRetire, until the
	// guards on it are released. The caller chooses the unit. If Cost is nil each range
	// costs 1.
	//
	// Cost is called in the transaction when the range is about to leave, before anything has
	// changed; the operation may still fail after that. It must not use the map. If it returns
	// a negative cost the operation panics, and nothing has changed.
	Cost func(r Range[K], v V) int64

	// SplitValue returns the values of the two halves when Split or Put cuts r at the key at.
	// It is called while the range is excluded and before it is changed, and must not use the
	// map. If it returns a nil error the cut is made, and v is no longer the map's: OnRetire is
	// not called for it. If it returns an error the range stays as it is, with v, which must be
	// usable, and the operation returns that error in a [RangeError]. A Put in the middle of a
	// range calls it twice. If SplitValue is nil both halves get v. A map with
	// an OnRetire needs a SplitValue, because OnRetire would be called twice for one value.
	SplitValue func(r Range[K], at K, v V) (left, right V, err error)

	// LoadRange returns the range that the load of key in [Map.AcquireOrLoad] will return, for
	// example a block of fixed size. With LoadRange two misses in one gap load at the same
	// time, unless their ranges are the same; then they share one load and its failure. An
	// invalidation makes exactly the loads stale whose ranges it overlaps. If LoadRange is nil
	// misses in one gap take turns, because a load could fill the whole gap.
	//
	// A load that returns another range fails with ErrBadRange. LoadRange is called on a miss,
	// and perhaps on a hit that meets a writer; no lock of the map is held meanwhile.
	// AcquireOrLoad panics if the range is not valid or does not cover key.
	LoadRange func(key K) Range[K]

	// MergeValue returns the value of the range that Merge puts in the place of two
	// neighbours, or reports false if the two cannot be merged. It is called when both are
	// excluded, before anything has changed, and must not use the map. If MergeValue is nil no
	// ranges can be merged.
	MergeValue func(left, right Range[K], lv, rv V) (v V, ok bool)

	// Trace has functions that the map calls on its slow paths. It may be nil.
	Trace *Trace[K]

	// MaxPending bounds the sum of the costs of all pending ranges, in units of Cost. An
	// operation that would exceed it returns a [BacklogError] and changes nothing, even if
	// nothing is pending and the operation alone exceeds it. [Map.Room] waits for room. Close
	// ignores MaxPending. Zero means no bound. New and NewFunc panic if it is negative.
	MaxPending int64

	// MaxRanges bounds how many ranges are in the map. An operation that would exceed it
	// returns [ErrFull] and changes nothing. Ranges that have left the map and are pending do
	// not count. Zero means no bound. New and NewFunc panic if it is negative.
	MaxRanges int

	// PutEvicts changes what [Writer.Put] does with a range that reaches beyond the new one:
	// Put retires the whole range instead of trimming it.
	PutEvicts bool

	// WaitForRoom makes the one-operation forms [Map.Remove], [Map.Retire] and [Map.Swap] wait
	// for room under MaxPending, as [Map.Room] does, and then try again, until their context
	// ends. While they wait they hold no lock and have changed nothing. An operation that would
	// never fit still returns ErrBacklog. So does an operation of a [Writer] without room,
	// because it would wait with the lock held. With WaitForRoom OnRetire must not use these
	// forms, because they may wait for OnRetire.
	WaitForRoom bool
}

// check panics if a bound is negative.
func (o *Options[K, V]) check() {
	if o.MaxPending < 0 {
		panic(fmt.Sprintf("rangelock: negative Options.MaxPending %d", o.MaxPending))
	}
	if o.MaxRanges < 0 {
		panic(fmt.Sprintf("rangelock: negative Options.MaxRanges %d", o.MaxRanges))
	}
}
