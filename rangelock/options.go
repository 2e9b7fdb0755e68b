package rangelock

import "fmt"

// Options says what a map does with ranges that leave it. It is read once, by
// [New] or [NewFunc]; changing it later changes nothing.
type Options[K, V any] struct {
	// OnRetire is called exactly once for each range that leaves the map for
	// good, after the last guard on it was released and no reader can come upon
	// it any more: the place to unmap, close or free what v stands for. A range
	// leaves by Remove, Retire, Evict, Swap, Update, Replace, Put, Clear or Close, and not by
	// Extract, which gives its value to the caller. So does what a load of
	// AcquireOrLoad returns and the map cannot take, because it is stale for one. Calls come one at a
	// time, in the order in which the ranges became free, on a goroutine of the
	// map's own, never on a reader's or a writer's.
	//
	// It will not run before the last guard is released. It may run before the
	// transaction that took the range out has ended. It may run late, or never, if
	// a guard is never released or another OnRetire does not return.
	//
	// It may use the map, but must not call Drain or Close, which wait for it, and
	// must not wait for somebody who waits for them. A panic in it is not
	// recovered, and so ends the program; a runtime.Goexit ends that call alone.
	OnRetire func(r Range[K], v V)

	// Cost says what a range weighs while it is pending, that is from the moment
	// it leaves the map until OnRetire has returned, or, without an OnRetire, until
	// the guards on it are released. The unit is the caller's; absent, each range
	// weighs 1. It is called when the range is about to leave, before anything has
	// changed, for an operation that then fails too. It is called in the
	// transaction and must not use the map. A negative cost panics, and nothing has
	// changed then.
	Cost func(r Range[K], v V) int64

	// SplitValue makes the values of the two halves when Split or Put cuts r at at. It is
	// called when the range is excluded and before anything has changed, and must not
	// use the map. If it returns an error the range stays as it is, with v, and the
	// operation returns that error in a [RangeError]. Absent, both halves get v; a map with
	// an OnRetire needs it, because one value would be retired twice.
	SplitValue func(r Range[K], at K, v V) (left, right V, err error)

	// LoadRange says which range the load of key is going to return, for
	// [Map.AcquireOrLoad]: a block of fixed size, say. Then misses in one gap load at
	// the same time unless it says the same of them; these share one load, and how it
	// fails. An invalidation makes exactly those loads stale whose ranges it overlaps.
	// Absent, a load under way could turn out to fill the whole gap in which its key
	// lies, and misses in one gap take turns.
	//
	// A load that returns another range fails with ErrBadRange. LoadRange is called on a
	// miss, while nothing is held, and may be called on a hit that meets a writer. A
	// range that is not valid or does not cover key panics.
	LoadRange func(key K) Range[K]

	// MergeValue makes the value of the range that Merge puts in the place of two
	// neighbours, or reports false if they do not go together. It is called when both
	// are excluded and before anything has changed, and must not use the map. Absent,
	// nothing can be merged.
	MergeValue func(left, right Range[K], lv, rv V) (v V, ok bool)

	// Trace is told what happens on the slow paths; nil for nothing.
	Trace *Trace[K]

	// MaxPending bounds the sum of the costs that are pending, in units of Cost.
	// An operation that would pass it returns a [BacklogError] and does nothing, also
	// when nothing is pending and the operation alone is too heavy; [Map.Room]
	// waits for room. Close disregards it. Zero is no bound; a negative one panics
	// in New and NewFunc.
	MaxPending int64

	// MaxRanges bounds how many ranges are in the map. An operation that would pass it
	// returns [ErrFull] and does nothing. What has left the map and is pending does not
	// count. Zero is no bound; a negative one panics in New and NewFunc.
	MaxRanges int

	// PutEvicts lets [Writer.Put] retire the ranges that stick out of the one that it puts,
	// whole, instead of trimming them.
	PutEvicts bool

	// WaitForRoom lets the one-operation forms, [Map.Remove], [Map.Retire] and
	// [Map.Swap], wait for room under MaxPending, as [Map.Room] does, and then try again,
	// until their context ends. While they wait they hold no lock and have changed
	// nothing. What would never fit is ErrBacklog all the same, and so is what an operation
	// of a [Writer] has no room for: it would wait with the lock held. OnRetire must not
	// use these forms then, because they may wait for it.
	WaitForRoom bool
}

// check panics when the options make no sense.
func (o *Options[K, V]) check() {
	if o.MaxPending < 0 {
		panic(fmt.Sprintf("rangelock: negative Options.MaxPending %d", o.MaxPending))
	}
	if o.MaxRanges < 0 {
		panic(fmt.Sprintf("rangelock: negative Options.MaxRanges %d", o.MaxRanges))
	}
}
