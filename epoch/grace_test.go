package epoch_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/epoch"
)

// ended returns a context that has ended.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestSynchronizeIdle(t *testing.T) {
	for _, first := range starts {
		d := epoch.NewAt(first, 2, 0)
		for range 5 {
			if err := d.Synchronize(ended()); err != nil {
				t.Fatalf("epoch %d: Synchronize had nothing to wait for and returned %v", first, err)
			}
		}
	}
}

func TestSynchronizeWaits(t *testing.T) {
	for _, first := range starts {
		synctest.Test(t, func(t *testing.T) {
			d := epoch.NewAt(first, 2, 0)
			old := d.Pin()
			var returned atomic.Bool
			go func() {
				if err := d.Synchronize(t.Context()); err != nil {
					t.Errorf("Synchronize: %v", err)
				}
				returned.Store(true)
			}()
			synctest.Wait()
			if returned.Load() {
				t.Fatalf("epoch %d: Synchronize did not wait for a pin", first)
			}
			young := d.Pin() // must not delay it
			old.Unpin()
			synctest.Wait()
			if !returned.Load() {
				t.Errorf("epoch %d: Synchronize waits for a pin that is younger than it", first)
			}
			young.Unpin()
		})
	}
}

// The decrement that ends the last old pin has to wake the sleeping driver. If it does not,
// every goroutine in the bubble sleeps for ever, and synctest reports that.
func TestUnpinWakesDriver(t *testing.T) {
	for _, pins := range []int{1, 2, 5} {
		synctest.Test(t, func(t *testing.T) {
			var d epoch.Domain
			guards := make([]epoch.Guard, pins)
			for i := range guards {
				guards[i] = d.Pin()
			}
			done := make(chan error)
			go func() { done <- d.Synchronize(t.Context()) }()
			for i := range guards {
				synctest.Wait()
				if _, asleep, _ := d.Waiting(); !asleep {
					t.Errorf("with %d of %d pins left no driver sleeps", pins-i, pins)
				}
				guards[i].Unpin()
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// A driver sleeps on a counter, which empties for a moment. Before the last Unpin there
// wakes the driver, another goroutine advances, and new pins fill the counter. The advance
// must wake the driver: the counter may never be empty again. Without the wake-up in
// advance this fails each time.
func TestAdvanceWakesDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := epoch.NewAt(0, 1, 0)
		old := d.Pin()
		done := make(chan error)
		go func() { done <- d.Synchronize(t.Context()) }()
		synctest.Wait() // epoch 1, asleep on the even counter
		old.Vanish()
		if !d.Advance() {
			t.Fatal("the epoch is held up by nothing")
		}
		young := d.Pin() // even again
		if err := <-done; err != nil {
			t.Error(err)
		}
		young.Unpin()
	})
}

// The same, but the advance comes before the driver has set its bit. The driver has to look
// at the epoch again before it parks. Without that second look this fails each time.
func TestDriverLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := epoch.NewAt(0, 1, 0)
		d.Advance()
		d.Advance()
		young := d.Pin() // epoch 2, in the counter that blocked the advance from 1
		if !d.SleepOn(0, 1, ended().Done()) {
			t.Error("the driver goes to sleep for an epoch that has passed")
		}
		young.Unpin()
		if !d.SleepOn(0, 2, ended().Done()) {
			t.Error("the driver goes to sleep on an empty counter")
		}
		if even, odd := d.Counters(0); even != 0 || odd != 0 {
			t.Errorf("the counters are %#x and %#x after the driver has left", even, odd)
		}
	})
}

func TestSynchronizeContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d epoch.Domain
		g := d.Pin()
		if err := d.Synchronize(ended()); !errors.Is(err, context.Canceled) {
			t.Errorf("Synchronize with an ended context returned %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := d.Synchronize(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Synchronize returned %v", err)
		}
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("Synchronize waited %v for a context of a minute", waited)
		}
		g.Unpin()
		if n := d.Stats().Pins; n != 0 {
			t.Errorf("%d pins left", n)
		}
		if driven, asleep, line := d.Waiting(); driven || asleep || line != 0 {
			t.Errorf("after all waits: driven %v, asleep %v, %d in line", driven, asleep, line)
		}
	})
}

