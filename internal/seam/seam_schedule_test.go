//go:build schedule

package seam_test

import (
	"context"
	"sync"
	"testing"

	"github.com/spanlock/spanlock/internal/schedule"
	"github.com/spanlock/spanlock/internal/seam"
)

// TestScheduleMutex: a Mutex excludes, and TryLock fails where Lock would wait.
func TestScheduleMutex(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: -1}, func(p *schedule.Program) {
		var mu seam.Mutex
		var room schedule.Room
		for range 2 {
			p.Go("locker", func() {
				mu.Lock()
				room.Enter(true)
				room.Leave(true)
				mu.Unlock()
			})
		}
		p.Go("try", func() {
			if mu.TryLock() {
				room.Enter(true)
				room.Leave(true)
				mu.Unlock()
			}
		})
	})
}

// TestScheduleParker: a wake-up before the park is kept, and takes precedence over the end
// of done.
func TestScheduleParker(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: -1}, func(p *schedule.Program) {
		k := seam.NewParker()
		var woken seam.Bool
		ctx, cancel := p.Context()
		p.Go("sleeper", func() {
			if !k.Park(ctx.Done()) && woken.Load() && ctx.Err() == nil {
				schedule.Failf("the wake-up is lost")
			}
		})
		p.Go("waker", func() { k.Wake(); k.Wake(); woken.Store(true) })
		p.Go("canceller", cancel)
	})
}

// TestScheduleWeighted: there is never more held than fits, a waiter is served, and a
// waiter that gives up holds nothing.
func TestScheduleWeighted(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := seam.NewWeighted(2)
		var held schedule.Word[int64]
		ctx, cancel := p.Context()
		take := func(ctx context.Context, n int64) func() {
			return func() {
				if w.Acquire(ctx, n) != nil {
					return
				}
				if held.Store(held.Load() + n); held.Load() > 2 {
					schedule.Failf("%d held", held.Load())
				}
				held.Store(held.Load() - n)
				w.Release(n)
			}
		}
		p.Go("two", take(context.Background(), 2))
		p.Go("other two", take(context.Background(), 2))
		p.Go("impatient", take(ctx, 2))
		p.Go("canceller", cancel)
		p.After(func() {
			if !w.TryAcquire(2) {
				schedule.Failf("at the end not everything has been released")
			}
		})
	})
}

// TestPlain: outside of an exploration the seam is real.
func TestPlain(t *testing.T) {
	var mu seam.Mutex
	var n, sum int
	var total seam.Int64
	pool := seam.Pool{New: func() any { return new(int) }}
	once := seam.OnceValue(func() int { sum++; return sum })
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		seam.Go(func() {
			defer wg.Done()
			for range 100 {
				mu.Lock()
				n++
				mu.Unlock()
				total.Add(1)
				pool.Put(pool.Get())
				once()
				seam.Gosched()
			}
		})
	}
	wg.Wait()
	if n != 800 || total.Load() != 800 || sum != 1 {
		t.Errorf("%d, %d, %d", n, total.Load(), sum)
	}
	k := seam.NewParker()
	seam.AfterFunc(0, k.Wake)
	if !k.Park(nil) {
		t.Error("not woken")
	}
}
