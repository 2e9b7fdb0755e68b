package epoch_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/epoch"
)

// A goroutine in Barrier returns when its callbacks have run, and not together with those
// before or behind it in line, in whatever order they came and whichever of them gives up.
// If only the first or only the last in line is looked at, this fails each time.
func TestBarriersInAnyOrder(t *testing.T) {
	for _, order := range [][]uint64{{1, 2, 3}, {3, 2, 1}, {2, 3, 1}, {3, 1, 2}, {2, 2, 1}} {
		for quits := range len(order) + 1 { // at the last value none quits
			synctest.Test(t, func(t *testing.T) {
				var d epoch.Domain
				gates := make(map[uint64]chan struct{})
				for i := range uint64(3) {
					gate := make(chan struct{})
					gates[i+1] = gate
					d.Retire(func() { <-gate })
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				back := make([]bool, len(order))
				for i, target := range order {
					ctx := ctx
					if i != quits {
						ctx = context.WithoutCancel(ctx)
					}
					go func() {
						d.AwaitRun(ctx, target)
						back[i] = true
					}()
					synctest.Wait() // so that they queue in this order
				}
				cancel()
				for ran := uint64(0); ; ran++ {
					synctest.Wait()
					for i, target := range order {
						if want := target <= ran || i == quits; back[i] != want {
							t.Errorf("order %v, %d quits, %d callbacks have run: Barrier for %d has returned: %v",
								order, quits, ran, target, back[i])
						}
					}
					if ran == 3 {
						break
					}
					close(gates[ran+1])
				}
				if n := d.Barriers(); n != 0 {
					t.Errorf("%d left in line", n)
				}
			})
		}
	}
}

// A Barrier that waits for the last of many callbacks does not make each of them take the
// lock of the line. If finish only looks whether any goroutine waits, this hangs each time.
func TestBarrierCostsOtherCallbacksNothing(t *testing.T) {
	var d epoch.Domain
	g := d.Pin()
	last := make(chan struct{})
	for range 10 {
		d.Retire(func() {})
	}
	d.Retire(func() { close(last) })
	done := make(chan error)
	go func() { done <- d.Barrier(t.Context()) }()
	for d.Barriers() == 0 {
		runtimeYield()
	}
	unlock := d.LockBarriers()
	g.Unpin()
	<-last
	unlock()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
