package rangelock_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// eachGuard runs f with a guard on [0, 10) that is counted, and with one that is announced.
func eachGuard(t *testing.T, f func(t *testing.T, m *intMap, rec *recorder, g intGuard)) {
	for _, marked := range []bool{false, true} {
		t.Run(fmt.Sprintf("announced=%t", marked), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, rec := tens("a", "b")
				if marked {
					announcing(t, m)
				}
				f(t, m, rec, hold(t, m, 5))
			})
		})
	}
}

// TestClone checks that a clone is a guard of its own, whichever of the two is released first.
func TestClone(t *testing.T) {
	for _, first := range []string{"guard", "clone"} {
		t.Run(first, func(t *testing.T) {
			eachGuard(t, func(t *testing.T, m *intMap, rec *recorder, g intGuard) {
				c := g.Clone()
				if c.Value() != "a" || c.Range() != rg(0, 10) {
					t.Fatalf("the clone is on %v with %q", c.Range(), c.Value())
				}
				w := m.Lock()
				excluding := start("Exclude", func() { must(t, w.Exclude(rg(0, 10))) })
				excluding.waits(t)
				again := c.Clone() // a writer waits
				gs := []*intGuard{&g, &c, &again}
				if first == "clone" {
					gs[0], gs[1] = gs[1], gs[0]
				}
				for _, x := range gs {
					excluding.waits(t)
					x.Release()
				}
				excluding.returns(t)
				w.Unlock()
				tidy(t, m)
			})
		})
	}
}

// TestCloneLeft checks that a guard on a range that has left the map can be cloned, and that the
// range is retired after the last of the clones.
func TestCloneLeft(t *testing.T) {
	eachGuard(t, func(t *testing.T, m *intMap, rec *recorder, g intGuard) {
		must(t, m.Swap(bg, rg(0, 10), "new"))
		c := g.Clone()
		g.Release()
		d := c.Clone()
		c.Release()
		if synctest.Wait(); rec.String() != "" || d.Value() != "a" {
			t.Fatalf("retired under a clone: %q", rec)
		}
		d.Release()
		if synctest.Wait(); rec.String() != "a" {
			t.Errorf("retired are %q, want a", rec)
		}
		tidy(t, m)
	})
}

// TestCloneInLine checks that a caller that waits for an exclusive guard waits for clones that are
// made meanwhile.
func TestCloneInLine(t *testing.T) {
	eachGuard(t, func(t *testing.T, m *intMap, rec *recorder, g intGuard) {
		acquiring, e := exclusively(t, m, 5)
		acquiring.waits(t)
		c := g.Clone()
		g.Release()
		acquiring.waits(t)
		c.Release()
		acquiring.returns(t)
		e.Release()
		tidy(t, m)
	})
}

// TestCloneMisuse clones guards that cannot be cloned.
func TestCloneMisuse(t *testing.T) {
	m, _ := tens("a")
	var none intGuard
	wantPanic(t, "Clone of the zero Guard", func() { none.Clone() })
	e := alone(t, m, 5)
	wantPanic(t, "Clone of an exclusive guard", func() { e.Clone() })
	copied := e
	e.Release()
	wantPanic(t, "Downgrade after a Release", func() { copied.Downgrade() })
	m.SetReaders(5, rangelock.Limit-1)
	g := hold(t, m, 5)
	state := m.State(5)
	wantPanic(t, "Clone above the limit", func() { g.Clone() })
	if m.State(5) != state {
		t.Errorf("the state was %#x and is %#x", state, m.State(5))
	}
	g.Release()
	m.SetReaders(5, 0)
	usable(t, m)
}

// TestCloneGone clones a copy of a released guard when its range object is in another life, and
// checks that nothing has changed after the panic.
func TestCloneGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		g := hold(t, m, 5)
		copied := g
		g.Release()
		if _, err := m.Remove(bg, rg(0, 10)); err != nil {
			t.Fatal(err)
		}
		must(t, m.Drain(bg))
		must(t, m.Insert(bg, rg(0, 10), "b"))
		state := m.State(5)
		wantPanic(t, "Clone", func() { copied.Clone() })
		if m.State(5) != state {
			t.Errorf("the state was %#x and is %#x", state, m.State(5))
		}
		usable(t, m)
	})
}

