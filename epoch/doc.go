// Package epoch tells a writer when every reader that could still see something has
// gone.
//
// A reader pins a [Domain], follows pointers, unpins. A writer unlinks an object so
// that nobody finds it any more, and then hands the domain a callback to reclaim it
// (Retire), or waits itself (Synchronize), or asks now and then (Cookie). The time
// until all readers that were there have unpinned is a grace period. Readers do not
// wait for writers, nor for each other.
//
// In a language with a collector this is not needed for memory safety. It is needed
// where something is reused or torn down at a known time: a mapping to be unmapped,
// a file to be closed, a buffer to go back to its pool while it is warm in the
// cache.
//
// # Blocking
//
// Pin, Unpin, Retire, Cookie, Done and Stats never wait for a pin or a callback.
// Unpin and, after the domain's first use, Pin take no lock at all. Synchronize
// waits for pins, Barrier for callbacks and so for the pins before them,
// RetireContext for room if MaxPending is set. These take a context, park while
// they wait, and burn nothing. Times are time.Duration, costs are in the caller's
// own unit.
//
// A domain has no goroutine of its own while it has nothing to run. It starts one
// for the first callback of a backlog; that one exits when the backlog is empty.
//
// # Protocol
//
// A domain has a 64-bit epoch and a number of slots, each with two counters, for
// pins of even and of odd epochs. The sequence of steps is:
//
//	Pin      1. e := epoch
//	         2. add 1 to the counter of parity e&1 in some slot
//	         3. read the epoch again; if its parity is e's, done
//	         4. else add 1 to the slot's other counter as well, and keep both
//	Unpin    5. subtract what was added
//	Advance  6. e := epoch
//	         7. see that no slot has a pin in the counter of parity (e+1)&1
//	         8. compare-and-swap the epoch from e to e+1
//	Retire   9. stamp := epoch, after the caller has unlinked
//	        10. run the callback when epoch >= stamp+2
//
// Synchronize and Cookie take their stamp as Retire does. Sums and differences of
// epochs are taken modulo 2^64, which is even, so parities stay right across the
// wrap.
//
// # Safety
//
// The claim: when the epoch is stamp+2, every Pin that returned before the stamp
// was read has been unpinned. A reader whose Pin returned later began to look after
// the unlink and cannot find the object. Take a pin P that returned before the
// stamp s was read and that is still held. Let x be what it read in (3), or, if it
// took (4), let x be s; so x <= s. P has been counted in parity x&1 since before an
// instant when the epoch was x. No advance from x+1 to x+2 succeeds while P is
// held: whoever makes it read x+1 in (6), after the epoch left x, so after P's
// addition, and looks in (7) at parity (x+2)&1, where P is. So the epoch is at most
// x+1 <= s+1 for as long as P is held.
//
// The cases that are easily got wrong:
//
//  1. The advance from x to x+1 looks at the other parity and passes P by. With s =
//     x one advance after the stamp is therefore not a grace period; two are.
//  2. If the epoch moved between (1) and (3) by an odd number, P is in the counter
//     of the wrong parity: the advance that P must hold up may have looked there
//     already. Hence (4). By an even number, the parity is right, and only that
//     counts: x is the epoch read in (3) and not the one in (1).
//  3. After (4) there is no third look. P is in both counters, so whatever the
//     stamp will be, P is in its parity, and was before it was read. Nothing has to
//     be repeated: Pin is at most two additions. It may hold up one advance more
//     than it needs to.
//  4. In (4) the first count must not be given back. Between a look and the
//     addition that follows it the epoch can move once more; a pin that only
//     changes over is then overlooked exactly as in case 2. That is also why a pin
//     is never moved to a newer epoch afterwards. Nested pins are separate counts.
//  5. Step (8) is a compare-and-swap from the epoch of (6). With a store, somebody
//     who slept between (7) and (8) would move the epoch back, and stamps would
//     come that lie in the past.
//  6. The stamp is read after the unlink (9). A stamp taken before, or one shared
//     by several callbacks, the first one's, lets a reader that pins in between
//     hold an object that waits for the wrong epoch.
//
// # Liveness
//
// A pin lets the epoch move one on at most, until it is unpinned. Readers that keep
// coming hold up nothing: a new pin goes into the counter of the present epoch,
// which the next advance does not look at. Only a pin under way when the epoch
// moved can still add to the old one, once for each goroutine and epoch. So each
// advance waits for a fixed set of pins that only shrinks.
//
// Who waits drives: one of the goroutines that wait for the epoch advances it, the
// others are parked in line behind it. Whoever stops driving, because its epoch has
// come or its context has ended, makes the first in line that must still wait the
// driver; one that is cancelled just when it is made the driver passes it on.
//
// # Sleep
//
// The driver sleeps on the counter that blocks it:
//
//  1. It publishes its parker.
//  2. It adds the wait bit to the counter.
//  3. It looks again: it does not sleep if the counter holds no pin any more, nor
//     if the epoch is no longer the one that this counter blocks.
//  4. It parks.
//  5. Awake, it takes the bit back, then the parker.
//
// The Unpin whose subtraction leaves exactly the wait bit wakes it, and so does
// whoever advances the epoch. A pin that went before (2) is seen in (3); one that
// goes after it finds the bit, and by (1) the parker. The second look, and the
// second one who wakes, are for this case: the counter is empty for a moment,
// another goroutine (a Cookie.Done) sees that and advances, and new pins of the new
// epoch, which has the same parity, fill the counter again. They hold up nothing,
// but readers that overlap could keep it above zero for ever, and the driver would
// sleep on a counter that no longer matters.
//
// A wake-up too many makes the driver look again and does no harm. Everybody else
// who unpins pays one subtraction.
//
// # Memory model
//
// In the terminology of the Go memory model, an Unpin “synchronizes before” what
// comes after the grace period: the run of a callback, the return of Synchronize
// with a nil error, a Done that reports true, if the guard was pinned before the
// corresponding Retire, Synchronize or Cookie. A call of Retire or RetireContext
// “synchronizes before” the run of its callback, each callback before the next, and
// the return of a callback before the return of a Barrier with a nil error that was
// called after it was retired. An error, or a Done that reports false, synchronizes
// nothing; neither do two pins. Everything rests on Go's atomic operations, which
// are sequentially consistent.
//
// # Lineage
//
// Epoch-based reclamation is from Keir Fraser's thesis (Practical lock-freedom,
// 2004); grace periods, callbacks and their barrier are those of read-copy-update,
// by Paul McKenney and John Slingwine. Two counters chosen by parity are those of
// Linux's SRCU, which also lets readers sleep; pins as values and callbacks instead
// of typed reclamation are crossbeam-epoch's. The use that this package was made
// for, a memory block that may be reused under a reader who then checks that it is
// still the same object, is Linux's SLAB_TYPESAFE_BY_RCU.
package epoch