// The driver is cancelled while others are in line. One of them has to take over, or the
// epoch does not advance any more. If the driver only leaves, every goroutine in the bubble
// sleeps for ever.
func TestCancelledDriverHandsOver(t *testing.T) {
	for cancelled := 1; cancelled <= 4; cancelled++ {
		synctest.Test(t, func(t *testing.T) {
			var d epoch.Domain
			g := d.Pin()
			ctx, cancel := context.WithCancel(t.Context())
			errs := make(chan error)
			for range cancelled {
				go func() { errs <- d.Synchronize(ctx) }()
				synctest.Wait()
			}
			rest := make(chan error)
			for range 3 {
				go func() { rest <- d.Synchronize(t.Context()) }()
			}
			synctest.Wait()
			if _, asleep, line := d.Waiting(); !asleep || line != cancelled+2 {
				t.Errorf("asleep %v, %d in line", asleep, line)
			}
			cancel()
			for range cancelled {
				if err := <-errs; !errors.Is(err, context.Canceled) {
					t.Errorf("a cancelled Synchronize returned %v", err)
				}
			}
			synctest.Wait()
			if _, asleep, line := d.Waiting(); !asleep || line != 2 {
				t.Errorf("after the cancellation: asleep %v, %d in line", asleep, line)
			}
			g.Unpin()
			for range 3 {
				if err := <-rest; err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Many goroutines wait at a time, readers come and go, and contexts end at any moment. No
// waiter is forgotten.
func TestNoWaiterIsForgotten(t *testing.T) {
	for range episodes(60) {
		d := epoch.NewAt(0, 2, 0)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for range 50 {
					g := d.Pin()
					runtimeYield()
					h := d.Pin()
					g.Unpin()
					runtimeYield()
					h.Unpin()
				}
			})
		}
		for i := range 4 {
			wg.Go(func() {
				for j := range 20 {
					ctx, cancel := context.WithCancel(t.Context())
					if (i+j)%3 == 0 {
						go cancel()
					}
					if err := d.Synchronize(ctx); err != nil && !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					cancel()
				}
			})
		}
		wg.Go(func() {
			for range 20 {
				for c := d.Cookie(); !c.Done(); {
					runtimeYield()
				}
			}
		})
		within(t, 20*time.Second, wg.Wait)
		if driven, asleep, line := d.Waiting(); driven || asleep || line != 0 {
			t.Fatalf("after all waits: driven %v, asleep %v, %d in line", driven, asleep, line)
		}
	}
}

// Readers whose pins overlap, so that there is a pin at every moment, must not starve a
// grace period.
func TestSynchronizeIsNotStarved(t *testing.T) {
	d := epoch.NewAt(0, 1, 0)
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			g := d.Pin()
			for !stop.Load() {
				h := d.Pin()
				g.Unpin()
				g = h
			}
			g.Unpin()
		})
	}
	within(t, 20*time.Second, func() {
		for range episodes(200) {
			if err := d.Synchronize(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	stop.Store(true)
	wg.Wait()
}

func TestCookie(t *testing.T) {
	if !(epoch.Cookie{}).Done() {
		t.Error("the zero Cookie is not done")
	}
	for _, first := range starts {
		d := epoch.NewAt(first, 2, 0)
		g := d.Pin()
		c := d.Cookie()
		for range 5 {
			if c.Done() {
				t.Fatalf("epoch %d: a grace period ended under a pin", first)
			}
		}
		young := d.Pin()
		g.Unpin()
		if !c.Done() {
			c.Done()
		}
		if !c.Done() {
			t.Errorf("epoch %d: not done after three calls without an old pin", first)
		}
		young.Unpin()
		var again epoch.Cookie = c // still done, and for ever, in copies too
		for range 10 {
			d.Advance()
			if !again.Done() {
				t.Fatalf("epoch %d: a Cookie that was done is not", first)
			}
		}
	}
}

// The epoch must never go back. It does if an advance with a plain store sleeps between its
// look at the slots and the store. With -tags invariants a store makes this fail in 50 runs
// of 50; TestSlowAdvancer tests the same without chance.
func TestEpochNeverGoesBack(t *testing.T) {
	for range episodes(20) {
		d := epoch.NewAt(0, 2, 0)
		var top atomic.Uint64
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				for range 200 {
					before := top.Load()
					d.Advance()
					now := d.Stats().Epoch
					if now < before {
						t.Errorf("the epoch was %d and is %d", before, now)
						return
					}
					for !top.CompareAndSwap(before, max(before, now)) {
						before = top.Load()
					}
				}
			})
		}
		wg.Wait()
	}
}
