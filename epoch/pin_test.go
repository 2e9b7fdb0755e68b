package epoch_test

import (
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/spanlock/spanlock/epoch"
)

// starts are epochs next to which sums, differences and parities could go wrong.
var starts = []uint64{0, 1, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, math.MaxUint64 - 2, math.MaxUint64 - 1, math.MaxUint64}

// mustPanic checks that f panics with a sentence that contains each of the words.
func mustPanic(t *testing.T, f func(), words ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		v := recover()
		s, ok := v.(string)
		if !ok || !strings.HasPrefix(s, "epoch: ") {
			t.Errorf("panicked with %v, want a sentence that starts with epoch:", v)
		}
		for _, w := range words {
			if !strings.Contains(s, w) {
				t.Errorf("panicked with %q, want it to contain %q", s, w)
			}
		}
	}()
	f()
}

func TestPinHoldsTheEpoch(t *testing.T) {
	for _, first := range starts {
		d := epoch.NewAt(first, 2, 0)
		g := d.Pin()
		if !d.Advance() {
			t.Fatalf("epoch %d: a pin of the present epoch holds up the first advance", first)
		}
		for range 3 {
			if d.Advance() {
				t.Fatalf("epoch %d: advanced twice over a pin", first)
			}
		}
		g.Unpin()
		for i := range 5 {
			if !d.Advance() {
				t.Fatalf("epoch %d: advance %d is held up by nothing", first, i)
			}
		}
		if got := d.Stats().Epoch; got != first+6 {
			t.Fatalf("epoch is %d after 6 advances from %d", got, first)
		}
	}
}

// Every slot counts: with a scan that is one slot short, one of the pins here is
// overlooked.
func TestScanLooksAtEverySlot(t *testing.T) {
	d := epoch.NewAt(8, 16, 0)
	for i := range d.Slots() {
		for range 2 { // both parities
			g := d.PinSlot(i)
			d.Advance()
			if d.Advance() {
				t.Errorf("a pin in slot %d of %d does not hold the epoch", i, d.Slots())
			}
			g.Unpin()
			d.Advance()
		}
	}
}

// A pin that read the epoch long ago ends up in the counter of the wrong parity. From the
// moment when Pin returns, it has to hold the epoch nevertheless.
func TestLatePin(t *testing.T) {
	for _, first := range starts {
		for late := range uint64(4) {
			for moved := range 2 {
				d := epoch.NewAt(first, 2, 0)
				finish := d.PinLate(0, first-late)
				for range moved {
					d.Advance()
				}
				g := finish()
				at := d.Stats().Epoch
				for range 4 {
					d.Advance()
				}
				if n := d.Stats().Epoch - at; n > 1 {
					t.Errorf("epoch %d: a pin that is %d late and saw %d advances let the epoch move on by %d", first, late, moved, n)
				}
				g.Unpin()
				if one, two := d.Advance(), d.Advance(); !one || !two {
					t.Errorf("epoch %d: a late pin (%d, %d) left a count behind", first, late, moved)
				}
			}
		}
	}
}

// The same, with an advance under way that has looked at the slots before the late pin came
// and swaps after it. Without the second count of step 4 the pin is overlooked.
func TestLatePinDuringAdvance(t *testing.T) {
	for _, first := range starts {
		for late := range uint64(4) {
			d := epoch.NewAt(first, 2, 0)
			step := d.AdvanceHalf()
			finish := d.PinLate(0, first-late)
			g := finish()
			c := d.Cookie() // a stamp that is younger than the pin
			step()
			for range 4 {
				if c.Done() {
					t.Fatalf("epoch %d: a grace period ended under a pin that was %d late", first, late)
				}
			}
			g.Unpin()
			if c.Done(); !c.Done() {
				t.Errorf("epoch %d: a pin that was %d late left a count behind", first, late)
			}
		}
	}
}

// An advancer that slept between its look and its step must not move the epoch back.
func TestSlowAdvancer(t *testing.T) {
	for _, first := range starts {
		d := epoch.NewAt(first, 2, 0)
		step := d.AdvanceHalf()
		for range 4 {
			d.Advance()
		}
		step()
		if got := d.Stats().Epoch; got != first+4 {
			t.Errorf("the epoch was %d and is %d", first+4, got)
		}
	}
}

