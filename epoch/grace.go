package epoch

import "context"

// The grace period.
//
// A domain has a 64-bit epoch and a number of slots. Each slot has two counters, one
// for the pins of even epochs and one for those of odd epochs. The steps are:
//
//	Pin      1. e := epoch
//	         2. add 1 to the counter of parity e&1 in some slot
//	         3. read the epoch again; if its parity is e's, done
//	         4. else add 1 to the slot's other counter as well, and keep both
//	Unpin    5. subtract what was added
//	Advance  6. e := epoch
//	         7. check that no slot has a pin in the counter of parity (e+1)&1
//	         8. compare-and-swap the epoch from e to e+1
//	Retire   9. stamp := epoch, after the caller has unlinked the object
//	        10. run the callback when epoch >= stamp+2
//
// Synchronize and Cookie read their stamp as Retire does. Sums and differences of
// epochs are taken modulo 2^64, which is even, so parities stay right across the wrap.
//
// Safety. The claim: when the epoch is stamp+2, every Pin that returned before the
// stamp was read has been unpinned. (A reader whose Pin returned later began to look
// after the unlink and cannot find the object.) The argument needs atomic operations to be
// sequentially consistent, as Go's are.
//
// Take a pin P that returned before the stamp s was read and that is still held. Let x
// be the epoch that P read in step 3, or let x be s if P took step 4. So x <= s. P has
// been counted in parity x&1 since before some instant when the epoch was x. No
// advance from x+1 to x+2 succeeds while P is held: that advance read x+1 in step 6,
// after the epoch left x and therefore after P's addition, and in step 7 it checks
// parity (x+2)&1, where P is counted. So the epoch is at most x+1 <= s+1 while P is
// held.
//
// Six cases are easy to get wrong:
//
//  1. The advance from x to x+1 checks the other parity and does not see P. With s = x,
//     one advance after the stamp is therefore not a grace period; two are.
//  2. If the epoch moved by an odd number between steps 1 and 3, P is in the counter of
//     the wrong parity: the advance that P must hold up may have checked the other
//     counter already. Hence step 4. If the epoch moved by an even number, the parity
//     is right, and only the parity counts: x is the epoch read in step 3 and not the
//     one read in step 1.
//  3. After step 4 there is no third look. P is in both counters, so P is counted in
//     the parity of any stamp, and was counted before that stamp was read. Nothing has
//     to be repeated: Pin is at most two additions. It may hold up one advance more
//     than it needs to.
//  4. In step 4 the first count must not be given back. The epoch can move once more
//     between the look and the second addition; a pin that only changes over is then
//     overlooked exactly as in case 2. For the same reason a pin is never moved to a
//     newer epoch afterwards. Nested pins are separate counts.
//  5. Step 8 is a compare-and-swap from the epoch of step 6. With a store, a goroutine
//     that slept between steps 7 and 8 would move the epoch back, and later stamps
//     would lie in the past.
//  6. The stamp is read after the unlink. Suppose it were read before, or several
//     callbacks shared the stamp of the first: a reader that pins in between could
//     hold an object that waits for the wrong epoch.
//
// Liveness. Until it is unpinned, a pin lets the epoch move by at most one. A stream of
// new readers holds up nothing: a new pin goes into the counter of the present epoch,
// which the next advance does not check. Only a pin that is under way when the epoch
// moves can still add to the old counter, once for each goroutine and epoch. So each
// advance waits for a fixed set of pins that only shrinks.

// halfway separates the signs of a difference of two epochs: a difference below it is
// not negative, across the wrap of 64 bits too.
const halfway = 1 << 63

// grace is the number of advances after which every pin of the stamp's epoch has ended.
// One advance may overlook a pin that was under way; the second cannot (case 1 above).
const grace = 2

// Synchronize returns after a grace period, that is, when every pin that was held at
// the call has been unpinned. Later pins do not delay it, so readers that keep coming
// cannot starve it.
//
// If nothing is pinned it does not wait, and takes well below a microsecond. A longer
// wait parks the goroutine. If ctx ends first, Synchronize returns ctx's error and
// guarantees no grace period. An ended ctx does not matter if there is nothing to wait
// for.
//
// If its own goroutine holds a guard of the domain, Synchronize waits until ctx ends,
// or for ever.
func (d *Domain) Synchronize(ctx context.Context) error {
	st := d.ready()
	if st.await(ctx.Done(), st.epoch.Load()+grace) {
		return nil
	}
	return ctx.Err()
}

// A Cookie marks an instant of a Domain, for a caller that polls for the end of a grace
// period instead of waiting for it. It may be copied and shared. The zero Cookie is
// done.
type Cookie struct {
	state *state
	due   uint64 // the grace period is over in this epoch
}

// Cookie returns a mark of the present instant. It never blocks.
func (d *Domain) Cookie() Cookie {
	st := d.ready()
	return Cookie{st, st.epoch.Load() + grace}
}

// Done reports whether every pin that was held when the Cookie was taken has been
// unpinned. It never blocks. If the answer would be no, it first tries to advance the
// domain by one step, so polling alone comes to an end and needs no goroutine.
//
// Done never reports true before the grace period is over. It may report false when the
// grace period is over, in up to two more calls after the last of those pins has ended.
func (c Cookie) Done() bool {
	return c.state == nil || c.state.epoch.Load()-c.due < halfway || c.doneSlow()
}

// doneSlow tries one step. It is outlined so that Done is inlined: most calls of Done
// ask about a grace period that ended long ago.
//
//go:noinline
func (c Cookie) doneSlow() bool {
	c.state.advance()
	return c.state.reached(c.due)
}
