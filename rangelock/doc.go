// Package rangelock has a map from disjoint ranges of keys to values, Map, in which
// a reader takes a guard on the one range that covers its key. While the guard is
// held the range keeps its bounds and its value. A writer that works on other ranges
// does not wait for the guard, and readers of other ranges do not wait for the
// writer. A callback, OnRetire, says of each range that has left the map that nobody
// uses it any more: the time to unmap, close or free.
//
// It is for maps that are read far more often than they are changed, in which a read
// may take long (a page fault, I/O, a request that is being answered), and whose
// values are freed by hand.
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
//	// the compactor: waits for no reader; the old mapping goes when its last
//	// reader has left
//	err = m.Swap(ctx, rangelock.Span(lo, hi), mappedAnew)
//
// # Words
//
// A range is attached from its insertion to the moment when it leaves the map; then
// it is detached. It is retired when OnRetire is called for it, after the last guard
// on it has been released. In between it is pending. A range is excluded while a
// writer keeps readers out of it. What a writer does between Lock and Unlock or
// Downgrade is a transaction. A gap is where no range is.
//
// A range is an object and not only its bounds: Swap with the same bounds makes a new
// one, and guards on the old one stay where they are.
//
// # What blocks
//
//	call                                waits for
//	TryAcquire, TryAcquireExclusive,    never
//	TryLock, TryExclude, Release,
//	Unlock, Downgrade
//	Acquire, View, Get, GetMany         a writer that has excluded the key's range; without
//	                                    a range, a writer that has begun to change the map
//	                                    either way, an exclusive guard (but not Get, GetMany)
//	AcquireExclusive                    the same, and every guard on the range
//	AcquireNext, AcquirePrev, Guards    the same as Acquire, and where a gap lies between key and
//	                                    range, a writer that has begun to change the map
//	AcquireContext, GuardsContext,      the same, until the context ends
//	AcquireNextContext and …PrevContext,
//	AcquireExclusiveContext
//	AcquireOrLoad                       as AcquireContext; on a miss for load, then as
//	                                    LockContext
//	All, AllIn, Backward, First, Last,  never
//	Bounds, Len, Stats, Survey, SurveyIn
//	Lock, LockContext                   other transactions and Readers
//	RLock, RLockContext                 transactions, and writers that came before
//	Insert, Retire, Evict, Swap, Load,  never
//	Clear, Find, Before, After, Gaps,
//	Overlapping
//	Exclude, Remove, Update, Replace,   the guards on the ranges that they touch
//	Extract, Split, Merge, Resize, Put
//	Reader.Acquire                      an exclusive guard
//	Reader.AcquireContext               the same, until the context ends
//	Map.Insert, Remove, Retire, Swap    as LockContext, then as the operation; where
//	                                    Options.WaitForRoom says so, room under MaxPending,
//	                                    holding nothing
//	Room                                room under MaxPending
//	Drain, DrainRange                   the guards on what has left the map, and OnRetire
//	Close                               as LockContext, then for loads, then as Drain
//
// The rows in the middle are methods of Writer and Reader. "Never" allows for a mutex
// that is held for a few steps. Who waits for a writer waits in a queue, first come
// first served, and so also for writers that queued before it. A wait that lasts
// parks the goroutine; readers that keep coming cannot starve a writer.
// docs/observability.md says in which profile and [Trace] hook each of these waits shows.
//
// # What is not promised
//
// A goroutine that holds a guard and waits for the map's lock can wait for ever: whoever
// has the lock may be waiting for the guard. Acquire, View and Get of any key, Lock,
// RLock, AcquireOrLoad and the one-operation forms wait for it; TryAcquire does not, and
// a context ends the wait. It is safe in a map in which nobody who has the lock waits for
// a guard. [Map] says exactly when that is so, and lists the circles that remain.
//
// A goroutine waits for itself when it
//
//   - excludes, removes or updates a range on which it holds a guard, drains while it
//     holds a guard on a range that has left the map, or closes while it holds any;
//   - asks for an exclusive guard on a range on which it holds a guard, or for a shared
//     one where it holds an exclusive one or somebody waits for one;
//   - calls Acquire, View, Get, Lock, RLock, Close or a one-operation form during its
//     own transaction (use the Writer's methods and TryAcquire);
//   - calls Lock, Close or a one-operation form while it has a Reader, or RLock when a
//     writer may have queued in between;
//   - calls AcquireOrLoad for a key without a range in its own transaction, with a
//     Reader, or in a load that is to fill the same gap, or Close in a load;
//   - calls Drain or Close in OnRetire, or Drain in a transaction while OnRetire waits
//     for that transaction.
//
// Under -tags spanlockdebug the package reports these calls and circles when they could come
// to a deadlock, with all stacks, and maps that are used in an order that goes in a circle.
// A call under a guard is reported when the map has been seen to make it dangerous, before
// or after. It does not see what OnRetire or a load waits for, and takes guards for those of
// the goroutine that acquired them. A wait that its context can end is left alone. There,
// Map.Leaks lists the guards that are held, and every use of a copy of a released guard
// panics. A report is a panic, or a call of DebugReport.
//
// All is no snapshot. Retiring is not prompt: OnRetire may run late, or never, if a
// guard is not released. Nothing is rolled back.
//
// # State
//
// Each range has one word with a count of its readers and some flags; every value
// that it can have is listed at its declaration in header.go. Of excluded, detached and
// retired it can have these:
//
//	flags                         set by                    a reader   the last Release
//	none                          Unlock, Downgrade, an     enters     does nothing
//	                              Exclude that failed
//	excluded                      Insert, Exclude, Remove,  waits      wakes the writer
//	                              Update, Swap
//	excluded, detached            Remove, Retire, Swap,     waits      retires the range
//	                              Update, Clear, Close
//	excluded, detached, retired   who retires it, once      waits      was before
//
// A reader that waits does so in the semaphore, and then searches again; TryAcquire
// reports ErrBusy instead. So it does when a range has 2^28 guards, where Acquire
// panics. Three more flags say that an exclusive guard is held (alone), that somebody
// stands in line for the range (reserved), and that its readers announce themselves
// (announced); see below. The word also has a generation, which says in which life a recycled range
// object is, and which each guard carries.
//
// The map has a word, too, the publication sequence. It is odd from a transaction's
// first change to the tree until its end, and not from its Lock on: a writer that is
// still waiting for guards delays no search for an absent key.
//
// # Reading
//
// What a reader looks at is either a word that it validates, or protected by the epoch. Where
// keys are words, which are integers and floats of four bytes or eight, Acquire looks at
// nothing but words and needs no pin: a range object is used again only for another range of
// the same map, and a hit proves itself. In all other maps, and where it says “pinned”, a pin
// of the map's epoch domain holds back the next life of every range object that can be met.
//
// Acquire is the steps 1 to 8; TryAcquire reports ErrBusy where Acquire goes to step 7.
//
//  1. Load the publication sequence. Where keys are no words, pin.
//  2. Search the tree: one load a level, no lock, no write. A change of the leaf under the
//     search leads it to a neighbour; so what it comes to is a hint.
//  3. Load the word of the range that the search has come to, and then compare its bounds
//     with the key, in this order: if the word is the same later, the bounds are of the life
//     that it shows.
//  4. If the range does not cover the key, or there is none, load the sequence again. Even
//     and unchanged, the tree did not change under the search, and the key is in a gap,
//     definitely. Otherwise look, pinned, at all ranges of the key's leaf, once: what is
//     in the map all the time is among them, and a reader of it goes on with step 5. If
//     nothing covers the key nothing is known; go to 7.
//  5. Look at the word of step 3. If it is excluded, or full, go to 7. This look comes
//     before the add so that readers that are refused cannot hold up a writer that waits
//     for the count to fall to zero. If it is announced, go on as “Announced
//     ranges” says; if somebody is alone on it or in line, as “Exclusive guards” says.
//  6. Add one, without a condition and so without a loop. If the result admits
//     readers and shows the life of step 3, the guard is held. If not, take the one back,
//     which is a release like any other and may be the one that a writer waits for. What it
//     owes goes by the word that it leaves behind, which may be of a later life. Then search
//     once more, pinned.
//  7. Take the semaphore for reading: this waits for the writer.
//  8. Search again, and if there is a range add one; with the semaphore it cannot be
//     excluded. Give the semaphore back. To use instead what step 2 has found is the
//     tempting mistake: it is from before the writer.
//  9. Release takes one from the count. If the range is excluded and nobody is left in
//     it, it wakes the writer; if it is detached, it goes on with step 5 below.
//
// Steps 1 to 6 may report busy when nothing is in the way any more; they never enter what is
// excluded, and never take a gap for granted that a writer is about to fill. Get is like Acquire, but looks in step 5 for the flag alone and adds nothing. Where keys
// are words and the value is one word, or a pointer, it writes nothing at all: it loads the
// value and then the word again, and the range object has not been retired meanwhile.
// Elsewhere it takes the value pinned, or in step 8. GetMany searches for sixteen keys at
// a time.
//
// # Exclusive guards
//
// An exclusive guard is one swap of the range's word, from one without flags and
// readers to one with the flag alone and a count as high as the limit, so that the look
// of every reader finds the range full. Whoever finds the range in use, and is not
// content with ErrBusy, stands in its line; steps 1 to 6 are in waitqueue.go:
//
//  1. He sets the flag reserved, by a swap from a word without excluded. From then on
//     readers enter only by their turn: those that keep coming cannot starve him.
//  2. He tries to grant the head of the line once himself. The last holder may have
//     left before the flag told it of the line; without this look both would wait.
//  3. Every release that finds the flag and nobody left, of a guard or of a reader in
//     passing, tries to grant the head: one exclusive guard, or all the shared ones up
//     to the next exclusive. So neither kind starves the other.
//  4. A waiter whose context ends leaves the line and tries to grant the head, which may
//     have waited for him only. If he was granted meanwhile he keeps the guard.
//  5. A transaction that excludes the range waits for the guards on it, and grants nobody
//     in line until it lets the range in again; then it tries to grant the head. It does
//     not clear reserved, and Unlock's And leaves it.
//  6. A transaction that detaches the range sends the line back to the semaphore, to
//     search again behind it. Nobody lines up after that, since step 1 wants excluded
//     clear; so the word comes to the value from which finishing swaps.
//
// # Announced ranges
//
// Readers that count in one word pass its cache line around. Where readers meet they announce
// themselves instead: each writes a mark, which stands for the range in its present life, into
// a slot of a line of its own, and only reads the word.
//
//  1. A reader that meets another one in the word sets the flag announced, by a swap from a
//     word in which nobody keeps readers out. Once that has happened in a map, the first
//     reader of each range does so. The flag stays until the range object's next life.
//  2. A reader that finds the flag writes its mark, and then loads the word again. With the
//     same flags and the same life as in step 3 of “Reading” the guard is held. If not, the
//     reader takes its mark away as in step 4. If all slots of its line are taken it counts.
//  3. Whoever keeps readers out (a writer that excludes or detaches, an exclusive guard,
//     a line) sets its flag first. If the word shows announced then, it looks at all lines,
//     and always at the count. A reader that this look misses has announced itself after it,
//     and so sees the flag.
//  4. A release takes the mark away, and then looks at the word, and wakes the writer, grants
//     the head of the line, or finishes the range. Its look may have outlived the range; what
//     it owes goes by the word that it finds.
//
// # Removing
//
// Remove, Retire, Swap, Update and Clear are these steps; Swap and Update put a new
// range into the tree in step 3.
//
//  1. Remove and Update set the flag excluded on every range that they touch, and then
//     wait until nobody is in them. Retire, Swap and Clear leave this out: this is all
//     the difference.
//  2. Make the publication sequence odd, if this transaction has not done so yet.
//  3. Take the range out of the tree. In one leaf that is one atomic store; where more than
//     one changes, so is the publication of the copies.
//  4. Set excluded and detached in one operation. From here on no search finds the
//     range, and no reader that found it before can enter.
//  5. Try to finish: if the lines show nobody, a compare-and-swap sets the flag retired if
//     the word says that the range is excluded, detached, without readers, and in the
//     generation of which the finisher knows. The writer tries it after step 4, each last
//     Release tries it, and one of them wins.
//  6. The winner hands the range to the domain, which waits for a grace period. It is
//     asked after the range was unlinked; asked before, it could miss a reader.
//  7. A goroutine of the map's, which lives as long as there is something to do, calls
//     OnRetire, one range after the other. Then what belongs to the user is cleared and
//     the range object waits for its next life. That begins with an addition to its word,
//     never with a store: the one of a reader in passing can be in it at any time.
//
// Steps 3 and 4 in the other order would let the last guard finish a range that new
// readers still find in the tree. A generation left out of step 5 would let a slow
// finisher retire the object's next life.
//
// In a map without OnRetire a range without readers is finished at once, and its object waits
// for the grace period in a list, which the next writers poll. The tree's nodes are left to
// the collector. Inserting is the steps 2 and 3 with a range that is born excluded. Load builds leaves
// beside the tree where ranges come in order behind the last one; they are published by one
// store when the transaction ends, and so are born open; or before, excluded first, when the
// Writer does something else.
//
// # Faulting in
//
// AcquireOrLoad is steps 1 to 6 of reading, and if that was no hit these. A flight is
// one load under way; the map has a list of them.
//
//  1. Take the semaphore for reading, and search again. If there is a range add one, and
//     return the guard; on a closed map, or with an ended context, return that error.
//  2. Find the gap in which the key lies: where its neighbours end and start. If a
//     flight's key lies in it, and Options.LoadRange does not say otherwise, go aboard,
//     and compare here whether the flight is for the same key, or the same range of
//     LoadRange. If not, put a new flight into the list, whose goroutine goes on with
//     step 4. Give the semaphore back.
//  3. Park. A caller that is woken returns what the flight has decided, or goes back to
//     step 1. One that leaves takes itself off the flight, unless that has landed; the
//     last to leave ends the load's context.
//  4. Call load, holding nothing. With an error, a panic or a Goexit the flight leaves
//     the list and tells those aboard. The flight's failure is told to those that asked
//     for the same key; the others look again. If the flight is stale, all look again.
//  5. Begin a transaction. Check the range, and whether it is fresh: whether it lies in
//     the flight's window. See who aboard is in it. All of the user's code that can panic
//     has run now.
//  6. Take the flight off the list, whether or not it has a range to insert. From here on
//     nobody boards or leaves.
//  7. Count the guards of all who are in the range on the new range object, which is
//     born excluded and which nobody else sees; then insert it.
//  8. End the transaction, and wake those aboard: those in the range have guards, the
//     others look again.
//
// An operation that takes ranges away invalidates all keys that it was given: it makes the
// flights for them stale, and narrows the windows of the others. A window is the largest
// interval around the flight's key without an invalidation since the flight began. So a
// caller that comes after Retire has returned never gets what was read before it. The races
// stand one by one in load.go and stale.go.
//
// # Publication
//
//  1. An operation compares, calls the user's code, excludes, and waits. Then it cannot fail.
//  2. It makes the sequence odd and changes the tree. Searches now find the new ranges,
//     which are excluded, and where ranges were removed, nothing, which they do not
//     believe. So whoever looks at what the transaction has changed waits for its end.
//  3. Unlock and Downgrade clear excluded on all ranges that are still attached, with
//     an And, because the count of a reader in passing may be in the word.
//  4. They make the sequence even, and then let the semaphore go.
//
// # Memory model
//
// In the terminology of the Go memory model:
//
// What a writer did before the Unlock or Downgrade of its transaction synchronizes
// before the return of each Acquire, AcquireContext, TryAcquire, View, Get or Reader's
// call that shows an effect of that transaction, be it a range or a gap. This covers
// what was written to the memory behind a value before its insertion, or while its
// range was excluded.
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
// ErrBusy, a false TryExclude or TryLock, and a wait that ends with the context's error
// synchronize nothing. Neither do All, Len, Stats and Survey, but for each value that All yields its
// insertion synchronizes before the yield.
//
// # Lock order
//
// What stands deeper is taken while what stands above it is held, never the other way
// round.
//
//	Map.sem                    a transaction, a Reader, steps 7 and 8 of reading
//	├── a guard                Exclude, Remove and Update wait for it, so who has one
//	│                          must not wait for Map.sem
//	├── a guard, OnRetire      Drain in a transaction waits for them
//	├── loads.mu             boarding, landing and invalidating; leaving takes it alone
//	├── pending.mu             weighing and detaching; a survey
//	├── queues.mu               letting in, detaching, standing in line
//	│   └── epoch: state.mu    an exclusive guard that is given up at once
//	├── limbo.mu               memory for range objects
//	│   └── epoch: waits.mu    Cookie.Done; TryLock only
//	├── epoch: waits.mu        Synchronize, at the end of a Drain in a transaction
//	└── epoch: state.mu        Domain.Retire
//	a pin                      reading; nothing is waited for in it
//	├── epoch: state.mu        a refused reader that finishes a range
//	└── queues.mu               a refused reader that was the last before somebody's turn
//
// The goroutine that calls OnRetire holds none of them meanwhile; before and after it takes
// epoch: state.mu, limbo.mu, pending.mu and epoch: waits.mu, one at a time. The user's compare is
// called with a pin, with Map.sem, or by DrainRange with pending.mu, Cost with Map.sem, a View's function
// with a guard, the bodies of All with nothing. The mutexes of the semaphore and of internal/samples are innermost.
//
// # Costs
//
// Acquire and Release are a search, and two atomic additions to the word of the range, which
// all its readers share, or, where readers have met, two atomic swaps in a line that few
// share. Where keys are no words there is a pin and an unpin, which write a counter that few
// share. Get writes nothing to the range, and where keys and values are words nothing at
// all. Neither allocates if it does not wait, except that the first meeting of readers in a
// map has its lines made. Guards allocates the guard that it yields.
//
// Whoever excludes, detaches or is alone on a range whose readers announce themselves looks
// at all lines in use: four words for each, and eight lines for each processor, 256 at most.
// A transaction that detaches many ranges without waiting looks once.
//
// A change stores into one leaf of the tree, of at most 15 ranges; when a map grows about
// one insertion in eight splits a leaf, and copies it and the node above. A steady stream of
// insertions and removals allocates nothing while no pin lasts and OnRetire keeps up. An
// operation on k ranges takes time in proportion to k.
//
// A range has its own cache lines: 64 bytes with keys and value of 8 bytes each. The lines of
// a map whose readers have met take one kilobyte for each processor, 32 at most. A map that
// has been used has about one more, and a bounded number of cleared range objects. There is no
// goroutine when there is nothing to retire or to clear.
//
// # Where the ideas come from
//
// Reading is patterned after the Linux kernel's lock_vma_under_rcu and vma_start_read
// with their count vm_refcnt, excluding after vma_start_write and vma_end_write_all
// with mmap_lock and mm_lock_seq; that no gap is reported which existed neither before
// nor after a change is what lock_next_vma promises. The differences: the kernel adds
// by a loop of compare-and-swaps and stamps its objects with a sequence, here the add
// has no condition and the word has a flag. The kernel reuses objects at once
// (SLAB_TYPESAFE_BY_RCU), so that a reader has to check afterwards in what it has counted
// itself; so does a reader of words here, whom a generation in the word tells. Removing
// without a wait for readers, and a definite miss without the lock, the kernel does not have.
//
// The tree's leaves are ordered by one word, as in Masstree. The publication sequence is a
// seqlock that is asked for a miss only. Drain turns what comes later to another count, as
// SRCU does with its readers. Grace periods by epochs are from K. Fraser, "Practical
// lock-freedom" (2004).
package rangelock
