package epoch

import (
	"context"
	"slices"

	"github.com/spanlock/spanlock/internal/seam"
)

// barriers holds the goroutines in Barrier.
type barriers struct {
	// mu protects line and writes of next.
	mu   seam.Mutex
	line []*barrierWaiter

	// next is the smallest target in line, or 0 if the line is empty. The callback
	// goroutine reads it without mu. The length of the line would be enough to find
	// every waiter, but then every callback before a target would take mu for nothing.
	next seam.Uint64
}

// A barrierWaiter waits until target callbacks have finished. Its target is never 0.
type barrierWaiter struct {
	target uint64
	parker *seam.Parker
}

// Barrier returns when every callback that was retired before the call has returned. If
// there is none, it does not wait, even if ctx has ended. If ctx ends first, it returns
// ctx's error.
//
// A callback must not call Barrier: it would wait for itself. Under -tags
// spanlockdebug that panics.
//
// In the terminology of the Go memory model, the return of each of those callbacks
// “synchronizes before” the return of Barrier with a nil error.
func (d *Domain) Barrier(ctx context.Context) error {
	st := d.state.Load()
	if st == nil {
		return nil
	}
	st.mu.Lock()
	target := st.retired
	st.mu.Unlock()
	if st.hasRun(target) {
		return nil
	}
	if debug {
		st.pins.checkBarrier()
	}
	return st.awaitRun(ctx, target)
}

// awaitRun waits in line until target callbacks have finished; target is not 0.
func (st *state) awaitRun(ctx context.Context, target uint64) error {
	me := &barrierWaiter{target, seam.NewParker()}
	b := &st.barrier
	b.mu.Lock()
	b.line = append(b.line, me)
	b.noteNextLocked()
	b.mu.Unlock()
	// Look again: finish may have read next before we were counted in it.
	if st.hasRun(target) || !me.parker.Park(ctx.Done()) {
		b.mu.Lock()
		if i := slices.Index(b.line, me); i >= 0 {
			b.line = slices.Delete(b.line, i, i+1)
			b.noteNextLocked()
		}
		b.mu.Unlock()
		if !st.hasRun(target) {
			return ctx.Err()
		}
	}
	return nil
}

// hasRun reports whether target callbacks have finished.
func (st *state) hasRun(target uint64) bool {
	return int64(st.batch.ran.Load()-target) >= 0
}

// wakeBarriers wakes the waiters whose callbacks have finished.
func (st *state) wakeBarriers() {
	b := &st.barrier
	b.mu.Lock()
	b.line = slices.DeleteFunc(b.line, func(w *barrierWaiter) bool {
		if !st.hasRun(w.target) {
			return false
		}
		w.parker.Wake()
		return true
	})
	b.noteNextLocked()
	b.mu.Unlock()
}

// noteNextLocked corrects next. Targets are not in the order of the line: the caller
// that read its target first may be second in line.
//
// Preconditions: barriers.mu is held.
func (b *barriers) noteNextLocked() {
	var next uint64
	for i, w := range b.line {
		if i == 0 || int64(w.target-next) < 0 {
			next = w.target
		}
	}
	b.next.Store(next)
}
