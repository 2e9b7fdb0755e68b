package epoch

import (
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// advance moves the epoch from e to e+1 if no slot holds a pin of epoch e-1, that is,
// of parity (e+1)&1. It never blocks and looks at every slot once.
//
// It returns nil if the epoch has moved on from e, by this call or by another.
// Otherwise it returns the counter that blocks, and e.
//
// Allowed error: it may report blocked when nothing blocks, because it saw a late pin
// of that parity, which will find that the epoch has moved and count itself twice.
// Forbidden error: it never advances over a pin of epoch e-1.
func (st *state) advance() (blocker *seam.Uint32, e uint64) {
	e = st.epoch.Load()
	if blocker = st.scan(e); blocker != nil {
		if st.waits.stallEpoch.Load() != e {
			st.noteStall(e)
		}
		return blocker, e
	}
	invariants.Yield()
	st.step(e)
	return nil, e
}

// scan returns a counter that holds a pin of epoch e-1, or nil if there is none.
func (st *state) scan(e uint64) *seam.Uint32 {
	old := (e + 1) & 1
	for i := range st.slots {
		// Pairs with the additions in Pin and Unpin: a zero promises that every reader
		// that was pinned there has finished with what it looked at.
		if c := &st.slots[i].active[old]; c.Load()&^waitBit != 0 {
			return c
		}
	}
	return nil
}

// step moves the epoch from e to e+1 if no other goroutine has done so.
//
// It is a compare-and-swap because the scan may be old. An advancer that slept after
// its scan, while others advanced, must not move the epoch back; a store would.
func (st *state) step(e uint64) {
	if st.epoch.CompareAndSwap(e, e+1) {
		// Pairs with sleep, which publishes its parker and then reads the epoch: either
		// it sees e+1 or we see the parker.
		st.wakeSleeper()
	}
}

// wakeSleeper wakes the driver if it sleeps. A wake-up too many only makes the driver
// look again.
func (st *state) wakeSleeper() {
	if p := st.waits.sleeper.Load(); p != nil {
		p.Wake()
	}
}

// noteStall records the time at which the epoch was first unable to leave e. advance
// calls it at the first failure in epoch e, and again if that call found mu taken:
// advance must not block, so it would rather record the time late.
func (st *state) noteStall(e uint64) {
	w := &st.waits
	if !w.mu.TryLock() {
		return
	}
	if w.stallEpoch.Load() != e {
		w.stallSince = st.clock()
		w.stallEpoch.Store(e)
	}
	w.mu.Unlock()
}

// stalledSince reports whether a pin keeps the epoch at e, the present epoch, and returns
// the clock when that began.
func (st *state) stalledSince(e uint64) (since int64, stalled bool) {
	w := &st.waits
	w.mu.Lock()
	since, stalled = w.stallSince, w.stallEpoch.Load() == e
	w.mu.Unlock()
	if !stalled {
		return 0, false
	}
	return since, st.scan(e) != nil
}
