package rangelock_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/rangelock"
)

// crowded is more guards than a set has stripes in a checking build, so that some stand
// in one stripe.
const crowded = 5

// hotTens is tens with a hot range at 0 that has one guard from before it was hot, which
// is counted in the word, and others in stripes.
func hotTens(t *testing.T, values ...string) (*intMap, *recorder, []intGuard) {
	t.Helper()
	m, rec := tens(values...)
	guards := []intGuard{hold(t, m, 5)}
	if !m.Promote(5) || m.Stats().Hot != 1 {
		t.Fatalf("the range is not hot: %+v", m.Stats())
	}
	for range crowded {
		guards = append(guards, hold(t, m, 5))
	}
	if n := m.State(5) & (1<<29 - 1); n != 1 {
		t.Fatalf("%d guards in the word, want 1", n)
	}
	return m, rec, guards
}

// eachOrder runs f with the orders in which guards in the word and in stripes can be
// released: the word's first, last, and between.
func eachOrder(t *testing.T, f func(t *testing.T, order func(gs []intGuard) []*intGuard)) {
	for name, at := range map[string]int{"first": 0, "between": 2, "last": crowded} {
		t.Run("word="+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f(t, func(gs []intGuard) (ps []*intGuard) {
					for i := range gs[1:] {
						if i == at {
							ps = append(ps, &gs[0])
						}
						ps = append(ps, &gs[1+i])
					}
					if at == crowded {
						ps = append(ps, &gs[0])
					}
					return ps
				})
			})
		})
	}
}

// TestHotExclude: Exclude of a hot range, and AcquireExclusive, wait for the guards in the
// word and in stripes, whichever is last, and nobody enters meanwhile.
func TestHotExclude(t *testing.T) {
	eachOrder(t, func(t *testing.T, order func([]intGuard) []*intGuard) {
		m, _, guards := hotTens(t, "a", "b")
		w := m.Lock()
		if w.TryExclude(rg(0, 10)) {
			t.Error("TryExclude with guards on the range")
		}
		wantTry(t, m, 5, "a")
		excluding := start("Exclude", func() { must(t, w.Exclude(rg(0, 10))) })
		for _, g := range order(guards) {
			excluding.waits(t)
			wantTry(t, m, 5, rangelock.ErrBusy)
			go g.Release() // on another goroutine
			synctest.Wait()
		}
		excluding.returns(t)
		wantTry(t, m, 5, rangelock.ErrBusy)
		w.Unlock()
		tidy(t, m)
	})
	eachOrder(t, func(t *testing.T, order func([]intGuard) []*intGuard) {
		m, _, guards := hotTens(t, "a", "b")
		if _, err := m.TryAcquireExclusive(5); err != rangelock.ErrBusy {
			t.Errorf("TryAcquireExclusive: %v", err)
		}
		wantTry(t, m, 5, "a")
		acquiring, e := exclusively(t, m, 5)
		for _, g := range order(guards) {
			acquiring.waits(t)
			wantTry(t, m, 5, rangelock.ErrBusy)
			g.Release()
		}
		acquiring.returns(t)
		wantTry(t, m, 5, rangelock.ErrBusy)
		if n := m.Stats().Hot; n != 1 {
			t.Errorf("%d hot ranges", n)
		}
		e.Release()
		wantTry(t, m, 5, "a")
		tidy(t, m)
	})
}

// TestHotLeaves: a hot range that leaves the map is retired once, after its last guard,
// be that in the word or in a stripe; with and without an OnRetire its header is cold in
// its next life.
func TestHotLeaves(t *testing.T) {
	for name, leave := range map[string]func(m *intMap) error{
		"Retire": func(m *intMap) error { _, err := m.Retire(bg, rg(0, 10)); return err },
		"Swap":   func(m *intMap) error { return m.Swap(bg, rg(0, 10), "new") },
	} {
		t.Run(name, func(t *testing.T) {
			eachOrder(t, func(t *testing.T, order func([]intGuard) []*intGuard) {
				m, rec, guards := hotTens(t, "a", "b")
				must(t, leave(m))
				for _, g := range order(guards) {
					if synctest.Wait(); rec.String() != "" || g.Value() != "a" {
						t.Fatalf("retired under a guard: %q", rec)
					}
					g.Release()
				}
				if synctest.Wait(); rec.String() != "a" {
					t.Errorf("retired are %q, want a", rec)
				}
				must(t, m.Drain(bg))
				if n := m.Stats().Hot; n != 0 || m.IdleSets() != 1 {
					t.Errorf("%d hot ranges, %d idle sets after the retirement", n, m.IdleSets())
				}
				tidy(t, m)
			})
		})
	}
}

// TestHotCountsAttached: a hot range that has left and lives on for its guards is not
// among those of Stats.Hot, which are some of Stats.Ranges.
//
// It kills 46_left_counted_hot.
func TestHotCountsAttached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _, guards := hotTens(t, "a")
		if _, err := m.Retire(bg, rg(0, 10)); err != nil {
			t.Fatal(err)
		}
		if s := m.Stats(); s.Hot != 0 || s.Ranges != 0 || s.Pending != 1 {
			t.Errorf("%d of %d ranges are hot, %d pending", s.Hot, s.Ranges, s.Pending)
		}
		for i := range guards {
			guards[i].Release()
		}
		must(t, m.Drain(bg))
		if n := m.Stats().Hot; n != 0 || m.IdleSets() != 1 {
			t.Errorf("%d hot ranges, %d idle sets", n, m.IdleSets())
		}
		tidy(t, m)
	})
}

