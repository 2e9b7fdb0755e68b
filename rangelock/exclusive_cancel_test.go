package rangelock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestExclusiveCancel ends the contexts of waiters at the head, in the middle and at the end of a
// queue, behind a shared guard that stays. The shared waiters that waited only for a cancelled
// one are granted at once.
func TestExclusiveCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		stays := hold(t, m, 5)
		ctx, cancel := context.WithCancel(bg)
		cancelled := func() *call {
			return start("AcquireExclusiveContext", func() {
				if g, err := m.AcquireExclusiveContext(ctx, 5); !errors.Is(err, context.Canceled) {
					t.Errorf("%v, %v", g, err)
				}
			})
		}
		head := cancelled()
		head.waits(t)
		r1, g1 := shared(t, m, 5)
		r1.waits(t)
		middle := cancelled()
		middle.waits(t)
		r2, g2 := shared(t, m, 5)
		r2.waits(t)
		last, e := exclusively(t, m, 5)
		last.waits(t)
		tail := cancelled()
		tail.waits(t)
		cancel()
		for _, c := range []*call{head, middle, tail, r1, r2} {
			c.returns(t)
		}
		last.waits(t)
		g1.Release()
		g2.Release()
		stays.Release()
		last.returns(t)
		e.Release()
		tidy(t, m)
	})
}

// TestExclusiveCancelElsewhere ends a wait for the semaphore, and a wait in the queue while a
// writer excludes the range. The queue is then empty when the writer readmits readers.
func TestExclusiveCancelElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		acquire := func(d time.Duration) *call {
			return start("AcquireExclusiveContext", func() {
				ctx, stop := context.WithTimeout(bg, d)
				defer stop()
				if g, err := m.AcquireExclusiveContext(ctx, 5); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v, %v", g, err)
				}
			})
		}
		g := hold(t, m, 5)
		inLine := acquire(2 * time.Second)
		inLine.waits(t)
		w := m.Lock()
		excluding := start("Exclude", func() { must(t, w.Exclude(rg(0, 10))) })
		excluding.waits(t)
		atSemaphore := acquire(time.Second)
		atSemaphore.waits(t)
		time.Sleep(time.Second)
		atSemaphore.returns(t)
		time.Sleep(time.Second)
		inLine.returns(t)
		g.Release()
		excluding.returns(t)
		w.Unlock()
		tidy(t, m)
	})
}

// TestExclusiveCancelRace lines up contexts that end with grants. An acquire either holds its
// guard or returns the context's error, and the waiters behind it are granted all the same.
func TestExclusiveCancelRace(t *testing.T) {
	m, _ := tens("a")
	for range byBuild(2000, 400) {
		e := alone(t, m, 5)
		ctx, cancel := context.WithCancel(bg)
		done := make(chan error, 3)
		use := func(g intGuard, err error) {
			if err == nil {
				g.Release()
			}
			done <- err
		}
		go func() { use(m.AcquireExclusiveContext(ctx, 5)) }()
		go func() { use(m.AcquireContext(ctx, 5)) }()
		go func() { use(m.AcquireExclusiveContext(bg, 5)) }()
		go cancel()
		e.Release()
		inTime(t, "three waiters", func() {
			for range 3 {
				if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	tidy(t, m)
}
