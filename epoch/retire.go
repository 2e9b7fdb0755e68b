package epoch

import (
	"context"
	"errors"
	"fmt"

	"github.com/spanlock/spanlock/internal/seam"
)

// ErrCost is the error of RetireContext for a cost that no waiting helps: negative,
// or above MaxPending. It comes wrapped with the values.
var ErrCost = errors.New("epoch: impossible cost")

// Retire has f called once, on a goroutine of the domain, after every pin that is
// held now has been unpinned. Whatever f reclaims must have been unlinked before the call,
// so that no later pin can find it.
//
// Retire never waits and counts as cost 0 in MaxPending. It may be called with the
// domain pinned, and by callbacks.
//
// f will not run before the grace period is over. It may run late, or never, if a
// pin is not unpinned or an earlier callback does not return: callbacks run one
// after the other in the order of the calls of Retire. A callback may do all that
// others may, except wait for itself: no Barrier and no RetireContext that must wait for
// room. A panic in it is not recovered. f is dropped once it has run.
func (d *Domain) Retire(f func()) {
	if f == nil {
		panic("epoch: Retire of a nil func")
	}
	d.ready().retire(f, 0)
}

// RetireContext is Retire for a callback that weighs cost in MaxPending. If there
// is no room it waits until earlier callbacks have run, those that wait longest
// first. With MaxPending 0 it never waits.
//
// If ctx ends first it returns ctx's error and f is not retired; an ended ctx does
// not matter if there is room at once. A cost below 0 or above MaxPending is ErrCost
// without a wait, and f is not retired.
//
// The cost is given back after f has returned.
func (d *Domain) RetireContext(ctx context.Context, cost int64, f func()) error {
	if f == nil {
		panic("epoch: RetireContext of a nil func")
	}
	st := d.ready()
	if cost < 0 {
		return fmt.Errorf("%w: %d is negative", ErrCost, cost)
	}
	if st.room != nil && cost > 0 {
		if cost > st.limit {
			return fmt.Errorf("%w: %d is above MaxPending %d", ErrCost, cost, st.limit)
		}
		if !st.room.TryAcquire(cost) {
			if err := st.room.Acquire(ctx, cost); err != nil {
				return err
			}
		}
	}
	st.retire(f, cost)
	return nil
}

// retire queues f and sees to it that somebody will run it.
func (st *state) retire(f func(), cost int64) {
	st.mu.Lock()
	// The stamp is read here, after whatever the caller did to unlink. Reading it
	// on the caller's behalf any earlier would let a reader who pins in between, in
	// a later epoch, still find the object.
	stamp := st.epoch.Load()
	b := st.backlog.room()
	if b == nil {
		b = st.backlog.grow(st.clock())
	}
	b.entries[b.n] = entry{f, stamp, cost}
	b.n++
	st.retired++
	st.cost += cost
	if st.retired-st.ranSeen > st.peak {
		st.notePeakLocked()
	}
	start := !st.running
	st.running = true
	st.mu.Unlock()
	if start {
		seam.Go(st.runFn)
	}
}

// notePeakLocked corrects peak. state.ran lies in a cache line that the callback
// goroutine writes all the time, so retire reads it only if the peak may have
// grown.
//
// Preconditions: state.mu is held.
func (st *state) notePeakLocked() {
	st.ranSeen = st.batch.ran.Load()
	st.peak = max(st.peak, st.retired-st.ranSeen)
}
