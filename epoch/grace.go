package epoch

import "context"

// halfway: a difference of epochs below it is not negative, across the wrap of 64
// bits too.
const halfway = 1 << 63

// grace is how many epochs later everything that was pinned in one has ended: one
// advance may overlook a pin that was under way, the second cannot. doc.go, “Grace
// period”, says why one is not enough.
const grace = 2

// Synchronize returns after a grace period: when every pin that was held at the
// call has been unpinned. Pins taken later do not delay it, so readers that keep
// coming cannot starve it.
//
// If nothing is pinned it does not wait and takes well below a microsecond. A wait
// that lasts parks the goroutine. If ctx ends first, Synchronize returns ctx's
// error and no grace period is guaranteed; an ended ctx does not matter if there is
// nothing to wait for.
//
// Synchronize waits for ever, or for ctx, if its own goroutine holds a guard of the
// domain.
func (d *Domain) Synchronize(ctx context.Context) error {
	st := d.ready()
	if st.await(ctx.Done(), st.epoch.Load()+grace) {
		return nil
	}
	return ctx.Err()
}

// A Cookie marks an instant of a Domain for somebody who polls for the end of a
// grace period instead of waiting for it. It may be copied and shared; the zero
// Cookie is done.
type Cookie struct {
	state *state
	due   uint64 // the epoch in which the grace period is over
}

// Cookie returns a mark of this instant. It never blocks.
func (d *Domain) Cookie() Cookie {
	st := d.ready()
	return Cookie{st, st.epoch.Load() + grace}
}

// Done reports whether every pin that was held when the Cookie was taken has been
// unpinned. It never blocks; if the answer would be no, it tries to move the
// domain one step on, so polling alone comes to an end and needs no goroutine.
//
// Done does not report true before the grace period is over. It may report false
// when it is over, for two more calls after the last of those pins has ended. A
// Done that reports false synchronizes nothing.
func (c Cookie) Done() bool {
	return c.state == nil || c.state.epoch.Load()-c.due < halfway || c.doneSlow()
}

// doneSlow tries one step. It is outlined so that Done, which is mostly asked about
// grace periods long over, is inlined.
//
//go:noinline
func (c Cookie) doneSlow() bool {
	c.state.advance()
	return c.state.reached(c.due)
}
