package epoch

import (
	"slices"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// waits holds the goroutines that wait for the epoch. One of them, the driver,
// advances it; the others sleep in line. Whoever stops driving, for whatever reason, makes
// the first of those that must still wait the next driver.
type waits struct {
	// mu protects driven, line, stallSince, and writes of stallEpoch.
	mu         seam.Mutex
	driven     bool      // there is a driver
	line       []*waiter // those that are not it, in order of arrival
	stallSince int64     // clock when stallEpoch was first found blocked

	// stallEpoch is the last epoch that an advance found blocked. Read by advance
	// without mu.
	stallEpoch seam.Uint64

	// sleeper is the driver's parker, from before it sets waitBit in a counter until
	// after it has cleared it. Written by the driver alone, read by whoever advances
	// and by the Unpin that leaves waitBit.
	sleeper seam.Pointer[seam.Parker]
}

// A waiter is a goroutine in line.
type waiter struct {
	target uint64 // the epoch that it waits for
	parker *seam.Parker
	drive  bool // it left the line as the new driver; written under waits.mu before the wake-up
}

// await returns true once the epoch has reached target, and false if done was
// closed before that. If it needs no sleep it does not look at done.
func (st *state) await(done <-chan struct{}, target uint64) bool {
	for range spins {
		if st.reached(target) {
			return true
		}
		st.advance()
	}
	return st.awaitSlow(done, target)
}

// awaitSlow drives, or waits in line.
func (st *state) awaitSlow(done <-chan struct{}, target uint64) bool {
	w := &st.waits
	w.mu.Lock()
	if !w.driven {
		w.driven = true
		w.mu.Unlock()
		return st.drive(done, target)
	}
	if st.reached(target) {
		// The driver has seen this epoch and may not look at the line again
		// before the next.
		w.mu.Unlock()
		return true
	}
	me := &waiter{target: target, parker: seam.NewParker()}
	w.line = append(w.line, me)
	w.mu.Unlock()

	if !me.parker.Park(done) {
		w.mu.Lock()
		if i := slices.Index(w.line, me); i >= 0 {
			w.line = slices.Delete(w.line, i, i+1)
			w.mu.Unlock()
			return st.reached(target)
		}
		w.mu.Unlock()
		// Cancelled, but out of line before that. The duty to drive must not
		// be lost with the wait: if it was given to us we pass it on.
		if me.drive {
			st.leave()
		}
		return st.reached(target)
	}
	if me.drive {
		return st.drive(done, target)
	}
	return true // out of line without the duty: target was reached
}

// drive advances the epoch until it reaches target or done is closed, then leaves.
//
// Preconditions: the caller has made itself the driver.
func (st *state) drive(done <-chan struct{}, target uint64) bool {
	var p *seam.Parker
	from := st.epoch.Load() - 1 // another epoch, so that the first round looks at the line
	round, awake := 0, true
	for awake && !st.reached(target) {
		blocker, e := st.advance()
		switch {
		case blocker == nil || e != from:
			from, round = st.epoch.Load(), 0
			st.wakeReached()
		case round < yields:
			round++
			seam.Gosched()
		default:
			if p == nil {
				p = seam.NewParker()
			}
			awake = st.sleep(blocker, e, p, done)
		}
	}
	st.leave()
	return st.reached(target)
}

// sleep parks the driver until the counter c, which blocks the advance from epoch
// e, holds no pin any more, or the epoch is another; it reports false if done was
// closed before that. It may return early.
func (st *state) sleep(c *seam.Uint32, e uint64, p *seam.Parker, done <-chan struct{}) bool {
	w := &st.waits
	w.sleeper.Store(p) // before waitBit: who leaves waitBit must find it
	invariants.Yield()
	n := c.Add(waitBit)
	invariants.Check(n&waitBit != 0, "two drivers sleep on one counter: %#x", n)
	// Look again, twice; doc.go, “Sleep”, says what goes wrong without the second.
	awake := n == waitBit || st.epoch.Load() != e || p.Park(done)
	c.Add(waitBit) // only the driver touches the bit, so adding it again clears it
	w.sleeper.Store(nil)
	return awake
}

// wakeReached lets those in line go whose epoch has come.
func (st *state) wakeReached() {
	w := &st.waits
	w.mu.Lock()
	st.wakeReachedLocked()
	w.mu.Unlock()
}

// wakeReachedLocked is wakeReached for a caller that holds waits.mu.
func (st *state) wakeReachedLocked() {
	w := &st.waits
	w.line = slices.DeleteFunc(w.line, func(o *waiter) bool {
		if !st.reached(o.target) {
			return false
		}
		o.parker.Wake()
		return true
	})
}

// leave ends the caller's turn as the driver. The first of those in line that must
// still wait takes over.
func (st *state) leave() {
	w := &st.waits
	w.mu.Lock()
	heir := st.leaveLocked()
	w.mu.Unlock()
	if heir != nil {
		heir.parker.Wake()
	}
}

// leaveLocked is leave for a caller that holds waits.mu, but for waking the heir. It takes
// the heir out of line here, under mu, so that a cancellation that comes at the same time
// finds out and passes the duty on.
func (st *state) leaveLocked() (heir *waiter) {
	w := &st.waits
	st.wakeReachedLocked()
	if len(w.line) == 0 {
		w.driven = false
		return nil
	}
	heir = w.line[0]
	w.line = slices.Delete(w.line, 0, 1)
	heir.drive = true
	return heir
}
