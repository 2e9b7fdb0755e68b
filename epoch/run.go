package epoch

import (
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// batch is what the callback goroutine has taken out of the backlog. At most one such
// goroutine exists, and it alone writes this and reads the fields that are not atomic.
// The batch is not on that goroutine's stack because a callback may end the goroutine
// (by runtime.Goexit, as testing.T.FailNow does): the next one goes on from here.
type batch struct {
	bag     *bag
	at      int   // next entry of bag
	calling bool  // an entry was taken out and its callback has not returned
	cost    int64 // its cost

	ran     seam.Uint64 // callbacks that have finished
	ranCost seam.Int64  // their summed cost
	since   seam.Int64  // bag.since
	held    seam.Bool   // bag is not nil
}

// run is the callback goroutine. It starts with the first callback in an empty
// backlog and exits when the backlog is empty again.
func (st *state) run() {
	unfinished := true
	defer func() {
		// A callback ended this goroutine by Goexit, or by a panic that is about to end
		// the program. recover would tell them apart, and would change the panic.
		if unfinished {
			seam.Go(st.runFn)
		}
	}()
	if debug {
		st.pins.enterCallbacks()
	}
	if st.batch.calling {
		st.finish()
	}
	for {
		for st.batch.bag != nil {
			st.runBag()
		}
		if !st.takeBatch() {
			unfinished = false
			return
		}
	}
}

// takeBatch moves the whole backlog into the batch. If there is none, it reports false,
// and the caller is no longer the callback goroutine.
func (st *state) takeBatch() bool {
	b := &st.batch
	st.mu.Lock()
	defer st.mu.Unlock()
	st.ranSeen = b.ran.Load()
	b.bag, b.at = st.backlog.take(), 0
	st.running = b.bag != nil
	if st.running {
		b.since.Store(b.bag.since)
	}
	b.held.Store(st.running)
	return st.running
}

// runBag runs the callbacks that are left in the batch's first bag, each after its
// grace period, and gives the bag back.
func (st *state) runBag() {
	b := &st.batch
	b.since.Store(b.bag.since)
	for b.at < b.bag.n {
		e := &b.bag.entries[b.at]
		if !st.reached(e.stamp + grace) {
			st.await(nil, e.stamp+grace)
		}
		invariants.Check(st.reached(e.stamp+grace), "callback of stamp %d before its grace period", e.stamp)
		f := e.f
		b.cost, b.calling = e.cost, true
		*e = entry{} // so that the collector can have f once it has run
		b.at++
		f()
		st.finish()
	}
	done := b.bag
	b.bag, b.at = done.next, 0
	st.mu.Lock()
	st.backlog.give(done)
	st.mu.Unlock()
}

// finish records that a callback has returned.
func (st *state) finish() {
	b := &st.batch
	if b.cost != 0 {
		b.ranCost.Add(b.cost)
		if st.room != nil {
			st.room.Release(b.cost)
		}
	}
	b.calling = false
	// All that the callback did is before this store, which pairs with the load in
	// Barrier. Barrier puts its target into next and then reads ran: either it sees
	// this callback or we see the target.
	b.ran.Store(b.ran.Load() + 1)
	if next := st.barrier.next.Load(); next != 0 && st.hasRun(next) {
		st.wakeBarriers()
	}
}
