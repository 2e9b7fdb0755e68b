package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestExclusiveOrder lines up waiters behind a first guard in several orders. It checks which
// waiters are granted together when the guards before them are released. E is an exclusive
// guard, s a shared one.
func TestExclusiveOrder(t *testing.T) {
	for _, order := range []struct{ first, arrive, turns string }{
		{"s", "E", "E"}, {"E", "E", "E"}, {"E", "s", "s"}, {"E", "sss", "sss"},
		{"s", "EsEs", "E s E s"}, {"s", "EssE", "E ss E"}, {"E", "ssEEs", "ss E E s"}, {"s", "EEss", "E E ss"},
	} {
		t.Run(order.first+"-"+order.arrive, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens("a", "b")
				take := func(kind rune) (*call, *intGuard) {
					if kind == 'E' {
						return exclusively(t, m, 5)
					}
					return shared(t, m, 5)
				}
				opening, now := take(rune(order.first[0]))
				opening.returns(t)
				held := []*intGuard{now}
				var calls []*call
				var guards []*intGuard
				for i, kind := range order.arrive {
					c, g := take(kind)
					c.waits(t)
					if n := m.InLine(5); n != i+1 {
						t.Fatalf("%d waiters, want %d", n, i+1)
					}
					calls, guards = append(calls, c), append(guards, g)
				}
				wantTry(t, m, 5, rangelock.ErrBusy)
				wantTry(t, m, 15, "b")
				i := 0
				for n, turn := 0, ""; n <= len(order.turns); n++ {
					if n < len(order.turns) && order.turns[n] != ' ' {
						turn += string(order.turns[n])
						continue
					}
					for _, g := range held[1:] {
						g.Release()
					}
					for _, c := range calls[i:] {
						c.waits(t) // for the first guard of the batch before
					}
					held[0].Release()
					held = nil
					for range turn {
						calls[i].returns(t)
						held = append(held, guards[i])
						i++
					}
					for _, c := range calls[i:] {
						c.waits(t)
					}
					turn = ""
				}
				for _, g := range held {
					g.Release()
				}
				tidy(t, m)
			})
		})
	}
}

// TestExclusiveElsewhere lines up exclusive guards on two ranges, and a transaction that has
// changed a third range and waits for a guard on a fourth. The guards do not delay each other,
// and the transaction delays no acquire, no waiter and no grant.
func TestExclusiveElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b", "c", "d")
		blocker := hold(t, m, 25)
		w := m.Lock()
		must(t, w.Swap(rg(30, 40), "new"))
		excluding := start("Exclude", func() { must(t, w.Exclude(rg(20, 30))) })
		excluding.waits(t)
		first, e := exclusively(t, m, 5)
		first.returns(t)
		other, e2 := exclusively(t, m, 15)
		other.returns(t)
		second, next := exclusively(t, m, 5)
		second.waits(t)
		reading, g := shared(t, m, 5)
		reading.waits(t)
		e.Release()
		second.returns(t)
		next.Release()
		reading.returns(t)
		g.Release()
		e2.Release()
		excluding.waits(t)
		blocker.Release()
		excluding.returns(t)
		w.Unlock()
		tidy(t, m)
	})
}

// TestExclusiveStats checks that waits in a queue are counted and traced.
func TestExclusiveStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		m := rangelock.New(&rangelock.Options[int, string]{Trace: &rangelock.Trace[int]{
			WaitStart: func(w rangelock.WaitInfo[int]) { log = append(log, fmt.Sprint("wait ", w.Exclusive)) },
			WaitDone: func(w rangelock.WaitInfo[int]) {
				log = append(log, fmt.Sprint("got ", w.Exclusive, w.Waited, w.Err))
			},
		}})
		fillTens(m, "a")
		e := alone(t, m, 5)
		reading, g := shared(t, m, 5)
		reading.waits(t)
		time.Sleep(time.Second)
		e.Release()
		reading.returns(t)
		ctx, stop := context.WithTimeout(bg, 2*time.Second)
		defer stop()
		if _, err := m.AcquireExclusiveContext(ctx, 5); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		g.Release()
		want := "[wait false got false 1s <nil> wait true got true 2s rangelock: AcquireExclusive 5: gave up waiting for a turn at [0, 10), which has 1 guard after 2s: context deadline exceeded]"
		if got := fmt.Sprint(log); got != want {
			t.Errorf("trace is %s, want %s", got, want)
		}
		if s := m.Stats(); s.TurnWaits != 2 || s.TurnWaited != 3*time.Second || s.LockWaits != 0 {
			t.Errorf("stats are %+v", s)
		}
		tidy(t, m)
	})
}
