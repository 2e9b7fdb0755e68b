package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

type intWait = rangelock.WaitInfo[int]

// waitLog records the arguments of the hooks WaitStart and WaitDone.
type waitLog struct {
	mu           sync.Mutex
	starts, ends []intWait
}

func (l *waitLog) trace() *rangelock.Trace[int] {
	add := func(list *[]intWait) func(intWait) {
		return func(w intWait) {
			l.mu.Lock()
			defer l.mu.Unlock()
			*list = append(*list, w)
		}
	}
	return &rangelock.Trace[int]{WaitStart: add(&l.starts), WaitDone: add(&l.ends)}
}

// of returns the waits of calls with that context.
func (l *waitLog) of(ctx context.Context) (starts, ends []intWait) {
	l.mu.Lock()
	defer l.mu.Unlock()
	other := func(w intWait) bool { return w.Context != ctx }
	return slices.DeleteFunc(slices.Clone(l.starts), other), slices.DeleteFunc(slices.Clone(l.ends), other)
}

// said returns a wait as text, without its times and its context.
func said(w intWait) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s for %v", w.Op, w.For)
	if w.Exclusive {
		b.WriteString(" exclusively")
	}
	if w.Key != nil {
		fmt.Fprintf(&b, ", key %d", *w.Key)
	}
	if w.Range != (intRange{}) {
		fmt.Fprintf(&b, ", range %v", w.Range)
	}
	if w.Holder != "" {
		fmt.Fprintf(&b, ", behind %s of %v", w.Holder, w.Since.Sub(w.HolderSince))
	}
	if w.Guards != 0 || w.Ahead != 0 {
		fmt.Fprintf(&b, ", %d guards, %d ahead", w.Guards, w.Ahead)
	}
	return b.String()
}

// The following functions put something in the way of a call in TestTraceWaits. Each returns the
// function that takes it away.

func aWriter(t *testing.T, m *intMap) func() {
	w := m.Lock()
	must(t, w.Exclude(rg(0, 10)))
	must(t, w.Insert(rg(80, 90), "new"))
	return w.Unlock
}

func aReader(t *testing.T, m *intMap) func() { return m.RLock().Unlock }

func guardsAt15(t *testing.T, m *intMap) func() {
	a, b := hold(t, m, 15), hold(t, m, 15)
	return func() { a.Release(); b.Release() }
}

func exclusiveAt25(t *testing.T, m *intMap) func() {
	g, ok := m.AcquireExclusive(25)
	if !ok {
		t.Fatal("no range")
	}
	return func() { g.Release() }
}

func heldRetired(t *testing.T, m *intMap) func() {
	g := hold(t, m, 35)
	_, err := m.Retire(bg, rg(30, 40))
	must(t, err)
	return func() { g.Release() }
}

// removing is a Remove that has the lock and waits for a guard.
func removing(t *testing.T, m *intMap) func() {
	g := hold(t, m, 15)
	c := start("Remove", func() { m.Remove(bg, rg(10, 20)) })
	c.waits(t)
	return func() { g.Release(); c.returns(t) }
}

func aLoad(t *testing.T, m *intMap) func() {
	stop := make(chan struct{})
	c := start("the first AcquireOrLoad", func() {
		g, err := m.AcquireOrLoad(context.WithoutCancel(bg), 75, func(context.Context, int) (intRange, string, error) {
			<-stop
			return rg(70, 80), "loaded", nil
		})
		if err == nil { // else the map was closed meanwhile
			g.Release()
		}
	})
	c.waits(t)
	return func() { close(stop); c.returns(t) }
}

