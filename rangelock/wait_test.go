package rangelock_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestWaitErrors: the error of a wait that a context has ended says what the call was waiting
// for, and errors.Is finds the context's error and its cause in it.
func TestWaitErrors(t *testing.T) {
	cause := errors.New("the client has gone")
	for name, x := range map[string]struct {
		call func(ctx context.Context, m *intMap) error
		what rangelock.WaitFor
		text string
	}{
		"Remove": {func(ctx context.Context, m *intMap) error { _, err := m.Remove(ctx, rg(0, 30)); return err },
			rangelock.ForGuards, "rangelock: Remove: gave up waiting for 1 guard on [10, 20)"},
		"AcquireExclusiveContext": {func(ctx context.Context, m *intMap) error { _, err := m.AcquireExclusiveContext(ctx, 15); return err },
			rangelock.ForTurn, "rangelock: AcquireExclusive 15: gave up waiting for a turn at [10, 20), which has 1 guard"},
		"AcquireContext": {func(ctx context.Context, m *intMap) error { _, err := m.AcquireContext(ctx, 25); return err },
			rangelock.ForTurn, "rangelock: Acquire 25: gave up waiting for a turn at [20, 30), which has 1 guard"},
		"AcquireNextContext": {func(ctx context.Context, m *intMap) error { _, err := m.AcquireNextContext(ctx, 25); return err },
			rangelock.ForTurn, "rangelock: AcquireNext 25: gave up waiting for a turn at [20, 30), which has 1 guard"},
		"GuardsContext": {func(ctx context.Context, m *intMap) error {
			for _, err := range m.GuardsContext(ctx, rg(20, 30)) {
				return err
			}
			return nil
		}, rangelock.ForTurn, "rangelock: Guards 20: gave up waiting for a turn at [20, 30), which has 1 guard"},
		"AcquireOrLoad": {func(ctx context.Context, m *intMap) error {
			_, err := m.AcquireOrLoad(ctx, 25, func(context.Context, int) (intRange, string, error) { panic("no") })
			return err
		}, rangelock.ForTurn, "rangelock: AcquireOrLoad 25: gave up waiting for a turn at [20, 30), which has 1 guard"},
		"Reader.AcquireContext": {func(ctx context.Context, m *intMap) error {
			r := m.RLock()
			defer r.Unlock()
			_, err := r.AcquireContext(ctx, 25)
			return err
		}, rangelock.ForTurn, "rangelock: Reader.Acquire 25: gave up waiting for a turn at [20, 30), which has 1 guard"},
		"LockContext": {func(ctx context.Context, m *intMap) error {
			r := m.RLock()
			defer r.Unlock()
			_, err := m.LockContext(ctx)
			return err
		}, rangelock.ForLock, "rangelock: Lock: gave up waiting for the lock"},
		"Swap": {func(ctx context.Context, m *intMap) error {
			r := m.RLock()
			defer r.Unlock()
			return m.Swap(ctx, rg(0, 10), "z")
		}, rangelock.ForLock, "rangelock: Swap [0, 10): gave up waiting for the lock"},
		"load": {func(ctx context.Context, m *intMap) error {
			_, err := m.AcquireOrLoad(ctx, 85, func(ctx context.Context, _ int) (intRange, string, error) {
				<-ctx.Done()
				return intRange{}, "", ctx.Err()
			})
			return err
		}, rangelock.ForLoad, "a load"},
		"Drain": {func(ctx context.Context, m *intMap) error { return m.Drain(ctx) },
			rangelock.ForRetire, "OnRetire after 3s; still held: [50, 60), [40, 50)"},
		"Close": {func(ctx context.Context, m *intMap) error { return m.Close(ctx) },
			rangelock.ForRetire, "OnRetire after 3s; still held: [50, 60), [40, 50), "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens("a", "b", "c", "", "e", "f")
				gs := []intGuard{hold(t, m, 15), alone(t, m, 25), hold(t, m, 45), hold(t, m, 55)}
				m.Retire(bg, rg(50, 60))
				time.Sleep(time.Millisecond)
				m.Retire(bg, rg(40, 50))
				time.Sleep(time.Millisecond)
				ctx, cancel := context.WithCancelCause(bg)
				c := start(name, func() {
					err := x.call(ctx, m)
					var w *rangelock.WaitError[int]
					if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) || !errors.As(err, &w) {
						t.Fatalf("%s = %v", name, err)
					}
					text := err.Error()
					if w.For != x.what || w.Waited != 3*time.Second || !strings.Contains(text, x.text) || !strings.Contains(text, " after 3s") ||
						!strings.HasSuffix(text, ": context canceled (the client has gone)") {
						t.Errorf("%s = %v (%+v)", name, err, w)
					}
				})
				c.waits(t)
				time.Sleep(3 * time.Second)
				cancel(cause)
				c.returns(t)
				for i := range gs {
					gs[i].Release()
				}
				m.Close(bg)
			})
		})
	}
}

