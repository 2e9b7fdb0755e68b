package rangelock_test

import (
	"context"
	"errors"
	"math"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// gated returns a map with MaxPending bound. Its OnRetire waits for a value on gate before it
// returns. The cost of a range is its value.
func gated(bound int64, wait bool) (m *intMap, gate chan bool) {
	gate = make(chan bool)
	m = rangelock.New(&rangelock.Options[int, string]{
		OnRetire: func(intRange, string) { <-gate },
		Cost: func(_ intRange, v string) int64 {
			cost, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				panic(err)
			}
			return cost
		},
		MaxPending:  bound,
		WaitForRoom: wait,
	})
	return m, gate
}

func mustInsert(t *testing.T, m *intMap, r intRange, cost int64) {
	t.Helper()
	if err := m.Insert(bg, r, strconv.FormatInt(cost, 10)); err != nil {
		t.Fatal(err)
	}
}

// TestRoom: Room waits until the cost fits, and holds no lock meanwhile. It serves its callers in the
// order in which they came.
func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, gate := gated(10, false)
		for i := range 3 {
			mustInsert(t, m, rg(10*i, 10*i+10), 5)
		}
		for i := range 2 {
			if _, err := m.Retire(bg, rg(10*i, 10*i+10)); err != nil {
				t.Fatal(err)
			}
		}
		_, err := m.Retire(bg, rg(20, 30))
		var full *rangelock.BacklogError[int]
		if !errors.Is(err, rangelock.ErrBacklog) || !errors.As(err, &full) ||
			full.Cost != 5 || full.Pending != 10 || full.MaxPending != 10 || full.Range != rg(20, 30) {
			t.Fatalf("Retire: %v (%+v)", err, full)
		}
		if want := "rangelock: too much is pending: [20, 30) would add 5 to the 10 that are pending, more than MaxPending 10"; err.Error() != want {
			t.Errorf("text is %q, want %q", err, want)
		}
		if err := m.Room(bg, 0); err != nil {
			t.Errorf("room for nothing: %v", err)
		}
		first := start("Room(6)", func() {
			if err := m.Room(bg, 6); err != nil {
				t.Error(err)
			}
		})
		first.waits(t)
		second := start("Room(1)", func() {
			if err := m.Room(bg, 1); err != nil {
				t.Error(err)
			}
		})
		second.waits(t)
		// No lock is held meanwhile.
		mustInsert(t, m, rg(100, 110), 1)
		gate <- true // 5 are still pending: that is too much for the first, and the second is behind it
		second.waits(t)
		third := start("Room(0)", func() {
			if err := m.Room(bg, 0); err != nil {
				t.Error(err)
			}
		})
		third.waits(t) // it fits, but others came before it
		gate <- true
		first.returns(t)
		second.returns(t)
		third.returns(t)
		if _, err := m.Retire(bg, rg(20, 30)); err != nil {
			t.Error(err)
		}
		gate <- true
		m.Drain(bg)
	})
}

// TestRoomCancelled: the end of a context ends the wait, with an error that says what the call has
// waited for. When a call leaves the queue, the calls behind it that fit are granted.
func TestRoomCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, gate := gated(10, false)
		mustInsert(t, m, rg(0, 10), 8)
		m.Retire(bg, rg(0, 10))
		cause := errors.New("the user has gone")
		ctx, cancel := context.WithCancelCause(bg)
		heavy := start("Room(10)", func() {
			err := m.Room(ctx, 10)
			var w *rangelock.WaitError[int]
			if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) || !errors.As(err, &w) || w.For != rangelock.ForRoom || w.Waited != time.Second {
				t.Errorf("Room = %v", err)
			}
		})
		heavy.waits(t)
		light := start("Room(2)", func() {
			if err := m.Room(bg, 2); err != nil {
				t.Error(err)
			}
		})
		light.waits(t)
		time.Sleep(time.Second)
		cancel(cause)
		heavy.returns(t)
		light.returns(t)
		if err := m.Room(endedContext(), 2); err != nil {
			t.Errorf("room that is there, with an ended context: %v", err)
		}
		if err := m.Room(endedContext(), 3); !errors.Is(err, context.Canceled) {
			t.Errorf("room that is not there, with an ended context: %v", err)
		}
		if err := m.Room(bg, 11); !errors.Is(err, rangelock.ErrBacklog) {
			t.Errorf("room for more than the bound: %v", err)
		}
		gate <- true
		m.Close(bg)
		if err := m.Room(bg, 1); err != rangelock.ErrClosed {
			t.Errorf("room in a closed map: %v", err)
		}
	})
}

