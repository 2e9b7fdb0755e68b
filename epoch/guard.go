package epoch

import (
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/pad"
	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/seam"
)

// A slot counts the pins of the goroutines whose stacks hash to it. Every pin and unpin
// writes it, so no other data is in its cache lines.
type slot struct {
	// active counts pins of even epochs in [0] and of odd ones in [1]. Pin and Unpin
	// add to them, the driver toggles waitBit, and every advance reads them.
	//
	//	0              no pin
	//	1 … 2^31-1     that many pins
	//	waitBit        no pin; the driver sleeps here and has been woken, or has not cleared the bit yet
	//	waitBit | n    n pins; the driver sleeps here, the Unpin that leaves waitBit wakes it
	//	waitBit-1      one Unpin too many, after waitBit: that Unpin undoes it and panics
	//	2^32-1         one Unpin too many, after 0: likewise
	//
	// An overflow into waitBit is not checked: the guards alone would fill 32 GiB.
	active [2]seam.Uint32

	// owner is written once, before the slot is published. An Unpin that must wake the
	// driver finds it through owner.
	owner *state

	_ [pad.Size - 24]byte
}

const (
	// waitBit in a counter says that the driver sleeps until the counter has no pin.
	waitBit = 1 << 31

	// suspect is the smallest result of Add(-1) that Unpin must look at. Such a result
	// has waitBit, or is one below waitBit, one below zero, or merely huge.
	suspect = 1 << 30

	minusOne = ^uint32(0)
)

// Values of Guard.held.
const (
	heldNone = 0 // unpinned, or the zero Guard
	heldEven = 1 // counted in active[0]
	heldOdd  = 2 // counted in active[1]
	heldBoth = 3 // counted in both: the epoch moved while Pin was under way
)

// A Guard is one pin of a Domain. What the reader could reach when Pin returned is not
// reclaimed until Unpin.
//
// One goroutine may pin and another may unpin. Two goroutines must not use a Guard at
// the same time.
//
// The zero Guard holds no pin; its Unpin panics.
//
// A Guard may be moved, but only one of its copies may be unpinned. A second Unpin of
// the same variable panics. A second Unpin through a copy panics where the slot's count
// shows it, and always under -tags spanlockdebug. Otherwise it ends the pin of another
// reader too early, as unlocking a sync.RWMutex twice does.
type Guard struct {
	mark mark // where the pin was taken; empty except in debug builds
	slot *slot
	held uint32
}

// Pin holds back every grace period that begins from now on, until the guard is
// unpinned. It never blocks. After the domain's first use it takes no lock: it is one
// atomic addition, seldom two, to a counter that few goroutines share.
//
// Pins nest: a second pin counts by itself and does not change the first.
//
// The caller must load what it reads after Pin returns, and must not use it after
// Unpin. Retired callbacks pile up behind a pin that is held for long; see Stats.
func (d *Domain) Pin() Guard {
	st := d.state.Load()
	if st == nil {
		st = d.firstUse()
	}
	e := st.epoch.Load()
	s := &st.slots[raw.Hash()&st.mask]
	invariants.Yield()
	// Announce, then look again, in this order: steps 2 and 3 in grace.go. From this
	// addition on the slot shows this pin. It pairs with the load in scan.
	s.active[e&1].Add(1)
	invariants.Yield()
	g := Guard{slot: s, held: st.settle(s, e)}
	if debug {
		g.mark = st.pins.add()
	}
	return g
}

// settle is the second half of Pin, steps 3 and 4 in grace.go: the caller is counted in
// the counter of epoch e. It returns what the guard holds.
func (st *state) settle(s *slot, e uint64) (held uint32) {
	if (st.epoch.Load()^e)&1 == 0 {
		return uint32(e&1) + 1
	}
	// The advance that has to wait for us checks the other counter, and may have
	// checked it already. Count in the other counter too, and keep both. Giving the
	// first back and starting again would be as safe, but would not bound the number of
	// rounds.
	s.active[(e+1)&1].Add(1)
	return heldBoth
}

// Unpin ends the pin and zeroes the guard. It never blocks. The caller must not use
// what it found under the pin any more.
//
// Unpin panics if the guard holds no pin.
func (g *Guard) Unpin() {
	// Unpin is too large to be inlined. To make it fit, the test for a guard that holds
	// no pin and the zeroing would have to go; the addition hides the cost of the call.
	if debug {
		g.unpinMark()
	}
	s, held, n := g.slot, g.held, uint32(suspect)
	g.slot, g.held = nil, heldNone
	if held-1 < 2 {
		// This gives up the pin. When the driver reads the result in scan, all that we
		// did before is behind it.
		n = s.active[(held-1)&1].Add(minusOne)
	}
	if n >= suspect {
		s.unpinSlow(held, n)
	}
}

// unpinSlow is the rest of Unpin: guards that hold no pin or two, and results n of
// Unpin's own subtraction that do not simply mean one pin fewer. It is outlined so that
// Unpin needs almost no stack frame.
func (s *slot) unpinSlow(held, n uint32) {
	switch held {
	case heldEven, heldOdd:
		s.left(held-1, n)
	case heldBoth:
		s.left(0, s.active[0].Add(minusOne))
		s.left(1, s.active[1].Add(minusOne))
	default:
		panic("epoch: Unpin of a guard that holds no pin: it was never pinned, or unpinned before")
	}
}

// left handles the result n of a subtraction from one of the counters.
func (s *slot) left(parity, n uint32) {
	switch {
	case n == waitBit:
		// The last pin here has gone, and the driver sleeps on this counter. No later
		// subtraction can end in waitBit before there is a new pin, so only this call
		// has to wake the driver.
		s.owner.wakeSleeper()
	case (n+1)&^waitBit == 0:
		// There was no pin to take back. Between the subtraction and this addition the
		// counter was wrong, and an advance may have overlooked a Pin. The program is
		// wrong and about to stop.
		s.active[parity].Add(1)
		panic("epoch: Unpin of a guard whose pin is gone: a copy of it was unpinned before")
	}
}