// A second pin must not change the first. If it moves the first to the present epoch, the
// grace period that the first holds back ends too early.
func TestNestedPinMovesNothing(t *testing.T) {
	d := epoch.NewAt(0, 1, 0) // one slot: the two pins meet
	outer := d.Pin()
	c := d.Cookie()
	if !d.Advance() {
		t.Fatal("the first advance is held up")
	}
	inner := d.Pin()
	for range 4 {
		if c.Done() {
			t.Fatal("a grace period ended under the outer pin, after an inner one was taken")
		}
	}
	inner.Unpin()
	for range 4 {
		if c.Done() {
			t.Fatal("a grace period ended under the outer pin, after an inner one was given back")
		}
	}
	outer.Unpin()
	for range 2 {
		if c.Done() {
			return
		}
	}
	t.Error("no grace period after both pins have ended")
}

func TestUnpinElsewhere(t *testing.T) {
	var d epoch.Domain
	g := d.Pin()
	c := d.Cookie()
	var wg sync.WaitGroup
	wg.Go(func() { g.Unpin() })
	wg.Wait()
	c.Done()
	if !c.Done() {
		t.Error("no grace period after another goroutine unpinned")
	}
}

func TestManyPins(t *testing.T) {
	var d epoch.Domain
	guards := make([]epoch.Guard, 10000)
	for i := range guards {
		if i%1000 == 0 {
			d.Advance()
		}
		guards[i] = d.Pin()
	}
	if n := d.Stats().Pins; n != len(guards) {
		t.Errorf("Stats counts %d pins, want %d", n, len(guards))
	}
	for i := range guards {
		guards[i].Unpin()
	}
	if n := d.Stats().Pins; n != 0 {
		t.Errorf("Stats counts %d pins after all have ended", n)
	}
}

func TestMisusePanics(t *testing.T) {
	t.Run("zero guard", func(t *testing.T) {
		mustPanic(t, func() { new(epoch.Guard).Unpin() }, "holds no pin")
	})
	t.Run("twice", func(t *testing.T) {
		var d epoch.Domain
		g := d.Pin()
		g.Unpin()
		mustPanic(t, g.Unpin, "unpinned before")
	})
	t.Run("copy", func(t *testing.T) {
		d := epoch.NewAt(7, 1, 0)
		g := d.Pin()
		h := g
		g.Unpin()
		mustPanic(t, h.Unpin, "a copy of it was unpinned before")
		// Afterwards everything works.
		if even, odd := d.Counters(0); even != 0 || odd != 0 {
			t.Errorf("the counters are %#x and %#x after a refused Unpin", even, odd)
		}
		g = d.Pin()
		g.Unpin()
		if one, two := d.Advance(), d.Advance(); !one || !two {
			t.Error("the epoch is held up after a refused Unpin")
		}
	})
	t.Run("copy while the driver sleeps", func(t *testing.T) {
		if epoch.Debug {
			return // the copy is caught before it gets to the counter
		}
		d := epoch.NewAt(7, 1, 0)
		g := d.Pin()
		h := g
		d.Advance()
		slept := make(chan bool)
		done := make(chan struct{})
		go func() { slept <- d.SleepOn(0, 8, done) }()
		for {
			if _, odd := d.Counters(0); odd == epoch.WaitBit|1 {
				break
			}
		}
		g.Vanish()
		mustPanic(t, h.Unpin, "a copy of it was unpinned before")
		if _, odd := d.Counters(0); odd != epoch.WaitBit {
			t.Errorf("the counter is %#x, want the wait bit alone", odd)
		}
		close(done)
		<-slept
	})
	t.Run("negative MaxPending", func(t *testing.T) {
		d := epoch.Domain{MaxPending: -3}
		mustPanic(t, func() { d.Pin() }, "MaxPending is -3")
		mustPanic(t, func() { d.Retire(func() {}) }, "MaxPending is -3")
		mustPanic(t, func() { d.Cookie() }, "MaxPending is -3")
	})
	t.Run("nil callback", func(t *testing.T) {
		var d epoch.Domain
		mustPanic(t, func() { d.Retire(nil) }, "nil func")
		mustPanic(t, func() { d.RetireContext(t.Context(), 1, nil) }, "nil func")
	})
}

func TestSlotCount(t *testing.T) {
	// The fields at the head of a slot are shorter on 32-bit platforms.
	if size := epoch.SlotSize; size < 128-16 || size > 128 {
		t.Errorf("a slot has %d bytes", size)
	}
	for _, p := range []int{1, 2, 3, 4, 7, 8, 31, 32, 33, 64, 128, 1000} {
		n := epoch.SlotCount(p)
		if n&(n-1) != 0 || n > 256 || n < 2 {
			t.Errorf("%d slots for %d processors", n, p)
		}
		if !checking && p <= 64 && n < 4*p {
			t.Errorf("%d slots for %d processors, want four times as many", n, p)
		}
	}
}
