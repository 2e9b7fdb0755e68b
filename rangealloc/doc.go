// Package rangealloc allocates ranges of keys: addresses of an arena, blocks of a file, or other
// integers that must not be given out twice. An [Allocator] keeps the allocated ranges in a
// [rangelock.Map], so that a reader can take a guard on the range that covers a key. The keys of
// a range that is freed are given out again only when every guard on the range is released.
//
//	arena := rangealloc.New(rangelock.Span(0, len(mem)), &rangelock.Options[int, *object]{
//		OnRetire: func(r rangelock.Range[int], _ *object) { clear(mem[r.Lo:r.Hi]) },
//	})
//	r, err := arena.Alloc(ctx, 4096, 64, obj) // the lowest 4096 bytes at a multiple of 64
//
//	// any number of readers
//	g, ok := arena.Map().Acquire(off)
//
//	// does not wait for readers; the bytes are given out again when the last guard is
//	// released and OnRetire has cleared them
//	err = arena.FreeLater(ctx, r.Lo)
//
// # Freeing
//
// The keys of a freed range can be given out again at these times:
//
//	freed by       with an OnRetire                 without
//	Free           when OnRetire has returned;      when the guards are released;
//	               Free returns after that          Free returns after that
//	TryFree        the same                         at once
//	AllocEvict     the same                         at once, to the range that it allocates
//	FreeLater      when OnRetire has returned       at once if there is no guard, else when the
//	               for the range                    guards are released and a grace period is over
//
// OnRetire has the keys to itself, whichever call freed them. It may clear the memory that the
// keys stand for, return it to the kernel or check its contents, and the next owner's work never
// overlaps with that. A grace period is over soon after every search of the map that was under
// way when it began has ended.
//
// When Free has returned nil, the range is freed. While Free waits for the guards, every other
// call that allocates or frees waits, too. FreeLater makes no call wait, but it frees the keys at
// some later time, or never if a guard is never released. TryFree and AllocEvict do not free a
// range that has guards.
//
// # Caches
//
// A full cache reuses the keys of an old entry for a new one, but not while the entry is being
// read. [Allocator.AllocEvict] asks for candidates until the new entry fits, and frees either all
// the candidates that it needs or none. [Allocator.TryFree] is for a cache that chooses its
// entries itself. After AllocEvict the map tells which entries are gone: a candidate that is
// still there had guards. OnRetire tells it as well, but with an OnRetire AllocEvict takes a
// second turn as a writer. A cache that keeps its own data about entries protects them with its
// own lock, and holds this lock around the calls that allocate and free. The function that names
// candidates then needs no lock. examples/arena is such a cache.
//
// # What blocks
//
// What each call waits for:
//
//	call                            waits for
//	Alloc, AllocBest, AllocTop,     its turn as a writer of the map
//	AllocIn, AllocAt
//	AllocFunc                       its turn, and a second turn after its function
//	AllocEvict                      its turn; if it calls OnRetire, a second turn
//	Free                            its turn, the guards on the range, then OnRetire
//	FreeLater                       its turn
//	TryFree                         nothing; it runs OnRetire itself
//	Grow, Stats                     nothing
//	Map.Drain                       the guards on what was freed, and OnRetire
//	Map.Room                        room under Options.MaxPending
//	Close                           its turn, then as Drain
//	Map, Map.All, Map.Len           nothing
//	Map.TryAcquire,                 nothing
//	Map.TryAcquireExclusive
//	Map.Acquire, View, Get          a Free of the key's range; where nothing is allocated,
//	                                a call that has begun to change the map
//	Map.AcquireExclusive            the same, and the guards on the range
//	Map.RLock, RLockContext         calls that allocate or free
//
// Turns as a writer are granted first come, first served. A turn lasts a few microseconds, unless
// it is that of a Free that waits for guards; a Reader keeps writers waiting until its Unlock.
// The context of a call ends each of its waits. Acquire, AcquireExclusive, View, Get and RLock
// have no context; AcquireContext, AcquireExclusiveContext and RLockContext have one. No call
// waits for keys to be freed: if there is no room, it returns [ErrNoSpace] at once.
//
// The caller must not make a goroutine wait for itself. In a program that uses Free, a goroutine
// that holds a guard must call only TryAcquire, TryAcquireExclusive, TryFree, Grow, Stats, Map,
// All and Len. OnRetire must not call Free, Drain or Close. A goroutine that has a Reader must
// not allocate or free, and neither must the function that is given to AllocEvict.
//
// # Memory model
//
// In the terminology of the Go memory model:
//
// Everything before a call that allocates, and everything that the function of AllocFunc does,
// synchronizes before the return of each acquire, View or Get that returns the range. The
// allocator gives no such guarantee for memory that the owner fills after Alloc has returned,
// because readers can find the range at once. Use AllocFunc for that.
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
// A lock that is indented is taken while the lock above it is held, never the other way round.
//
//	Map.sem of rangelock           a call's turn as a writer
//	├── a guard                    Free waits for it
//	└── Allocator.mu               choosing, taking and giving back gaps
//
// The map's OnRetire takes Allocator.mu when the user's OnRetire has returned, with no other lock
// held. A goroutine that holds Allocator.mu does not wait, neither for a guard nor for anything
// else. Free waits for OnRetire after its turn. TryFree and AllocEvict call OnRetire after their
// turn. The function given to AllocEvict is called during the turn; that of AllocFunc is called
// with no lock held.
//
// # Costs
//
// Gaps are kept by address, in a tree that knows the widest gap of each subtree. Once a program
// has called AllocBest, gaps are also kept by size, in a B-tree of google/btree, which doubles
// their cost. A call that allocates or frees takes time in proportion to the logarithm of the
// number of gaps, plus one change of the map. The change of the map is most of it: in an
// AllocEvict that replaces one range, a fifth of the time goes to the gaps. An alignment that few
// gaps meet costs more, because the search then looks at every gap that is wide enough, one after
// the other. It looks at all of them before it reports that there is no space, and it does find a
// gap that is exactly large enough.
//
// Without an OnRetire, AllocEvict frees and allocates in one turn. Each range that it passes over
// costs one search. In the steady state, calls that allocate and free leave no garbage but nodes
// of the map's tree: none where sizes are alike, and about one for each call where sizes differ,
// because nodes split in one place and merge in another. An error other than ErrBusy is one
// object, which formats its text only on request.
//
// A gap takes about 50 bytes. Readers do not touch the gaps.
package rangealloc