// TestStatsShowWaits: a wait is in Stats and in Survey while it lasts, with the range, the guards
// and its age. Afterwards it is not.
func TestStatsShowWaits(t *testing.T) {
	for name, x := range map[string]struct {
		call func(ctx context.Context, m *intMap)
		want rangelock.Wait
		at   int // the low bound of the range with which Survey shows the wait; -1 for none
	}{
		"Exclude": {func(ctx context.Context, m *intMap) {
			if w, err := m.LockContext(ctx); err == nil {
				w.Exclude(rg(10, 30))
				w.Unlock()
			}
		}, rangelock.Wait{For: rangelock.ForGuards, Range: "[10, 20)", Guards: 2}, 10},
		"Remove": {func(ctx context.Context, m *intMap) { m.Remove(ctx, rg(10, 20)) },
			rangelock.Wait{For: rangelock.ForGuards, Range: "[10, 20)", Guards: 2}, 10},
		"AcquireExclusive": {func(ctx context.Context, m *intMap) { m.AcquireExclusiveContext(ctx, 15) },
			rangelock.Wait{For: rangelock.ForTurn, Range: "[10, 20)", Guards: 2}, 10},
		"Acquire": {func(ctx context.Context, m *intMap) { m.AcquireContext(ctx, 5) },
			rangelock.Wait{For: rangelock.ForTurn, Range: "[0, 10)", Guards: 1}, 0},
		"load": {func(ctx context.Context, m *intMap) {
			m.AcquireOrLoad(ctx, 85, func(ctx context.Context, _ int) (intRange, string, error) {
				<-ctx.Done()
				return intRange{}, "", ctx.Err()
			})
		}, rangelock.Wait{For: rangelock.ForLoad}, -1},
		"Drain": {func(ctx context.Context, m *intMap) { m.Drain(ctx) }, rangelock.Wait{For: rangelock.ForRetire}, -1},
		"Room":  {func(ctx context.Context, m *intMap) { m.Room(ctx, 5) }, rangelock.Wait{For: rangelock.ForRoom}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := rangelock.New(&rangelock.Options[int, string]{OnRetire: func(intRange, string) {}, MaxPending: 5})
				fillTens(m, "a", "b", "c", "d")
				gs := []intGuard{alone(t, m, 5), hold(t, m, 15), hold(t, m, 15), hold(t, m, 35)}
				if _, err := m.Retire(bg, rg(30, 40)); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(bg)
				c := start(name, func() { x.call(ctx, m) })
				c.waits(t)
				time.Sleep(3 * time.Second)
				s := m.Stats()
				x.want.Waited = 3 * time.Second
				if s.Waiting != 1 || s.OldestWait != 3*time.Second || len(s.Waits) != 1 || s.Waits[0] != x.want {
					t.Errorf("waiting %d, oldest %v, %+v; want %+v", s.Waiting, s.OldestWait, s.Waits, x.want)
				}
				if text := s.String(); !strings.Contains(text, "waiting: "+x.want.String()) {
					t.Errorf("no wait in %q", text)
				}
				for r, s := range m.Survey() {
					if (r.Lo == x.at) != (!s.Since.IsZero() && time.Since(s.Since) == 3*time.Second) {
						t.Errorf("the survey shows a wait at %d since %v", r.Lo, s.Since)
					}
				}
				cancel()
				c.returns(t)
				if s := m.Stats(); s.Waiting != 0 || s.OldestWait != 0 || s.Waits != nil {
					t.Errorf("Stats has waits when no call waits: %+v", s.Waits)
				}
				for i := range gs {
					gs[i].Release()
				}
				m.Close(bg)
			})
		})
	}
}

