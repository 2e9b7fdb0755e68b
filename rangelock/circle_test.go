package rangelock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// circles are the ways in which a goroutine that holds a guard and waits in the same map waits
// for ever though no writer excludes the range of the guard. The package's documentation lists
// these circles, and -tags spanlockdebug reports them. Each function gets a map of three ranges
// and starts the other goroutines. It returns a call that ends only when its context does, and a
// function that releases the caller's guard.
var circles = map[string]func(t *testing.T, m *intMap) (wait func(ctx context.Context) error, release func()){
	"Reader.Acquire beside an exclusive guard": func(t *testing.T, m *intMap) (func(context.Context) error, func()) {
		g, _ := m.TryAcquireExclusive(5)
		go func() {
			r := m.RLock()
			defer r.Unlock()
			release(r.Acquire(5))
		}()
		synctest.Wait()
		return swap(m), g.Release
	},
	"the same, and the guard's goroutine only acquires": func(t *testing.T, m *intMap) (func(context.Context) error, func()) {
		g, _ := m.TryAcquireExclusive(5)
		go func() {
			w := m.Lock()
			w.Swap(rg(10, 20), "x")
			time.Sleep(time.Second) // until all others wait
			w.Unlock()
		}()
		synctest.Wait()
		go func() {
			r := m.RLock()
			defer r.Unlock()
			release(r.Acquire(5))
		}()
		synctest.Wait()
		go func() { m.Lock().Unlock() }()
		synctest.Wait()
		return func(ctx context.Context) error {
			g, err := m.AcquireContext(ctx, 15)
			if err == nil {
				g.Release()
			}
			return err
		}, g.Release
	},
	"Reader.Acquire behind a waiter for an exclusive guard": func(t *testing.T, m *intMap) (func(context.Context) error, func()) {
		g := hold(t, m, 5)
		go func() { release(m.AcquireExclusive(5)) }()
		synctest.Wait()
		go func() {
			r := m.RLock()
			defer r.Unlock()
			release(r.Acquire(5))
		}()
		synctest.Wait()
		return swap(m), g.Release
	},
	"Acquire with a Reader": func(t *testing.T, m *intMap) (func(context.Context) error, func()) {
		g, _ := m.TryAcquireExclusive(5)
		go func() {
			r := m.RLock()
			defer r.Unlock()
			release(m.Acquire(5))
		}()
		synctest.Wait()
		return swap(m), g.Release
	},
	"AcquireExclusive with a Reader": func(t *testing.T, m *intMap) (func(context.Context) error, func()) {
		g := hold(t, m, 5)
		go func() {
			r := m.RLock()
			defer r.Unlock()
			release(m.AcquireExclusive(5))
		}()
		synctest.Wait()
		return swap(m), g.Release
	},
	"Drain in a transaction": func(t *testing.T, m *intMap) (func(context.Context) error, func()) {
		g := hold(t, m, 5)
		go func() {
			w := m.Lock()
			defer w.Unlock()
			w.Retire(rg(0, 10))
			m.Drain(bg)
		}()
		synctest.Wait()
		return swap(m), g.Release
	},
	"Drain with a Reader": func(t *testing.T, m *intMap) (func(context.Context) error, func()) {
		g := hold(t, m, 5)
		go func() {
			m.Retire(bg, rg(0, 10))
			r := m.RLock()
			defer r.Unlock()
			m.Drain(bg)
		}()
		synctest.Wait()
		return swap(m), g.Release
	},
	"shared guards in opposite orders, and two waiters for exclusive ones": func(t *testing.T, m *intMap) (func(context.Context) error, func()) {
		g := hold(t, m, 5)
		go func() {
			g, _ := m.Acquire(15)
			defer g.Release()
			time.Sleep(time.Second) // until the two goroutines below are in the queues
			release(m.Acquire(5))
		}()
		synctest.Wait()
		go func() { release(m.AcquireExclusive(5)) }()
		go func() { release(m.AcquireExclusive(15)) }()
		synctest.Wait()
		return func(ctx context.Context) error {
			g, err := m.AcquireContext(ctx, 15)
			if err == nil {
				g.Release()
			}
			return err
		}, g.Release
	},
	"a load that wants an exclusive guard": func(t *testing.T, m *intMap) (func(context.Context) error, func()) {
		g := hold(t, m, 5)
		return func(ctx context.Context) error {
			g, err := m.AcquireOrLoad(ctx, 100, func(context.Context, int) (intRange, string, error) {
				release(m.AcquireExclusive(5))
				return rg(100, 110), "x", nil
			})
			if err == nil {
				g.Release()
			}
			return err
		}, g.Release
	},
}

func swap(m *intMap) func(ctx context.Context) error {
	return func(ctx context.Context) error { return m.Swap(ctx, rg(10, 20), "y") }
}

// TestCircles checks that each of the circles is real: the call lasts until its context ends, and
// all other goroutines finish when the guard is released.
//
// The documentation warns of these circles. If a change makes one of them impossible, remove it
// from the documentation too.
func TestCircles(t *testing.T) {
	for name, circle := range circles {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := rangelock.New[int, string](nil)
				fillTens(m, "a", "b", "c")
				wait, release := circle(t, m)
				ctx, cancel := context.WithTimeout(bg, time.Hour)
				defer cancel()
				if err := wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the call does not wait: %v", err)
				}
				release()
				synctest.Wait()
				usable(t, m)
			})
		})
	}
}
