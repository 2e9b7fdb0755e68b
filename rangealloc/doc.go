// Package rangealloc gives out ranges of keys: addresses of an arena, blocks of a file,
// numbers of any kind that must not be given out twice. An [Allocator] keeps the ranges
// that are allocated in a [rangelock.Map], so that readers can take a guard on the range
// that covers a key, and a range that is freed under their guards is given to somebody
// else only when they have left.
//
//	arena := rangealloc.New(rangelock.Span(0, len(mem)), &rangelock.Options[int, *object]{
//		OnRetire: func(r rangelock.Range[int], _ *object) { clear(mem[r.Lo:r.Hi]) },
//	})
//	r, err := arena.Alloc(ctx, 4096, 64, obj) // the lowest 4096 bytes at a multiple of 64
//
//	// any number of readers
//	g, ok := arena.Map().Acquire(off)
//
//	// waits for no reader; the bytes are given out again when the last one has left
//	// and OnRetire has cleared them
//	err = arena.FreeLater(ctx, r.Lo)
//
// # Freeing
//
// The keys of a range are given out again
//
//	freed by       with an OnRetire                 without
//	Free           when OnRetire has returned,      when the guards are released,
//	               and then Free returns            and then Free returns
//	TryFree        the same                         at once
//	AllocEvict     the same                         at once, to the range that it allocates
//	FreeLater      when OnRetire has returned       at once if there is no guard, else when the
//	               for the range                    guards are released and a grace period is over
//
// So OnRetire has the keys to itself, whoever freed them: it may clear the memory that
// they stand for, give it back to the kernel or check what is in it. What it does there
// and what the next owner does are never mixed up. A grace period is over soon after the
// readers that were searching the map when it began have found what they searched for.
//
// Free gives a range back with certainty, and keeps every other call that allocates or
// frees waiting while it waits for the guards. FreeLater keeps nobody waiting, and gives
// the range back some time, or never if a guard is not released. TryFree and AllocEvict
// leave a range alone that has guards.
//
// # Caches
//
// A cache that is full wants the keys of an old entry for a new one, but not of one that is
// being read. [Allocator.AllocEvict] asks for candidates until the new entry fits, and frees
// none of them in vain; [Allocator.TryFree] is for a cache that goes through its entries by
// itself. Which entries are gone after AllocEvict, the map says: one that was named and is
// still there had guards. Or OnRetire says it, at the price of a second turn as a writer.
// What a cache itself knows of its entries it keeps under a lock of its own, held around the
// calls that allocate and free; then the function that names candidates needs none.
// examples/arena is such a cache.
//
// # What blocks
//
//	call                            waits for
//	Alloc, AllocBest, AllocTop,     its turn as a writer of the map
//	AllocIn, AllocAt
//	AllocFunc                       its turn, and after its function another one
//	AllocEvict                      its turn; if it calls OnRetire, another one
//	Free                            its turn, the guards on the range, then OnRetire
//	FreeLater                       its turn
//	TryFree                         never, but for the OnRetire that it calls
//	Grow, Stats                     never
//	Map.Drain                       the guards on what was freed, and OnRetire
//	Map.Room                        room under Options.MaxPending
//	Close                           its turn, then as Drain
//	Map, Map.All, Map.Len           never
//	Map.TryAcquire,                 never
//	Map.TryAcquireExclusive
//	Map.Acquire, View, Get          a Free of the key's range; where nothing is allocated,
//	                                a call that has begun to change the map
//	Map.AcquireExclusive            the same, and the guards on the range
//	Map.RLock, RLockContext         calls that allocate or free
//
// A turn as a writer comes first come first served. While it lasts others wait for it, a
// few microseconds, or as long as a Free waits for guards, or until a Reader is unlocked.
// Each of the waits ends with the context of its call, except those of Acquire,
// AcquireExclusive, View, Get and RLock, which have none; AcquireContext,
// AcquireExclusiveContext and RLockContext have one. Nothing waits for keys: where there is no
// room, that is [ErrNoSpace] at once.
//
// A goroutine that waits for itself is the caller's mistake: one that holds a guard and calls
// anything but TryAcquire, TryAcquireExclusive, TryFree, Grow, Stats, Map, All or Len, where
// the program uses Free; one that calls Free, Drain or Close in OnRetire; one that allocates
// or frees while it has a Reader, or in the function that it gives to AllocEvict.
//
// # Memory model
//
// In the terminology of the Go memory model:
//
// What was done before a call that allocates, and what the function of AllocFunc has done,
// synchronizes before the return of each acquire, View or Get that shows the range.
// An owner that fills the memory of a range after Alloc has returned has no such
// guarantee from the allocator: readers find the range at once. With AllocFunc it has.
//
// The release of each guard on a range synchronizes before the call of OnRetire for it,
// and before the return of a Free or TryFree of it with a nil error, unless a context ended
// its wait for OnRetire. The return of OnRetire, or without one the release of each guard,
// synchronizes before the return of a call that gives out one of the keys again.
//
// An error synchronizes nothing.
//
// # Lock order
//
// What stands deeper is taken while what stands above it is held, never the other way
// round.
//
//	Map.sem of rangelock           a call's turn as a writer
//	├── a guard                    Free waits for it
//	└── Allocator.mu               choosing, taking and giving back gaps
//
// The map's OnRetire takes Allocator.mu with nothing held, after the user's has returned.
// Nobody waits while holding Allocator.mu, for a guard or for anything else. Free waits
// for OnRetire when it has ended its turn, and TryFree and AllocEvict call it then.
// The function given to AllocEvict is called during the turn, that of AllocFunc with nothing
// held.
//
// # Costs
//
// Gaps are kept by address, in a tree that knows the widest gap of each subtree; and, once a
// program has called AllocBest, by size, in a B-tree of google/btree, which doubles what the
// gaps cost. A call that allocates or frees takes time in proportion to the logarithm of the
// number of gaps, plus a change of the map, which is most of it: of an AllocEvict that takes
// the place of one range, a fifth is for the gaps. An alignment that few gaps meet costs more:
// the search then looks at one gap after the other that is wide enough. It looks at all of
// them before it says that there is no space; a gap that is exactly large enough is found.
//
// AllocEvict frees and allocates in one turn if there is no OnRetire, and each range that it
// passes over costs it a search. In the steady state, calls that allocate and free leave
// nothing to the collector but nodes of the map's tree: none where sizes are alike, and about
// one for each call where they differ, because nodes split in one place and merge in another.
// An error that says more than ErrBusy is one object, whose text is made when it is asked for.
//
// A gap takes about 50 bytes. Readers never come near the gaps.
package rangealloc
