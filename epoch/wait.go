package epoch

import (
	"slices"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// waits holds the goroutines that wait for the epoch. One of them, the driver, advances
// it; the others sleep in line. A driver that stops, because its epoch has come or its
// context has ended, makes the first goroutine in line that must still wait the next
// driver. A goroutine that is cancelled just when it is made the driver passes the duty
// on.
type waits struct {
	// mu protects driven, line, stallSince, and writes of stallEpoch.
	mu         seam.Mutex
	driven     bool      // there is a driver
	line       []*waiter // the other goroutines, in order of arrival
	stallSince int64     // clock when stallEpoch was first found blocked

	// stallEpoch is the last epoch that an advance found blocked. advance reads it
	// without mu.
	stallEpoch seam.Uint64

	// sleeper is the driver's parker, from before the driver sets waitBit in a counter
	// until after it has cleared the bit. Only the driver writes it. Every goroutine
	// that advances reads it, and so does the Unpin that leaves waitBit.
	sleeper seam.Pointer[seam.Parker]
}

// A waiter is a goroutine in line.
type waiter struct {
	target uint64 // the epoch that it waits for
	parker *seam.Parker
	drive  bool // it left the line as the new driver; written under waits.mu before the wake-up
}

// await returns true once the epoch has reached target, and false if done was closed
// before that. If it needs no sleep, it does not look at done.
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
		// Cancelled, but already out of line. The duty to drive must not be lost with
		// the wait: if it was given to us, we pass it on.
		if me.drive {
			st.leave()
		}
		return st.reached(target)
	}
	if me.drive {
		return st.drive(done, target)
	}
	return true // out of line without the duty: the epoch has reached target
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

// sleep parks the driver until the counter c, which blocks the advance from epoch e,
// holds no pin any more, or until the epoch is no longer e. It reports false if done
// was closed before that. It may return early. The steps are:
//
//  1. Publish the parker.
//  2. Add the wait bit to the counter.
//  3. Look again: do not sleep if the counter holds no pin any more, nor if the
//     epoch is no longer e.
//  4. Park.
//  5. When awake, take back the wait bit, then the parker.
//
// The Unpin whose subtraction leaves exactly the wait bit wakes the driver; any other
// Unpin pays one subtraction. An advance wakes the driver too. A pin that ended before
// step 2 is seen in step 3. A pin that ends after step 2 finds the bit and, because of
// step 1, the parker.
//
// The look at the epoch, and the wake-up by an advance, are for this case. The counter
// is empty for a moment. Another goroutine (a Cookie.Done) sees that and advances. New
// pins of the new epoch, which has the same parity, fill the counter again. They hold
// up nothing, but overlapping readers could keep the counter above zero for ever, and
// the driver would sleep on a counter that no longer matters.
//
// A wake-up too many only makes the driver look again.
func (st *state) sleep(c *seam.Uint32, e uint64, p *seam.Parker, done <-chan struct{}) bool {
	w := &st.waits
	w.sleeper.Store(p) // before waitBit: the Unpin that leaves waitBit must find it
	invariants.Yield()
	n := c.Add(waitBit)
	invariants.Check(n&waitBit != 0, "two drivers sleep on one counter: %#x", n)
	// Step 3: look again, at the counter and at the epoch.
	awake := n == waitBit || st.epoch.Load() != e || p.Park(done)
	c.Add(waitBit) // only the driver touches the bit, so adding it again clears it
	w.sleeper.Store(nil)
	return awake
}

// wakeReached wakes the goroutines in line whose epoch has come.
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

// leave ends the caller's time as the driver. The first goroutine in line that must
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

// leaveLocked is leave for a caller that holds waits.mu, except that it does not wake
// the heir. It takes the heir out of line under mu, so that a cancellation at the same
// time sees that and passes the duty on.
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