// TestTraceWaits: the hooks are called for each kind of wait of each call. They get the context, the
// method, its key or range, and what is in the way since when; at the end also how long the wait
// took, and the error of the call if its context has ended the wait.
func TestTraceWaits(t *testing.T) {
	acquire := func(key int) func(context.Context, *intMap) error {
		return func(ctx context.Context, m *intMap) error {
			g, err := m.AcquireContext(ctx, key)
			if err == nil {
				g.Release()
			}
			return err
		}
	}
	inTxn := func(f func(w intWriter) error) func(context.Context, *intMap) error {
		return func(ctx context.Context, m *intMap) error {
			return m.Do(ctx, f)
		}
	}
	release := func(g intGuard, err error) error {
		if err == nil {
			g.Release()
		}
		return err
	}
	lock := func(ctx context.Context, m *intMap) error {
		w, err := m.LockContext(ctx)
		if err == nil {
			w.Unlock()
		}
		return err
	}
	for _, x := range []struct {
		name string
		way  func(t *testing.T, m *intMap) (leaves func())
		call func(ctx context.Context, m *intMap) error
		want string
	}{
		{"LockContext", aWriter, lock, "Lock for the lock exclusively, behind Lock of 2s"},
		{"LockContext", aReader, lock, "Lock for the lock exclusively"},
		{"LockContext", removing, lock, "Lock for the lock exclusively, behind Remove of 2s"},
		{"RLockContext", aWriter, func(ctx context.Context, m *intMap) error {
			r, err := m.RLockContext(ctx)
			if err == nil {
				r.Unlock()
			}
			return err
		}, "RLock for the lock, behind Lock of 2s"},
		{"Do", aWriter, inTxn(func(intWriter) error { return nil }), "Do for the lock exclusively, behind Lock of 2s"},
		{"Insert", aWriter, func(ctx context.Context, m *intMap) error { return m.Insert(ctx, rg(90, 95), "") },
			"Insert for the lock exclusively, range [90, 95), behind Lock of 2s"},
		{"Remove", aWriter, func(ctx context.Context, m *intMap) error { _, err := m.Remove(ctx, rg(10, 20)); return err },
			"Remove for the lock exclusively, range [10, 20), behind Lock of 2s"},
		{"Retire", aReader, func(ctx context.Context, m *intMap) error { _, err := m.Retire(ctx, rg(10, 20)); return err },
			"Retire for the lock exclusively, range [10, 20)"},
		{"Swap", aWriter, func(ctx context.Context, m *intMap) error { return m.Swap(ctx, rg(10, 20), "") },
			"Swap for the lock exclusively, range [10, 20), behind Lock of 2s"},
		{"Close", aWriter, func(ctx context.Context, m *intMap) error { return m.Close(ctx) },
			"Close for the lock exclusively, behind Lock of 2s"},
		{"AcquireContext", aWriter, acquire(5), "Acquire for the lock, key 5, behind Lock of 2s"},
		{"AcquireContext of a gap", aWriter, acquire(85), "Acquire for the lock, key 85, behind Lock of 2s"},
		{"AcquireExclusiveContext", aWriter, func(ctx context.Context, m *intMap) error { return release(m.AcquireExclusiveContext(ctx, 5)) },
			"AcquireExclusive for the lock, key 5, behind Lock of 2s"},
		{"AcquireNextContext", aWriter, func(ctx context.Context, m *intMap) error { return release(m.AcquireNextContext(ctx, 5)) },
			"AcquireNext for the lock, key 5, behind Lock of 2s"},
		{"AcquirePrevContext", aWriter, func(ctx context.Context, m *intMap) error { return release(m.AcquirePrevContext(ctx, 5)) },
			"AcquirePrev for the lock, key 5, behind Lock of 2s"},
		{"GuardsContext", aWriter, func(ctx context.Context, m *intMap) error {
			for _, err := range m.GuardsContext(ctx, rg(5, 20)) {
				return err
			}
			return nil
		}, "Guards for the lock, key 5, behind Lock of 2s"},
		{"AcquireOrLoad", aWriter, func(ctx context.Context, m *intMap) error { return release(m.AcquireOrLoad(ctx, 5, noLoad(t))) },
			"AcquireOrLoad for the lock, key 5, behind Lock of 2s"},

		{"Exclude", guardsAt15, inTxn(func(w intWriter) error { return w.Exclude(rg(5, 25)) }),
			"Exclude for the guards exclusively, range [10, 20), 2 guards, 0 ahead"},
		{"Remove", guardsAt15, func(ctx context.Context, m *intMap) error { _, err := m.Remove(ctx, rg(10, 30)); return err },
			"Remove for the guards exclusively, range [10, 20), 2 guards, 0 ahead"},
		{"Split", exclusiveAt25, inTxn(func(w intWriter) error { return w.Update(25, "") }),
			"Update for the guards exclusively, range [20, 30), 1 guards, 0 ahead"},

		{"AcquireExclusiveContext", guardsAt15, func(ctx context.Context, m *intMap) error { return release(m.AcquireExclusiveContext(ctx, 15)) },
			"AcquireExclusive for a turn exclusively, key 15, range [10, 20), 2 guards, 0 ahead"},
		{"AcquireContext", exclusiveAt25, acquire(25),
			"Acquire for a turn, key 25, range [20, 30), behind AcquireExclusive of 2s, 1 guards, 0 ahead"},
		{"AcquireContext behind two", func(t *testing.T, m *intMap) func() {
			g, err := m.TryAcquireExclusive(25)
			must(t, err)
			take := func(ctx context.Context) *call {
				c := start("another", func() { release(m.AcquireExclusiveContext(ctx, 25)) })
				c.waits(t)
				return c
			}
			ctx, cancel := context.WithCancel(bg)
			a, b, c := take(bg), take(ctx), take(bg)
			cancel()
			b.returns(t)
			return func() { g.Release(); a.returns(t); c.returns(t) }
		}, acquire(25), "Acquire for a turn, key 25, range [20, 30), behind TryAcquireExclusive of 2s, 1 guards, 2 ahead"},
		{"AcquireExclusiveContext after a Downgrade", func(t *testing.T, m *intMap) func() {
			g := alone(t, m, 25)
			g.Downgrade()
			return func() { g.Release() }
		}, func(ctx context.Context, m *intMap) error { return release(m.AcquireExclusiveContext(ctx, 25)) },
			"AcquireExclusive for a turn exclusively, key 25, range [20, 30), 1 guards, 0 ahead"},
		{"Reader.AcquireContext", exclusiveAt25, func(ctx context.Context, m *intMap) error {
			r := m.RLock()
			defer r.Unlock()
			return release(r.AcquireContext(ctx, 25))
		}, "Reader.Acquire for a turn, key 25, range [20, 30), behind AcquireExclusive of 2s, 1 guards, 0 ahead"},
		{"AcquireNextContext", exclusiveAt25, func(ctx context.Context, m *intMap) error { return release(m.AcquireNextContext(ctx, 25)) },
			"AcquireNext for a turn, key 25, range [20, 30), behind AcquireExclusive of 2s, 1 guards, 0 ahead"},
		{"AcquireOrLoad", exclusiveAt25, func(ctx context.Context, m *intMap) error { return release(m.AcquireOrLoad(ctx, 25, noLoad(t))) },
			"AcquireOrLoad for a turn, key 25, range [20, 30), behind AcquireExclusive of 2s, 1 guards, 0 ahead"},

		{"AcquireOrLoad", aLoad, func(ctx context.Context, m *intMap) error { return release(m.AcquireOrLoad(ctx, 76, noLoad(t))) },
			"AcquireOrLoad for a load, key 76"},
		{"Drain", heldRetired, func(ctx context.Context, m *intMap) error { return m.Drain(ctx) }, "Drain for OnRetire"},
		{"DrainRange", heldRetired, func(ctx context.Context, m *intMap) error { return m.DrainRange(ctx, rg(0, 100)) },
			"DrainRange for OnRetire, range [0, 100)"},
		{"Close", heldRetired, func(ctx context.Context, m *intMap) error { return m.Close(ctx) }, "Close for OnRetire"},
		{"Close", aLoad, func(ctx context.Context, m *intMap) error { return m.Close(ctx) }, "Close for a load"},
		{"Room", heldRetired, func(ctx context.Context, m *intMap) error { return m.Room(ctx, 5) }, "Room for room under MaxPending"},
		{"Retire", func(t *testing.T, m *intMap) func() {
			a, b, c := heldRetired(t, m), hold(t, m, 45), hold(t, m, 55)
			_, err := m.Retire(bg, rg(40, 60))
			must(t, err)
			return func() { a(); b.Release(); c.Release() }
		}, func(ctx context.Context, m *intMap) error { _, err := m.Retire(ctx, rg(0, 30)); return err },
			"Retire for room under MaxPending, range [0, 30)"},
	} {
		for _, end := range []string{"comes to its end", "is ended by its context"} {
			t.Run(x.name+": "+x.want+" "+end, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var l waitLog
					m := rangelock.New(&rangelock.Options[int, string]{
						OnRetire: func(intRange, string) {}, MaxPending: 5, WaitForRoom: true, Trace: l.trace(),
					})
					fillTens(m, "a", "b", "c", "d", "e", "f")
					leaves := x.way(t, m)
					time.Sleep(2 * time.Second)
					before := time.Now()
					ctx, cancel := context.WithCancel(bg)
					defer cancel()
					var err error
					c := start(x.name, func() { err = x.call(ctx, m) })
					c.waits(t)
					time.Sleep(3 * time.Second)
					if end == "comes to its end" {
						leaves()
					} else {
						cancel()
					}
					c.returns(t)
					starts, ends := l.of(ctx)
					if len(starts) != len(ends) || len(starts) != 1 && x.name != "Close" { // which has three waits
						t.Fatalf("%d waits were begun, and %d ended, want 1", len(starts), len(ends))
					}
					s, e := starts[0], ends[0]
					if got := said(s); got != x.want {
						t.Errorf("begins: %s\nwant:   %s", got, x.want)
					}
					if got := said(e); got != x.want {
						t.Errorf("ends: %s\nwant: %s", got, x.want)
					}
					if s.Context != ctx || e.Context != ctx || !s.Since.Equal(before) || !e.Since.Equal(before) {
						t.Errorf("contexts %v and %v, want the call's; since %v and %v, want %v", s.Context, e.Context, s.Since, e.Since, before)
					}
					if s.Waited != 0 || s.Err != nil || e.Waited != 3*time.Second {
						t.Errorf("begins after %v with %v, ends after %v", s.Waited, s.Err, e.Waited)
					}
					if end == "comes to its end" {
						if err != nil || e.Err != nil {
							t.Errorf("the call returns %v, the trace is told %v", err, e.Err)
						}
						return
					}
					var w *rangelock.WaitError[int]
					if !errors.Is(err, context.Canceled) || e.Err != err || !errors.As(err, &w) || w.For != e.For || w.Waited != e.Waited {
						t.Errorf("the call returns %v, the trace is told %v", err, e.Err)
					}
					leaves()
				})
			})
		}
	}
}
