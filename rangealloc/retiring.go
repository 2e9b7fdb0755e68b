package rangealloc

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spanlock/spanlock/internal/seam"
	"github.com/spanlock/spanlock/rangelock"
)

// retiring is the calls of TryFree and AllocEvict that have taken ranges out of the map and call
// OnRetire for them on their own goroutine. The map does not know these ranges, so Drain and
// Close wait for them here. The allocator's mu protects it.
//
// Calls are numbered, and a Drain waits for numbers: calls that come later do not prolong it.
type retiring struct {
	next    uint64
	running []uint64 // numbers of the calls under way, in no order
	drains  []*drain
}

// drain is a Drain that waits until no call with a number below its own runs.
type drain struct {
	below  uint64
	parker *seam.Parker
}

// begin enters a call and returns its number. It comes before the ranges leave the map, so a
// Drain that begins after they have left sees the call. Preconditions: the caller holds mu. That
// holds for the other methods, too.
func (c *retiring) begin() uint64 {
	n := c.next
	c.next++
	c.running = append(c.running, n)
	return n
}

// end removes a call, and wakes each Drain for which this was the last call.
func (c *retiring) end(number uint64) {
	i := slices.Index(c.running, number)
	last := len(c.running) - 1
	c.running[i] = c.running[last]
	c.running = c.running[:last]
	for _, d := range c.drains {
		if !c.runs(d.below) {
			d.parker.Wake()
		}
	}
}

// runs reports whether a call with a number below n is under way.
func (c *retiring) runs(n uint64) bool {
	return slices.ContainsFunc(c.running, func(r uint64) bool { return r < n })
}

// awaitRetiring waits until OnRetire has returned for all ranges that TryFree and AllocEvict have
// taken out before the call.
func (a *Allocator[K, V]) awaitRetiring(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := &a.retiring
	if len(c.running) == 0 {
		return nil
	}
	d := &drain{below: c.next, parker: seam.NewParker()}
	c.drains = append(c.drains, d)
	start := time.Now()
	a.mu.Unlock()
	ok := d.parker.Park(ctx.Done())
	a.mu.Lock()
	c.drains = slices.DeleteFunc(c.drains, func(o *drain) bool { return o == d })
	if ok || !c.runs(d.below) {
		return nil
	}
	return a.gaveUp(ctx, start)
}

// gaveUp returns the WaitError of a wait for OnRetire that ctx has ended. Only the map can make a
// WaitError, for a wait of its own, so gaveUp takes such an error and changes it.
func (a *Allocator[K, V]) gaveUp(ctx context.Context, start time.Time) error {
	_, err := a.m.RLockContext(ctx)
	var e *rangelock.WaitError[K]
	if errors.As(err, &e) {
		e.For, e.Waited = rangelock.ForRetire, time.Since(start)
	}
	return err
}