// TestTakenWaitsForNoWriter: a call that asks for a range with an exclusive guard waits for that
// guard, and not for a transaction that has not touched the range.
func TestTakenWaitsForNoWriter(t *testing.T) {
	forms := map[string]func(m *intMap) intGuard{
		"Acquire":            func(m *intMap) intGuard { g, _ := m.Acquire(5); return g },
		"AcquireContext":     func(m *intMap) intGuard { g, _ := m.AcquireContext(bg, 5); return g },
		"AcquireExclusive":   func(m *intMap) intGuard { g, _ := m.AcquireExclusive(5); return g },
		"AcquireNext":        func(m *intMap) intGuard { g, _ := m.AcquireNext(5); return g },
		"AcquireNext before": func(m *intMap) intGuard { g, _ := m.AcquireNext(-5); return g },
		"AcquireNextContext": func(m *intMap) intGuard { g, _ := m.AcquireNextContext(bg, 5); return g },
		"AcquireOrLoad": func(m *intMap) intGuard {
			g, _ := m.AcquireOrLoad(bg, 5, func(context.Context, int) (intRange, string, error) { panic("no") })
			return g
		},
		"Guards": func(m *intMap) (first intGuard) {
			for g := range m.Guards(rg(5, 6)) {
				first = *g
				*g = intGuard{} // kept
			}
			return first
		},
	}
	for name, do := range forms {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens("a", "b")
				g := alone(t, m, 5)
				w := m.Lock() // does nothing
				var got intGuard
				c := start(name, func() { got = do(m) })
				c.waits(t)
				g.Release()
				c.returns(t)
				if got.Range() != rg(0, 10) {
					t.Errorf("%s got %v", name, got.Range())
				}
				w.Unlock()
				got.Release()
				usable(t, m)
			})
		})
	}
}

// TestNextStaysTheAnswer: AcquireNext waits in the queue of the range that it has found. That
// range stays the result even if a nearer one is inserted meanwhile. If it leaves the map,
// AcquireNext searches again.
func TestNextStaysTheAnswer(t *testing.T) {
	for _, leaves := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m, _ := tens("", "b", "c")
			g := alone(t, m, 15)
			var got intGuard
			c := start("AcquireNext", func() { got, _ = m.AcquireNext(5) })
			c.waits(t)
			if err := m.Insert(bg, rg(0, 8), "x"); err != nil {
				t.Fatal(err)
			}
			want := rg(10, 20)
			if leaves {
				want = rg(0, 8)
				if _, err := m.Retire(bg, rg(10, 20)); err != nil {
					t.Fatal(err)
				}
				c.returns(t)
			}
			g.Release()
			c.returns(t)
			if got.Range() != want {
				t.Errorf("leaves %v: AcquireNext(5) got %v, want %v", leaves, got.Range(), want)
			}
			got.Release()
			usable(t, m)
		})
	}
}

// TestReaderEndsWhileItWaits unlocks another copy of a Reader while its Acquire waits in the
// queue of a range, and the range leaves. Acquire must not return the zero Guard and true.
func TestReaderEndsWhileItWaits(t *testing.T) {
	for name, change := range map[string]func(m *intMap) error{
		"Retire": func(m *intMap) error { _, err := m.Retire(bg, rg(0, 10)); return err },
		"Swap":   func(m *intMap) error { return m.Swap(bg, rg(0, 10), "z") },
	} {
		synctest.Test(t, func(t *testing.T) {
			m, _ := tens("a", "b")
			g := alone(t, m, 5)
			r := m.RLock()
			var got intGuard
			var ok bool
			c := start("Reader.Acquire", func() { got, ok = r.Acquire(5) })
			c.waits(t)
			r.Unlock()
			if err := change(m); err != nil {
				t.Fatal(err)
			}
			c.returns(t)
			if want := name == "Swap"; ok != want || ok && got.Value() != "z" {
				t.Errorf("after %s Reader.Acquire reports %v", name, ok)
			}
			if ok {
				got.Release()
			}
			g.Release()
			usable(t, m)
		})
	}
}

