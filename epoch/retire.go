package epoch

import (
	"context"
	"errors"
	"fmt"

	"github.com/spanlock/spanlock/internal/seam"
)

// ErrCost is the error of RetireContext for a cost that can never be admitted:
// negative, or above MaxPending. RetireContext wraps it with the values.
var ErrCost = errors.New("epoch: impossible cost")

// Retire calls f once, on a goroutine of the domain, after every pin that is held now
// has been unpinned. The caller must have unlinked what f reclaims before the call, so
// that no later pin can find it.
//
// Retire never waits, and counts 0 towards MaxPending. It may be called while the domain
// is pinned, and by callbacks.
//
// f will not run before the grace period is over. It may run late, or never, if a pin
// is not unpinned or an earlier callback does not return. Callbacks run one after the
// other, in the order of the calls of Retire. A callback may do what any other code
// may, except wait for itself: it must not call Barrier, nor a RetireContext that must
// wait for room. A panic in f is not recovered. f is dropped once it has run.
func (d *Domain) Retire(f func()) {
	if f == nil {
		panic("epoch: Retire of a nil func")
	}
	d.ready().retire(f, 0)
}

// RetireContext is Retire for a callback that counts cost towards MaxPending. If there is
// no room, it waits until earlier callbacks have run. Callers that wait are served in
// the order in which they came. With MaxPending 0 it never waits.
//
// If ctx ends first, RetireContext returns ctx's error and does not retire f. An ended
// ctx does not matter if there is room at once. For a cost below 0 or above MaxPending
// it returns ErrCost without waiting, and does not retire f.
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

// retire queues f and ensures that a goroutine will run it.
func (st *state) retire(f func(), cost int64) {
	st.mu.Lock()
	// Read the stamp here, after the caller has unlinked the object. If it were read
	// any earlier, a reader that pins in between, in a later epoch, could still find
	// the object.
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

// notePeakLocked corrects peak. The callback goroutine writes the cache line of
// batch.ran all the time, so retire calls this only if the peak may have grown.
//
// Preconditions: state.mu is held.
func (st *state) notePeakLocked() {
	st.ranSeen = st.batch.ran.Load()
	st.peak = max(st.peak, st.retired-st.ranSeen)
}
