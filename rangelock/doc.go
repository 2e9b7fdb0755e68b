// Package rangelock has a map from disjoint ranges of keys to values, Map, in which
// a reader takes a guard on the one range that covers its key. While the guard is
// held the range keeps its bounds and its value. A writer that works on other ranges
// does not wait for the guard, and readers of other ranges do not wait for the
// writer. OnRetire is called for each range that has left the map when no reader can
// use it any more: the time to unmap, close or free its value.
//
// It is for maps that are read far more often than they are changed, in which a read
// may take long (a page fault, I/O), and whose values are freed by hand.
//
//	m := rangelock.New(&rangelock.Options[int64, []byte]{
//		OnRetire: func(_ rangelock.Range[int64], b []byte) { syscall.Munmap(b) },
//	})
//	err := m.Insert(ctx, rangelock.Span(lo, hi), mapped)
//
//	// any number of readers
//	g, ok := m.Acquire(off) // lo <= off && off < hi
//	if ok {
//		_, err = conn.Write(g.Value()[off-g.Range().Lo:])
//		g.Release()
//	}
//
//	// a compactor: waits for no reader
//	err = m.Swap(ctx, rangelock.Span(lo, hi), mappedAnew)
//
// # Words
//
// A range is attached from its insertion until it leaves the map; then it is
// detached. It is retired when OnRetire is called for it, after the last guard on it
// has been released. In between it is pending. A range is excluded while a writer
// keeps readers out of it. A transaction is what a writer does between Lock and Unlock
// or Downgrade. A gap is where no range is.
//
// A range is an object: Swap with the same bounds makes a new one, and guards on the old one
// keep the old one.
//
// # What blocks
//
// Calls and their waits:
//
//	call                                  waits for
//	TryAcquire, TryAcquireExclusive,      never
//	TryLock, TryExclude, Release,
//	Unlock, Downgrade
//	Acquire, View, Get, GetMany           a writer that has excluded or changed the key's
//	                                      range; if none covers it, one that has begun to
//	                                      change the map; an exclusive guard (not Get, GetMany)
//	AcquireExclusive                      the same, and every guard on the range
//	AcquireNext, AcquirePrev, Guards      the same as Acquire; across a gap, a writer that has
//	                                      begun to change the map
//	AcquireContext, GuardsContext,        the same, until the context ends
//	AcquireNextContext and …PrevContext,
//	AcquireExclusiveContext
//	AcquireOrLoad                         as AcquireContext; on a miss for load, then as
//	                                      LockContext
//	All, AllIn, Backward, First, Last,    never
//	Bounds, Len, Stats, Survey, SurveyIn
//	Lock, LockContext                     other transactions and Readers
//	RLock, RLockContext                   transactions, and writers that came before
//	Insert, Retire, Evict, Swap, Load,    never
//	Clear, Find, Before, After, Gaps,
//	Overlapping
//	Exclude, Remove, Update, Replace,     the guards on the ranges that they touch
//	Extract, Split, Merge, Resize
//	Put                                   guards on ranges that it trims
//	Reader.Acquire                        an exclusive guard
//	Reader.AcquireContext                 the same, until the context ends
//	Map.Insert, Remove, Retire, Swap      as LockContext, then as the operation; with
//	                                      Options.WaitForRoom, for room first
//	Room                                  room under MaxPending
//	Drain, DrainRange                     the guards on what has left the map, and OnRetire
//	Close                                 as LockContext, then for loads, then as Drain
//
// The rows from Insert to Put are methods of Writer and Reader. “Never” allows for a mutex
// that is held for a few steps. Waits for a writer are served first come first, so they
// include the writers that came before. A wait that lasts parks the goroutine, and shows in the
// hooks of [Trace]. Readers that keep coming cannot starve a writer.
//
// # What is not promised
//
// A goroutine that holds a guard and waits for the map's lock can wait for ever: the
// goroutine that has the lock may be waiting for the guard. Acquire, View and Get of any
// key, Lock, RLock, AcquireOrLoad and the one-operation forms wait for the lock. TryAcquire
// does not, and a context ends the wait. [Map] says when it is safe, and lists other circles.
//
// A goroutine can also wait for itself: for its own guard, its own transaction or its own
// load. [Map] lists how.
//
// With -tags spanlockdebug such calls panic, or call DebugReport, with all stacks; except for
// what OnRetire or a load waits for, and for waits that a context can end.
//
// All is not a snapshot. OnRetire may run late, or never, if a guard is not released. Nothing
// is rolled back.
//
// # Memory model
//
// In the terminology of the Go memory model:
//
// What a writer did before the Unlock or Downgrade of its transaction synchronizes
// before the return of each Acquire, AcquireContext, TryAcquire, View, Get or Reader's
// call that shows an effect of that transaction, a range or a gap. This covers writes to
// the memory behind a value before its insertion, or while its range was excluded.
//
// The Release of each guard on a range synchronizes before the return of a later
// Exclude, Remove or Update, or TryExclude that reports true, that excludes the range,
// and before the call of OnRetire for it.
//
// The return of a load synchronizes before the return of each AcquireOrLoad with a guard
// on what it returned, and before the call of OnRetire for it.
//
// The return of OnRetire for a range that left the map before a call of Drain, or by
// Close, synchronizes before the return of that call with a nil error.
//
// The end of a transaction synchronizes before the return of each later Lock or RLock,
// and the Unlock of a Reader before the return of each later Lock.
//
// ErrBusy, a false TryExclude or TryLock, and a wait that a context ends synchronize nothing.
// Neither do All, Len, Stats and Survey; but the insertion of each value synchronizes before
// All yields it.
//
// # Costs
//
// Acquire and Release are a search and two atomic additions to the state word of the
// range, which all its readers share. Where readers have met, they are two atomic swaps in a
// cache line that few share. If keys are not integers or floats, a pin writes a counter that
// few share. Get writes nothing to the range; where keys and values are words it
// writes nothing at all. None of them allocates if it does not wait.
//
// A change stores into one leaf of the tree, of at most 15 ranges. An operation on k ranges
// takes time in proportion to k. A writer that excludes or detaches a range whose readers announce themselves looks at
// eight cache lines for each processor, 256 at most.
//
// A range takes 64 bytes with keys and values of 8 bytes each, and about 25 more in the tree;
// for strings and byte slices the tree also keeps 8 bytes of each key. The lines of a map whose
// readers have met take one kilobyte for each processor, 32 at most. A map has a goroutine only
// while there is something to retire.
//
// # What the epoch protects
//
// A range object is used again after a grace period of package epoch: when each search that
// could have found it has ended. Where keys are integers or floats, searches do not pin;
// there a generation in the state word tells a reader that it has the right object. A value is
// kept usable by the guard alone. OnRetire is called when both the last guard and the grace
// period have passed.
//
// docs/protocol.md describes the protocols; their steps stand in the files that implement them.
package rangelock