// TestWaitForRoom: with the option the one-operation forms wait, and then take effect once, or not
// at all.
func TestWaitForRoom(t *testing.T) {
	for name, op := range map[string]func(ctx context.Context, m *intMap) error{
		"Retire": func(ctx context.Context, m *intMap) error {
			_, err := m.Retire(ctx, rg(10, 20))
			return err
		},
		"Remove": func(ctx context.Context, m *intMap) error {
			n, err := m.Remove(ctx, rg(10, 20))
			if err == nil && n != 1 {
				t.Errorf("Remove removed %d ranges", n)
			}
			return err
		},
		"Swap": func(ctx context.Context, m *intMap) error { return m.Swap(ctx, rg(10, 20), "5") },
	} {
		synctest.Test(t, func(t *testing.T) {
			m, gate := gated(5, true)
			mustInsert(t, m, rg(0, 10), 5)
			mustInsert(t, m, rg(10, 20), 5)
			if err := op(bg, m); err != nil { // there is room
				t.Fatal(name, err)
			}
			if name != "Swap" {
				mustInsert(t, m, rg(10, 20), 5)
			}
			ctx, cancel := context.WithTimeout(bg, time.Second)
			defer cancel()
			before := text(m.All())
			ended := start(name, func() {
				if err := op(ctx, m); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, rangelock.ErrBacklog) {
					t.Errorf("%s without room = %v", name, err)
				}
			})
			ended.waits(t)
			time.Sleep(time.Second)
			ended.returns(t)
			if after := text(m.All()); after != before {
				t.Errorf("%s that ended without room has changed the map to %s from %s", name, after, before)
			}
			waiting := start(name, func() {
				if err := op(bg, m); err != nil {
					t.Errorf("%s = %v", name, err)
				}
			})
			waiting.waits(t)
			w := m.Lock() // the waiting call holds no lock
			if _, err := w.Retire(rg(10, 20)); !errors.Is(err, rangelock.ErrBacklog) {
				t.Errorf("Writer.Retire without room = %v", err)
			}
			w.Unlock()
			gate <- true
			waiting.returns(t)
			gate <- true
			m.Drain(bg)
			mustInsert(t, m, rg(50, 60), 6)
			if err := m.Swap(bg, rg(50, 60), "1"); !errors.Is(err, rangelock.ErrBacklog) {
				t.Errorf("Swap of what never fits = %v", err)
			}
		})
	}
}

// TestRoomStorm: many writers wait for room under a small bound, without polling. Every operation
// succeeds, and the bound is kept.
func TestRoomStorm(t *testing.T) {
	const bound, writers, each = 7, 8, 200
	var mu sync.Mutex
	retired := 0
	m := rangelock.New(&rangelock.Options[int, int]{
		OnRetire: func(rangelock.Range[int], int) {
			mu.Lock()
			retired++
			mu.Unlock()
		},
		Cost:        func(_ rangelock.Range[int], v int) int64 { return int64(v) },
		MaxPending:  bound,
		WaitForRoom: true,
	})
	stop := make(chan struct{})
	var watching, wg sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if s := m.Stats(); s.PendingCost > bound {
					t.Errorf("%d pending", s.PendingCost)
				}
			}
		}
	})
	for i := range writers {
		wg.Go(func() {
			r := rangelock.Span(i, i+1)
			for j := range each {
				if err := m.Swap(bg, r, 1+(i+j)%bound); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	watching.Wait()
	m.Close(bg)
	if retired != writers*each {
		t.Errorf("%d retired, want %d", retired, writers*each)
	}
}

// TestCosts: sums of costs do not wrap, a cost equal to the bound is allowed, and a negative cost is
// refused before anything is counted.
func TestCosts(t *testing.T) {
	for _, bound := range []int64{1, 1 << 62, math.MaxInt64 - 1, math.MaxInt64} {
		m, gate := gated(bound, false)
		close(gate)
		mustInsert(t, m, rg(0, 1), bound)
		if _, err := m.Retire(bg, rg(0, 1)); err != nil {
			t.Errorf("MaxPending and cost %d: %v", bound, err)
		}
		m.Drain(bg)
		mustInsert(t, m, rg(0, 1), bound)
		mustInsert(t, m, rg(1, 2), 1)
		if _, err := m.Retire(bg, rg(0, 2)); !errors.Is(err, rangelock.ErrBacklog) {
			t.Errorf("MaxPending %d, cost one more: %v", bound, err)
		}
	}

	// MaxPending does not bound loaded values that cannot be inserted, so their sum can exceed any
	// number.
	m, gate := gated(10, false)
	for i := range 3 {
		m.AcquireOrLoad(bg, 5, func(context.Context, int) (intRange, string, error) {
			return rg(7, 9), strconv.FormatInt(math.MaxInt64, 10), nil
		})
		if s := m.Stats(); s.Pending != i+1 || s.PendingCost != math.MaxInt64 {
			t.Errorf("after %d loads %d are pending, cost %d", i+1, s.Pending, s.PendingCost)
		}
	}
	mustInsert(t, m, rg(0, 10), 10)
	if _, err := m.Retire(bg, rg(0, 10)); !errors.Is(err, rangelock.ErrBacklog) {
		t.Errorf("three times the largest cost is pending, and Retire: %v", err)
	}
	close(gate)
	m.Drain(bg)
	if s := m.Stats(); s.Pending != 0 || s.PendingCost != 0 {
		t.Errorf("drained, and %d are pending, cost %d", s.Pending, s.PendingCost)
	}

	m, gate = gated(10, false)
	defer close(gate)
	mustInsert(t, m, rg(0, 10), 3)
	mustInsert(t, m, rg(10, 20), -100)
	for name, op := range map[string]func(){
		"Retire": func() { m.Retire(bg, rg(0, 20)) },
		"Close":  func() { m.Close(bg) },
		"load": func() {
			m.AcquireOrLoad(bg, 25, func(context.Context, int) (intRange, string, error) { return rg(27, 29), "-100", nil })
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s with a negative cost does not panic", name)
				}
			}()
			op()
		}()
		if s := m.Stats(); s.PendingCost != 0 {
			t.Errorf("%s with a negative cost: pending cost %d", name, s.PendingCost)
		}
	}
}