// TestZeroMap: each exported method of a Map that no constructor has made either panics with a
// sentence or reports an empty map.
func TestZeroMap(t *testing.T) {
	load := func(context.Context, int) (intRange, string, error) { panic("no") }
	for name, use := range map[string]func(m *intMap){
		"Acquire":                 func(m *intMap) { m.Acquire(1) },
		"AcquireContext":          func(m *intMap) { m.AcquireContext(bg, 1) },
		"TryAcquire":              func(m *intMap) { m.TryAcquire(1) },
		"AcquireExclusive":        func(m *intMap) { m.AcquireExclusive(1) },
		"AcquireExclusiveContext": func(m *intMap) { m.AcquireExclusiveContext(bg, 1) },
		"TryAcquireExclusive":     func(m *intMap) { m.TryAcquireExclusive(1) },
		"AcquireNext":             func(m *intMap) { m.AcquireNext(1) },
		"AcquireNextContext":      func(m *intMap) { m.AcquireNextContext(bg, 1) },
		"AcquireOrLoad":           func(m *intMap) { m.AcquireOrLoad(bg, 1, load) },
		"View":                    func(m *intMap) { m.View(1, func(intRange, string) {}) },
		"Get":                     func(m *intMap) { m.Get(1) },
		"Guards": func(m *intMap) {
			for range m.Guards(rg(0, 1)) {
			}
		},
		"GuardsContext": func(m *intMap) {
			for range m.GuardsContext(bg, rg(0, 1)) {
			}
		},
		"All": func(m *intMap) { text(m.All()) },
		"Survey": func(m *intMap) {
			for range m.Survey() {
			}
		},
		"SurveyIn": func(m *intMap) {
			for range m.SurveyIn(rg(0, 1)) {
			}
		},
		"Bounds":       func(m *intMap) { m.Bounds() },
		"First":        func(m *intMap) { m.First() },
		"Last":         func(m *intMap) { m.Last() },
		"Stats":        func(m *intMap) { m.Stats() },
		"Lock":         func(m *intMap) { m.Lock() },
		"LockContext":  func(m *intMap) { m.LockContext(bg) },
		"TryLock":      func(m *intMap) { m.TryLock() },
		"RLock":        func(m *intMap) { m.RLock() },
		"RLockContext": func(m *intMap) { m.RLockContext(bg) },
		"Insert":       func(m *intMap) { m.Insert(bg, rg(0, 1), "") },
		"Remove":       func(m *intMap) { m.Remove(bg, rg(0, 1)) },
		"Retire":       func(m *intMap) { m.Retire(bg, rg(0, 1)) },
		"Swap":         func(m *intMap) { m.Swap(bg, rg(0, 1), "") },
		"Close":        func(m *intMap) { m.Close(bg) },
		"Drain":        func(m *intMap) { m.Drain(bg) },
		"Room":         func(m *intMap) { m.Room(bg, 1) },
	} {
		var zero intMap
		func() {
			defer func() {
				x := recover()
				if s, _ := x.(string); !strings.HasPrefix(s, "rangelock: use of the zero Map") {
					t.Errorf("%s of the zero Map: %v", name, x)
				}
			}()
			use(&zero)
		}()
	}
	var zero intMap
	if zero.Len() != 0 {
		t.Error("the zero Map has ranges")
	}
}

// TestSurveyOfEmptyLine lets the last waiter leave a queue while a transaction has the range
// excluded. The queue stays, with no waiter in it.
func TestSurveyOfEmptyLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		g := alone(t, m, 5)
		ctx, cancel := context.WithCancel(bg)
		inLine := start("AcquireExclusiveContext", func() { m.AcquireExclusiveContext(ctx, 5) })
		inLine.waits(t)
		excluding := start("Remove", func() { m.Remove(bg, rg(0, 10)) })
		excluding.waits(t)
		cancel()
		inLine.returns(t)
		for _, s := range m.Survey() {
			if s.Waiting != 0 || !s.Excluded || s.Since.IsZero() {
				t.Errorf("surveyed %+v", s)
			}
		}
		if s := m.Stats(); s.Waiting != 1 {
			t.Errorf("%d wait: %v", s.Waiting, s.Waits)
		}
		g.Release()
		excluding.returns(t)
		m.Close(bg)
	})
}