// TestDowngradeGuard checks that an exclusive guard becomes a shared one, and that the callers that
// wait for a shared guard get one, up to the next that waits for an exclusive guard.
func TestDowngradeGuard(t *testing.T) {
	for _, marked := range []bool{false, true} {
		t.Run(fmt.Sprintf("announced=%t", marked), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens("a", "b")
				if marked {
					announcing(t, m)
				}
				e := alone(t, m, 5)
				var shared [2]intGuard
				var calls []*call
				for i := range shared {
					calls = append(calls, start("Acquire", func() { shared[i], _ = m.Acquire(5) }))
					calls[i].waits(t)
				}
				next, e2 := exclusively(t, m, 5)
				next.waits(t)
				var late intGuard
				last := start("Acquire", func() { late, _ = m.Acquire(5) })
				last.waits(t)
				e.Downgrade()
				for i := range shared {
					calls[i].returns(t)
				}
				next.waits(t)
				last.waits(t)
				if e.Value() != "a" {
					t.Errorf("the guard has %q", e.Value())
				}
				c := e.Clone()
				e.Release()
				shared[0].Release()
				shared[1].Release()
				next.waits(t)
				c.Release()
				next.returns(t)
				last.waits(t)
				e2.Downgrade()
				last.returns(t)
				e2.Release()
				late.Release()
				tidy(t, m)
			})
		})
	}
}

// TestDowngradeLeft downgrades an exclusive guard while a writer waits for it, and after its range
// has left the map.
func TestDowngradeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a", "b")
		e := alone(t, m, 5)
		w := m.Lock()
		excluding := start("Exclude", func() { must(t, w.Exclude(rg(0, 10))) })
		excluding.waits(t)
		e.Downgrade()
		excluding.waits(t)
		wantTry(t, m, 5, rangelock.ErrBusy)
		e.Release()
		excluding.returns(t)
		w.Unlock()
		e = alone(t, m, 15)
		if _, err := m.Retire(bg, rg(10, 20)); err != nil {
			t.Fatal(err)
		}
		e.Downgrade()
		if synctest.Wait(); rec.String() != "" || e.Value() != "b" {
			t.Fatalf("retired under a guard: %q", rec)
		}
		e.Release()
		if synctest.Wait(); rec.String() != "b" {
			t.Errorf("retired are %q, want b", rec)
		}
		tidy(t, m)
	})
}

// TestDowngradeMisuse downgrades a shared guard, the zero Guard, and a copy of a downgraded guard.
func TestDowngradeMisuse(t *testing.T) {
	m, _ := tens("a")
	var none intGuard
	wantPanic(t, "Downgrade of the zero Guard", func() { none.Downgrade() })
	g := hold(t, m, 5)
	wantPanic(t, "Downgrade of a shared guard", func() { g.Downgrade() })
	g.Release()
	e := alone(t, m, 5)
	copied, again := e, e
	e.Downgrade()
	state := m.State(5)
	wantPanic(t, "Downgrade of the copy", func() { copied.Downgrade() })
	if !rangelock.Debug { // in a debug build releasing a copy releases the guard
		wantPanic(t, "Release of the copy", func() { again.Release() })
	}
	if m.State(5) != state {
		t.Errorf("the state was %#x and is %#x", state, m.State(5))
	}
	e.Release()
	usable(t, m)
}

// TestTake checks that a guard that the body takes outlives the body, and that the others do not.
func TestTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b", "c")
		var kept intGuard
		for g := range m.Guards(rg(0, 30)) {
			if g.Value() == "b" {
				kept = g.Take()
				wantPanic(t, "Value of what was taken", func() { g.Value() })
				wantPanic(t, "Take of what was taken", func() { g.Take() })
			}
		}
		w := m.Lock()
		if !w.TryExclude(rg(0, 10)) || w.TryExclude(rg(10, 20)) || !w.TryExclude(rg(20, 30)) {
			t.Error("the guards that are held are not the one that was taken")
		}
		w.Unlock()
		if kept.Value() != "b" {
			t.Errorf("the taken guard has %q", kept.Value())
		}
		kept.Release()
		tidy(t, m)
	})
}

// TestHappensDowngrade checks that readers that a Downgrade lets in see what was written under the
// exclusive guard. If Downgrade is not an atomic operation -race reports it.
func TestHappensDowngrade(t *testing.T) {
	m := rangelock.New[int, *[2]int](nil)
	must(t, m.Insert(bg, rg(0, 10), new([2]int)))
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range byBuild(4*happens, happens) {
				if (n+i)%2 == 0 {
					g, _ := m.AcquireExclusive(5)
					g.Value()[0]++
					g.Value()[1]--
					g.Downgrade()
					c := g.Clone()
					g.Release()
					if v := c.Value(); v[0] != -v[1] {
						t.Errorf("values %v", *v)
					}
					c.Release()
					continue
				}
				g, _ := m.Acquire(5)
				if v := g.Value(); v[0] != -v[1] {
					t.Errorf("values %v", *v)
				}
				g.Release()
			}
		})
	}
	wg.Wait()
}
