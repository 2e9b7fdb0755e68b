package epoch

import (
	"context"
	"reflect"

	"github.com/spanlock/spanlock/internal/seam"
)

// Debug says whether guards remember where they were pinned.
const Debug = debug

// BagSize is how many callbacks share a piece of the backlog.
var BagSize = bagLimit()

// NewAt returns a domain with that many slots whose epoch starts at first.
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

// SlotCount is how many slots a domain has on that many processors.
func SlotCount(processors int) int { return slotCount(processors) }

// PinSlot pins as Pin does, in slot i, where no epoch moves meanwhile.
func (d *Domain) PinSlot(i int) Guard {
	st := d.ready()
	e := st.epoch.Load()
	s := &st.slots[i]
	s.active[e&1].Add(1)
	return Guard{mark: st.pins.add(), slot: s, held: uint32(e&1) + 1}
}

// PinLate pins in slot i like a Pin that read epoch e long ago and has announced
// itself just now; finish is the rest of that Pin.
func (d *Domain) PinLate(i int, e uint64) (finish func() Guard) {
	st := d.ready()
	s := &st.slots[i]
	s.active[e&1].Add(1)
	return func() Guard { return Guard{mark: st.pins.add(), slot: s, held: st.settle(s, e)} }
}

// AdvanceHalf does the first half of an advance, the look at the slots. It returns
// nil if a pin blocks, otherwise the second half.
func (d *Domain) AdvanceHalf() (step func()) {
	st := d.ready()
	e := st.epoch.Load()
	if st.scan(e) != nil {
		return nil
	}
	return func() { st.step(e) }
}

// Vanish takes the pin back without looking at the result, as an Unpin does that
// has not come to that yet.
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

// Waiting returns whether somebody drives, whether it sleeps, and how many stand in
// line.
func (d *Domain) Waiting() (driven, asleep bool, line int) {
	w := &d.ready().waits
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.driven, w.sleeper.Load() != nil, len(w.line)
}

// SleepOn is the driver's sleep in slot i for an epoch that may have passed. It
// reports whether it returned without a wake-up or the end of done.
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

// SlotSize is the distance of two slots.
var SlotSize = reflect.TypeFor[slot]().Size()

// WaitBit is the bit in a counter on which the driver sleeps.
const WaitBit = waitBit

// Drive makes the caller the driver, calls f in the window before it begins, and drives
// as Synchronize would, to the target.
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

// AwaitSlow waits as Synchronize would if it had seen that it must.
func (d *Domain) AwaitSlow(done <-chan struct{}, target uint64) bool {
	return d.ready().awaitSlow(done, target)
}

// Bequeath makes the caller the driver, and hands over to the first in line while f runs
// and the line is locked, so that whoever leaves it then comes too late.
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

// AwaitRun waits as a Barrier would that read its target when so many callbacks had been
// retired.
func (d *Domain) AwaitRun(ctx context.Context, target uint64) error {
	return d.ready().awaitRun(ctx, target)
}

// Barriers returns how many wait in Barrier.
func (d *Domain) Barriers() int {
	b := &d.ready().barrier
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.line)
}

// LockBarriers locks the line of those that wait in Barrier.
func (d *Domain) LockBarriers() (unlock func()) {
	b := &d.ready().barrier
	b.mu.Lock()
	return b.mu.Unlock
}
