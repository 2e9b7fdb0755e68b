package epoch_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/epoch"
)

// The first in line is cancelled, and is made the driver before it has left the line. It
// has to pass the duty on. Without the leave of a cancelled waiter this fails in 20 runs of
// 20.
func TestCancelledHeirHandsOver(t *testing.T) {
	for range 5 {
		var d epoch.Domain
		g := d.Pin()
		ctx, cancel := context.WithCancel(t.Context())
		heir, last := make(chan error, 1), make(chan error, 1)
		wait := func(c chan error, ctx context.Context, line int) {
			go func() { c <- d.Synchronize(ctx) }()
			for {
				if _, _, n := d.Waiting(); n == line {
					return
				}
				runtimeYield()
			}
		}
		d.Bequeath(func() {
			wait(heir, ctx, 1)
			wait(last, t.Context(), 2)
		}, func() {
			cancel()
			for start := time.Now(); time.Since(start) < 2*time.Millisecond; {
				runtimeYield() // it wakes and stops at the locked line
			}
		})
		if err := <-heir; err != context.Canceled {
			t.Errorf("the cancelled Synchronize returned %v", err)
		}
		g.Unpin()
		select {
		case err := <-last:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(5 * time.Second):
			driven, asleep, line := d.Waiting()
			t.Fatalf("there is no driver: driven %v, asleep %v, %d in line", driven, asleep, line)
		}
	}
}

// A driver that goes on to a later epoch wakes the waiters whose epoch has come. If it
// looks at the line only when it leaves, this fails each time.
func TestDriverWakesTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := epoch.NewAt(0, 2, 0)
		first := d.Pin()
		far, near := make(chan bool), make(chan bool)
		go func() { far <- d.AwaitSlow(nil, 5) }()
		synctest.Wait() // drives, asleep in epoch 1
		go func() { near <- d.AwaitSlow(nil, 2) }()
		synctest.Wait()
		second := d.Pin()
		first.Unpin()
		if !<-near {
			t.Error("a wait without a context failed")
		}
		second.Unpin()
		if !<-far {
			t.Error("a wait without a context failed")
		}
	})
}

// Between the last look of one driver and the first of the next, another goroutine
// advances. The new driver has to look at the line before it sleeps.
func TestNewDriverLooksAtTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := epoch.NewAt(0, 2, 0)
		g := d.Pin()
		near, far := make(chan bool), make(chan bool)
		go func() {
			far <- d.Drive(5, func() {
				go func() { near <- d.AwaitSlow(nil, 1) }()
				synctest.Wait()
				if !d.Advance() {
					t.Error("the first advance is held up")
				}
			})
		}()
		<-near
		g.Unpin()
		<-far
	})
}

// A goroutine that joins the line when its epoch has just come must not stay there: the
// driver may sleep, and may not look at the line for a long time.
func TestLateForTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := epoch.NewAt(0, 2, 0)
		g := d.Pin()
		far := make(chan bool)
		go func() { far <- d.AwaitSlow(nil, 5) }()
		synctest.Wait() // asleep in epoch 1
		if !d.AwaitSlow(nil, 1) {
			t.Error("a wait without a context failed")
		}
		g.Unpin()
		<-far
	})
}

// The last Unpin meets the driver on its way to sleep. With -tags invariants, this fails in
// 10 runs of 10 if the parker is published after the bit, or if the look at the counter
// after the bit is left out.
func TestUnpinWhileTheDriverLiesDown(t *testing.T) {
	procs(t, func(t *testing.T) {
		d := epoch.NewAt(0, 1, 0)
		within(t, 10*time.Second, func() {
			for range episodes(4000) {
				g := d.Pin()
				done := make(chan error)
				go func() { done <- d.Synchronize(t.Context()) }()
				for range rand.IntN(12) {
					runtimeYield()
				}
				g.Unpin()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		})
	})
}