// TestHotRecycled: headers whose range was hot come back cold, by each way that a range
// can leave, and the sets come back, too: no number of lives uses them up.
func TestHotRecycled(t *testing.T) {
	for _, o := range []*rangelock.Options[int, string]{nil, {OnRetire: func(intRange, string) {}}} {
		m := rangelock.New(o)
		for i := range byBuild(200, 60) {
			must(t, m.Insert(bg, rg(0, 10), "a"))
			if !m.Promote(5) {
				t.Fatalf("life %d is not hot: %d idle", i, m.IdleSets())
			}
			g := hold(t, m, 5)
			if i%2 == 0 {
				g.Release()
				if n, err := m.Remove(bg, rg(0, 10)); n != 1 || err != nil {
					t.Fatal(n, err)
				}
			} else {
				if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
					t.Fatal(n, err)
				}
				g.Release()
			}
			must(t, m.Drain(bg))
			if !comesTrue(func() bool { return m.IdleSets() == 1 }) {
				t.Fatalf("%d idle sets", m.IdleSets())
			}
		}
		if _, made := m.HotSets(); made != 1 {
			t.Errorf("%d sets for one range at a time", made)
		}
	}
	wantNoGoroutines(t)
}

// TestHotExhausted makes more ranges hot than there are sets. The rest stay cold and work;
// a sweep takes the set of a range that is not used, and not of one that has a guard in
// its stripes; that gives its set up after the guard.
func TestHotExhausted(t *testing.T) {
	m, _ := tens()
	most, _ := m.HotSets()
	var guards []intGuard
	for i := range most + 1 {
		must(t, m.Insert(bg, rg(10*i, 10*i+10), "x"))
		if got := m.Promote(10*i + 5); got != (i < most) {
			t.Fatalf("range %d of %d: hot %t", i, most, got)
		}
		guards = append(guards, hold(t, m, 10*i+5)) // a range in use keeps its set
	}
	if n := m.Stats().Hot; n != most {
		t.Errorf("%d hot ranges, want %d", n, most)
	}
	last := 10*most + 5
	for i := range guards[1:most] {
		guards[1+i].Release()
	}
	m.Sweep()
	if n := m.Stats().Hot; n != 1 {
		t.Errorf("%d hot ranges after a sweep, want the one with a guard", n)
	}
	w := m.Lock()
	if w.TryExclude(rg(0, 10)) {
		t.Error("TryExclude with a guard in a stripe of a range that was swept")
	}
	w.Unlock()
	if !comesTrue(func() bool { return m.IdleSets() == most-1 }) || !m.Promote(last) {
		t.Fatalf("%d idle sets", m.IdleSets())
	}
	hot := hold(t, m, last)
	for _, g := range []*intGuard{&guards[0], &guards[most], &hot} {
		g.Release()
	}
	m.Sweep()
	if n := m.Stats().Hot; n != 0 {
		t.Errorf("%d hot ranges after the guards", n)
	}
	if !comesTrue(func() bool { return m.IdleSets() == most }) {
		t.Errorf("%d idle sets, want %d", m.IdleSets(), most)
	}
	tidy(t, m)
	wantNoGoroutines(t)
}

// TestHotStays: a range that many readers still come to keeps its stripes over a sweep.
func TestHotStays(t *testing.T) {
	m, _ := tens("a")
	m.Promote(5)
	for range 2000 {
		g := hold(t, m, 5)
		g.Release()
	}
	m.Sweep()
	if n := m.Stats().Hot; n != 1 {
		t.Error("a range with 2000 readers since it became hot is cold")
	}
	m.Sweep()
	if n := m.Stats().Hot; n != 0 {
		t.Error("a range without readers since the last sweep is hot")
	}
	tidy(t, m)
}

// TestHotKeptOut: a range that somebody keeps readers out of does not become hot.
func TestHotKeptOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		e := alone(t, m, 5)
		if m.Promote(5) {
			t.Error("hot beside an exclusive guard")
		}
		e.Release()
		g := hold(t, m, 5)
		waiting, e2 := exclusively(t, m, 5)
		waiting.waits(t)
		if m.Promote(5) {
			t.Error("hot with a line")
		}
		g.Release()
		waiting.returns(t)
		e2.Release()
		w := m.Lock()
		must(t, w.Exclude(rg(0, 10)))
		if m.Promote(5) {
			t.Error("hot while excluded")
		}
		w.Unlock()
		if !m.Promote(5) {
			t.Error("cold with nobody about")
		}
		tidy(t, m)
	})
}

// TestHotMisuse releases guards of a hot range twice.
func TestHotMisuse(t *testing.T) {
	m, _ := tens("a")
	m.Promote(5)
	g := hold(t, m, 5)
	copied := g
	g.Release()
	before := m.State(5)
	wantPanic(t, "Release of the variable", func() { g.Release() })
	wantPanic(t, "Release of the copy", func() { copied.Release() })
	if after := m.State(5); after != before {
		t.Errorf("state %#x before, %#x after", before, after)
	}
	tidy(t, m)
}

// TestHotByItself: readers of one range that collide make it hot without anybody's help.
// In a checking build, which yields between look and add, it fails always if a collision
// is not counted. Otherwise it takes two processors at the same instant, which a busy
// machine may not have to give.
func TestHotByItself(t *testing.T) {
	limit := lastResort
	if !invariants.Enabled {
		limit = 2 * time.Second
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0))))
	m, _ := tens("a")
	ctx, stop := context.WithTimeout(bg, limit)
	defer stop()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				for range 1000 {
					g, _ := m.Acquire(5)
					g.Release()
				}
			}
		})
	}
	for m.Stats().Hot == 0 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	late := ctx.Err() != nil
	stop()
	wg.Wait()
	tidy(t, m)
	switch {
	case late && invariants.Enabled:
		t.Error("four readers of one range have not made it hot")
	case late:
		t.Skip("no two readers ran at the same time")
	}
}
