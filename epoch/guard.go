package epoch

import (
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/pad"
	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/seam"
)

// A slot counts the pins of the goroutines whose stacks hash to it. Every pin and
// unpin writes it, so it has its cache lines to itself.
type slot struct {
	// active counts pins of even epochs in [0] and of odd ones in [1]. Pin and
	// Unpin add to them, the driver toggles waitBit, everybody who advances reads.
	//
	//	0              no pin
	//	1 … 2^31-1     that many pins
	//	waitBit        no pin; the driver sleeps here and has been woken, or has not cleared the bit yet
	//	waitBit | n    n pins; the driver sleeps here, the Unpin that leaves waitBit wakes it
	//	waitBit-1      an Unpin too many, on waitBit: the one that made it undoes it and panics
	//	2^32-1         an Unpin too many, on 0: likewise
	//
	// An overflow into waitBit is not looked for: the guards alone would fill 32 GiB.
	active [2]seam.Uint32

	// owner is written once, before anybody else has the slot. It leads an Unpin
	// that must wake the driver to it.
	owner *state

	_ [pad.Size - 24]byte
}

const (
	// waitBit in a counter says that the driver sleeps until the rest is zero.
	waitBit = 1 << 31

	// suspect is where the results of Add(-1) start that Unpin must look at: with
	// waitBit, one below waitBit, one below zero, or merely huge.
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

// A Guard is one pin of a Domain. Whatever could be reached when Pin returned is
// not reclaimed until Unpin.
//
// A Guard may be unpinned by another goroutine than the one that pinned. It must
// not be used by two goroutines at the same time.
//
// The zero Guard holds no pin; its Unpin panics.
//
// A Guard may be moved, but only one of its copies may be unpinned. A second
// Unpin of the same variable panics. A second Unpin through a copy panics where the
// slot's count shows it, and always under -tags spanlockdebug; otherwise it ends
// somebody else's pin too early, as a sync.RWMutex unlocked twice does.
type Guard struct {
	mark mark // where the pin was taken; empty but in debug builds
	slot *slot
	held uint32
}

// Pin holds back every grace period that begins from now on until the guard is
// unpinned. It never blocks and takes no lock: one atomic addition to a counter
// that this goroutine shares with few others, seldom two, after the first use.
//
// Pins nest: a second one counts by itself and leaves the first where it is.
//
// What the caller looks at must be loaded after Pin returns and not be used after
// Unpin. A pin that is held for long makes retired callbacks pile up behind it; see
// Stats.
func (d *Domain) Pin() Guard {
	st := d.state.Load()
	if st == nil {
		st = d.firstUse()
	}
	e := st.epoch.Load()
	s := &st.slots[raw.Hash()&st.mask]
	invariants.Yield()
	// Announce, then look again, in this order: doc.go, “Protocol”. From this addition
	// on the slot shows us; it pairs with the load in advance.
	s.active[e&1].Add(1)
	invariants.Yield()
	g := Guard{slot: s, held: st.settle(s, e)}
	if debug {
		g.mark = st.pins.add()
	}
	return g
}

// settle is the second half of Pin, steps 3 and 4: the caller is counted in the
// counter of epoch e. It returns what the guard holds.
func (st *state) settle(s *slot, e uint64) (held uint32) {
	if (st.epoch.Load()^e)&1 == 0 {
		return uint32(e&1) + 1
	}
	// The advance that has to wait for us looks at the other counter, and may have
	// looked at ours before we came. Count in the other too, and keep both. Giving
	// the first back and starting again would be as safe, but without a bound on the
	// number of rounds.
	s.active[(e+1)&1].Add(1)
	return heldBoth
}

// Unpin ends the pin and zeroes the guard. It never blocks. The caller must not use
// anything any more that it found under the pin.
//
// Unpin panics if the guard holds no pin.
func (g *Guard) Unpin() {
	// Too large to be inlined: the test for a guard that holds no pin and the zeroing
	// would have to go, and the call is hidden behind the addition.
	if debug {
		g.unpinMark()
	}
	s, held, n := g.slot, g.held, uint32(suspect)
	g.slot, g.held = nil, heldNone
	if held-1 < 2 {
		// This gives up the pin: when the driver reads the result in advance, all
		// that we did before is behind it.
		n = s.active[(held-1)&1].Add(minusOne)
	}
	if n >= suspect {
		s.unpinSlow(held, n)
	}
}

// unpinSlow is the rest of Unpin: the guards that hold no pin or two, and the
// results n of Unpin's own subtraction that mean more than one pin less. It is
// outlined to keep Unpin without a frame worth mentioning.
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

// left looks at the result n of a subtraction from one of the counters.
func (s *slot) left(parity, n uint32) {
	switch {
	case n == waitBit:
		// The last pin here has gone, and the driver sleeps on it. No later
		// subtraction can end in waitBit again before somebody pins, so this wake-up
		// is nobody else's business.
		s.owner.wakeSleeper()
	case (n+1)&^waitBit == 0:
		// There was no pin to take back. Between the subtraction and this a Pin may
		// have been counted as none; the program is wrong and about to stop.
		s.active[parity].Add(1)
		panic("epoch: Unpin of a guard whose pin is gone: a copy of it was unpinned before")
	}
}
