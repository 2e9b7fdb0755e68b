package rangelock_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// This file checks what an exclusive guard is: which acquires it refuses or delays, for which
// keys it can be had, and what is ordered before it. exclusive_queue_test.go lines up waiters,
// exclusive_cancel_test.go contexts that end, and exclusive_writers_test.go transactions.

// TestExclusive checks the three forms of AcquireExclusive on a gap, on a free range, beside an
// exclusive guard and beside a shared one.
func TestExclusive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "", "c")
		if _, err := m.TryAcquireExclusive(15); err != rangelock.ErrNotFound {
			t.Errorf("TryAcquireExclusive of a gap: %v", err)
		}
		if _, ok := m.AcquireExclusive(15); ok {
			t.Error("AcquireExclusive of a gap is true")
		}
		if _, err := m.AcquireExclusiveContext(endedContext(), 15); err != rangelock.ErrNotFound {
			t.Errorf("AcquireExclusiveContext of a gap: %v", err)
		}
		e, err := m.AcquireExclusiveContext(endedContext(), 5)
		if err != nil || e.Value() != "a" || e.Range() != rg(0, 10) {
			t.Fatal(err, e)
		}
		wantTry(t, m, 5, rangelock.ErrBusy)
		wantTry(t, m, 25, "c")
		if _, err := m.TryAcquireExclusive(5); err != rangelock.ErrBusy {
			t.Errorf("TryAcquireExclusive beside an exclusive guard: %v", err)
		}
		if v, ok := m.Get(5); v != "a" || !ok {
			t.Errorf("Get beside an exclusive guard: %q, %t", v, ok)
		}
		ctx, cancel := context.WithCancel(bg)
		first := start("AcquireExclusiveContext", func() {
			if g, err := m.AcquireExclusiveContext(ctx, 5); !errors.Is(err, context.Canceled) || g != (intGuard{}) {
				t.Errorf("%v, %v", g, err)
			}
		})
		first.waits(t)
		reading, g := shared(t, m, 5)
		reading.waits(t)
		if n := m.InLine(5); n != 2 {
			t.Errorf("%d waiters, want 2", n)
		}
		cancel()
		first.returns(t)
		reading.waits(t)
		e.Release()
		reading.returns(t)
		if _, err := m.TryAcquireExclusive(5); err != rangelock.ErrBusy {
			t.Errorf("TryAcquireExclusive beside a shared guard: %v", err)
		}
		g.Release()
		tidy(t, m)
	})
}

// TestExclusiveDelaysReaders checks that each way to take a shared guard waits for an exclusive
// one.
func TestExclusiveDelaysReaders(t *testing.T) {
	for name, read := range map[string]func(m *intMap) string{
		"View": func(m *intMap) (v string) {
			m.View(5, func(_ intRange, x string) { v = x })
			return v
		},
		"AcquireNext": func(m *intMap) string {
			g, _ := m.AcquireNext(-5)
			defer g.Release()
			return g.Value()
		},
		"Guards": func(m *intMap) (v string) {
			for g := range m.Guards(rg(-5, 50)) {
				v += g.Value()
			}
			return v[:1]
		},
		"Reader": func(m *intMap) string {
			r := m.RLock()
			defer r.Unlock()
			g, _ := r.Acquire(5)
			defer g.Release()
			return g.Value()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens("a", "b")
				e := alone(t, m, 5)
				reading := start(name, func() {
					if v := read(m); v != "a" {
						t.Errorf("%s finds %q", name, v)
					}
				})
				reading.waits(t)
				e.Release()
				reading.returns(t)
				tidy(t, m)
			})
		})
	}
}

// TestExclusiveKeys takes an exclusive guard on an unbounded range with keys of another type. A
// comparison that panics in an acquire leaves nothing behind.
func TestExclusiveKeys(t *testing.T) {
	b := rangelock.NewFunc[[]byte, int](bytes.Compare, nil)
	must(t, b.Insert(bg, rangelock.From([]byte("m")), 1))
	e, ok := b.AcquireExclusive([]byte("zz"))
	if !ok || !e.Range().Unbounded {
		t.Fatal(e, ok)
	}
	if _, err := b.TryAcquire([]byte("n")); err != rangelock.ErrBusy {
		t.Error(err)
	}
	e.Release()
	broken := false
	m := rangelock.NewFunc(func(a, b int) int {
		if broken {
			panic("broken")
		}
		return a - b
	}, &rangelock.Options[int, string]{})
	fillTens(m, "a", "b")
	g := hold(t, m, 5)
	broken = true
	for name, f := range map[string]func(){
		"TryAcquireExclusive": func() { m.TryAcquireExclusive(5) },
		"AcquireExclusive":    func() { m.AcquireExclusive(5) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			f()
		}()
	}
	broken = false
	g.Release()
	tidy(t, m)
}

// TestExclusiveWraps takes and releases exclusive guards in the last life of a header before its
// generation wraps.
func TestExclusiveWraps(t *testing.T) {
	m, rec := tens("a")
	m.SetGeneration(5, 1<<29-1)
	e := alone(t, m, 5)
	wantTry(t, m, 5, rangelock.ErrBusy)
	e.Release()
	hold := hold(t, m, 5)
	hold.Release()
	e = alone(t, m, 5)
	must(t, m.Swap(bg, rg(0, 10), "b"))
	e.Release()
	if must(t, m.Drain(bg)); rec.String() != "a" {
		t.Errorf("retired are %q", rec)
	}
	tidy(t, m)
}

// TestHappensExclusive checks the memory model: what is done under an exclusive guard happens
// before the return of each later acquire, and reads under shared guards happen before the
// return of a later exclusive acquire. With an exclusive grant that does not look at the count
// the race detector reports a race.
func TestHappensExclusive(t *testing.T) {
	m := rangelock.New[int, *[4]int](nil)
	must(t, m.Insert(bg, rg(0, 10), new([4]int)))
	for _, marked := range []bool{false, true} {
		if marked && !m.Announcing(5) {
			t.Fatal("the readers of the range do not announce themselves")
		}
		done := make(chan bool)
		for i := range 4 {
			go func() {
				defer func() { done <- true }()
				for n := range byBuild(4*happens, happens) {
					if (n+i)%3 == 0 {
						g, _ := m.AcquireExclusive(5)
						g.Value()[0]++
						g.Value()[1]--
						g.Release()
						continue
					}
					g, _ := m.Acquire(5)
					if v := g.Value(); v[0] != -v[1] {
						t.Errorf("values %v", *v)
					}
					g.Release()
				}
			}()
		}
		for range 4 {
			<-done
		}
	}
	if m.Lines() != 0 {
		t.Errorf("%d wait queues are left", m.Lines())
	}
}
