package epoch

import (
	"fmt"
	"math/bits"
	"runtime"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/pad"
	"github.com/spanlock/spanlock/internal/seam"
)

// A Domain is a set of readers that pin it and of writers that retire into it. A pin
// delays the grace periods of its own domain only.
//
// Any number of goroutines may use a Domain at the same time.
//
// The zero value is ready to use. It makes its slots, about a kilobyte for each
// processor, at its first use.
//
// A Domain must not be copied after first use.
//
// A goroutine must not call Synchronize while it holds a Guard of the same domain, and
// a callback must not call Barrier: each would wait for itself.
//
// In the terminology of the Go memory model, the Unpin of every guard that was pinned
// before a call of Retire, RetireContext, Synchronize or Cookie “synchronizes before”
// the run of the retired callback, the return of Synchronize with a nil error, or the
// Done of that Cookie that reports true. A call of Retire or RetireContext
// “synchronizes before” the run of its callback, and the return of each callback
// “synchronizes before” the run of the next. An error, or a Done that reports false,
// synchronizes nothing; neither do two pins.
type Domain struct {
	_ noCopy

	// MaxPending bounds the total cost, in the caller's units, of the callbacks that
	// RetireContext has retired and that have not finished. 0 means no bound. It is
	// read once, at first use; a negative value panics there.
	MaxPending int64

	// state is written once, by compare-and-swap, at first use.
	state seam.Pointer[state]
}

// state is what a Domain makes at first use. The callback goroutine and every guard
// hold the state and not the Domain. So neither of them keeps the Domain, or the
// structure around it, from the collector.
type state struct {
	// Never written after first use; every Pin reads them.
	slots []slot
	mask  uint32
	limit int64          // MaxPending
	room  *seam.Weighted // nil if limit is 0
	runFn func()         // run, made once so that starting it allocates nothing
	base  time.Time      // what clock counts from

	_ pad.Line

	// epoch is written by advance alone, by compare-and-swap. Every goroutine reads it.
	epoch seam.Uint64

	_ pad.Line

	// mu protects the fields up to the next line of padding.
	mu      seam.Mutex
	backlog backlog
	running bool   // the callback goroutine exists
	retired uint64 // callbacks retired so far
	cost    int64  // their summed cost
	ranSeen uint64 // a value that batch.ran has had
	peak    uint64 // largest number of callbacks pending at one time

	_ pad.Line

	waits   waits
	batch   batch
	barrier barriers
	pins    pinRegister // empty except in debug builds
}

// The number of slots is a multiple of the processors, so that two goroutines seldom
// share one, and small enough that a scan stays cheap.
const (
	slotsPerProcessor = 8
	maxSlots          = 256
)

// slotCount is a power of two, at least four times GOMAXPROCS until that passes
// maxSlots. A later change of GOMAXPROCS changes speed, never correctness.
func slotCount(processors int) int {
	if invariants.Enabled {
		return 2 // collisions are the rule here
	}
	n := min(processors*slotsPerProcessor, maxSlots)
	return 1 << bits.Len(uint(n-1))
}

// ready returns the state. It makes the state at first use.
func (d *Domain) ready() *state {
	if st := d.state.Load(); st != nil {
		return st
	}
	return d.firstUse()
}

// firstUse is the part of ready that is not worth inlining. Two goroutines may get here
// together; the loser's state is garbage that was never published.
func (d *Domain) firstUse() *state {
	if d.MaxPending < 0 {
		panic(fmt.Sprintf("epoch: MaxPending is %d; it must not be negative", d.MaxPending))
	}
	d.state.CompareAndSwap(nil, newState(slotCount(runtime.GOMAXPROCS(0)), d.MaxPending, 0))
	return d.state.Load()
}

// newState returns a state whose epoch starts at first. The number of slots must be a
// power of two.
func newState(slots int, limit int64, first uint64) *state {
	st := &state{
		slots: make([]slot, slots),
		mask:  uint32(slots - 1),
		limit: limit,
		base:  time.Now(),
	}
	for i := range st.slots {
		st.slots[i].owner = st
	}
	if limit > 0 {
		st.room = seam.NewWeighted(limit)
	}
	st.runFn = st.run
	st.epoch.Store(first)
	st.waits.stallEpoch.Store(first - 1)
	return st
}

// clock returns the nanoseconds since first use. It takes about 50 ns, so it is not
// read for every callback.
func (st *state) clock() int64 { return int64(time.Since(st.base)) }

// reached reports whether the epoch has come to target.
func (st *state) reached(target uint64) bool {
	return st.epoch.Load()-target < halfway
}

// noCopy makes go vet report a copy of any value that contains it.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}
