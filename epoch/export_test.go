package epoch

import (
	"context"
	"reflect"

	"github.com/spanlock/spanlock/internal/seam"
)

// Debug says whether guards remember where they were pinned.
const Debug = debug

// BagSize is the number of callbacks that share a piece of the backlog.
var BagSize = bagLimit()

// NewAt returns a domain with the given number of slots, whose epoch starts at first.
func NewAt(first uint64, slots int, limit int64) *Domain {
	d := &Domain{MaxPending: limit}
	d.state.Store(newState(slots, limit, first))
	return d
}

// Advance tries to advance the epoch once and reports whether it moved.
func (d *Domain) Advance() bool {
	blocker, _ := d.ready().advance()
	return blocker == nil
}

// Slots returns the number of slots.
func (d *Domain) Slots() int { return len(d.ready().slots) }

// SlotCount returns the number of slots that a domain has on the given number of
// processors.
func SlotCount(processors int) int { return slotCount(processors) }

// PinSlot pins in slot i, as Pin does when the epoch does not move meanwhile.
func (d *Domain) PinSlot(i int) Guard {
	st := d.ready()
	e := st.epoch.Load()
	s := &st.slots[i]
	s.active[e&1].Add(1)
	return Guard{mark: st.pins.add(), slot: s, held: uint32(e&1) + 1}
}

// PinLate pins in slot i like a Pin that read epoch e long ago and has announced itself
// just now. finish is the rest of that Pin.
func (d *Domain) PinLate(i int, e uint64) (finish func() Guard) {
	st := d.ready()
	s := &st.slots[i]
	s.active[e&1].Add(1)
	return func() Guard { return Guard{mark: st.pins.add(), slot: s, held: st.settle(s, e)} }
}

// AdvanceHalf does the first half of an advance, the look at the slots. It returns nil if a
// pin blocks, and otherwise the second half.
func (d *Domain) AdvanceHalf() (step func()) {
	st := d.ready()
	e := st.epoch.Load()
	if st.scan(e) != nil {
		return nil
	}
	return func() { st.step(e) }
}

// Vanish takes the pin back, like an Unpin that has not looked at the result of its
// subtraction yet.
func (g *Guard) Vanish() {
	g.unpinMark()
	g.slot.active[g.held-1].Add(minusOne)
	*g = Guard{}
}

// Counters returns the two counters of slot i.
func (d *Domain) Counters(i int) (even, odd uint32) {
	s := &d.ready().slots[i]
	return s.active[0].Load(), s.active[1].Load()
}

// Waiting returns whether there is a driver, whether it sleeps, and how many goroutines are
// in line.
func (d *Domain) Waiting() (driven, asleep bool, line int) {
	w := &d.ready().waits
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.driven, w.sleeper.Load() != nil, len(w.line)
}

// SleepOn is the driver's sleep in slot i for epoch e, which may have passed. It reports false
// if done ended the sleep.
func (d *Domain) SleepOn(i int, e uint64, done <-chan struct{}) bool {
	st := d.ready()
	return st.sleep(&st.slots[i].active[(e+1)&1], e, seam.NewParker(), done)
}

// FreeBags returns the length of the list of empty bags, and its bound.
func (d *Domain) FreeBags() (n, bound int) {
	st := d.ready()
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.backlog.freeCount, maxFree
}

// SlotSize is the distance between two slots.
var SlotSize = reflect.TypeFor[slot]().Size()

// WaitBit is the bit in a counter on which the driver sleeps.
const WaitBit = waitBit

// Drive makes the caller the driver, calls f in the window before the driver begins, and
// then drives to target, as Synchronize would.
func (d *Domain) Drive(target uint64, f func()) bool {
	st := d.ready()
	st.waits.mu.Lock()
	if st.waits.driven {
		panic("there is a driver")
	}
	st.waits.driven = true
	st.waits.mu.Unlock()
	f()
	return st.drive(nil, target)
}

// AwaitSlow waits for target, as Synchronize would if it had seen that it must.
func (d *Domain) AwaitSlow(done <-chan struct{}, target uint64) bool {
	return d.ready().awaitSlow(done, target)
}

// Bequeath makes the caller the driver and hands over to the first in line. It calls f just
// before, with the line locked, so that a goroutine that leaves the line then comes too
// late.
func (d *Domain) Bequeath(join, f func()) {
	st := d.ready()
	w := &st.waits
	w.mu.Lock()
	if w.driven {
		panic("there is a driver")
	}
	w.driven = true
	w.mu.Unlock()
	join()
	w.mu.Lock()
	f()
	heir := st.leaveLocked()
	w.mu.Unlock()
	heir.parker.Wake()
}

// AwaitRun waits as a Barrier would that was called when target callbacks had been retired.
func (d *Domain) AwaitRun(ctx context.Context, target uint64) error {
	return d.ready().awaitRun(ctx, target)
}

// Barriers returns the number of goroutines that wait in Barrier.
func (d *Domain) Barriers() int {
	b := &d.ready().barrier
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.line)
}

// LockBarriers locks the line of the goroutines that wait in Barrier.
func (d *Domain) LockBarriers() (unlock func()) {
	b := &d.ready().barrier
	b.mu.Lock()
	return b.mu.Unlock
}
