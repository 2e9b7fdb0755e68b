package rangelock_test

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/rangelock"
)

// crowded is more guards than a line has slots in a checking build, so that some guards count.
const crowded = 5

// announcedTens is tens with an announced range at 0. The range has one guard from before it was
// announced, which is counted in the state word, and other guards in lines.
func announcedTens(t *testing.T, values ...string) (*intMap, *recorder, []intGuard) {
	t.Helper()
	m, rec := tens(values...)
	guards := []intGuard{hold(t, m, 5)}
	announcing(t, m)
	for range crowded {
		guards = append(guards, hold(t, m, 5))
	}
	if n, a := int(m.State(5)&(1<<29-1)), m.Announced(); n == 0 || a < 2 || n+a != 1+crowded {
		t.Fatalf("%d guards in the state word and %d in lines, want %d", n, a, 1+crowded)
	}
	return m, rec, guards
}

// eachOrder runs f with the orders in which guards in the state word and in lines can be released:
// the guard in the state word first, last, and between. Where lines are short the guards that came
// last count, too; so it also runs f with the guards in reverse.
func eachOrder(t *testing.T, f func(t *testing.T, order func(gs []intGuard) []*intGuard)) {
	for name, at := range map[string]int{"first": 0, "between": 2, "last": crowded} {
		for _, backwards := range []bool{false, true} {
			t.Run(fmt.Sprintf("word=%s/backwards=%t", name, backwards), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f(t, func(gs []intGuard) (ps []*intGuard) {
						for i := range gs[1:] {
							ps = append(ps, &gs[1+i])
						}
						if backwards {
							slices.Reverse(ps)
						}
						return slices.Insert(ps, at, &gs[0])
					})
				})
			})
		}
	}
}

// TestAnnouncedExclude checks that Exclude of an announced range, and AcquireExclusive, wait for
// the guards in the state word and in lines, in any order, and that no reader enters meanwhile.
func TestAnnouncedExclude(t *testing.T) {
	eachOrder(t, func(t *testing.T, order func([]intGuard) []*intGuard) {
		m, _, guards := announcedTens(t, "a", "b")
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
		m, _, guards := announcedTens(t, "a", "b")
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
		if !m.Announces(5) {
			t.Error("the range is no longer announced")
		}
		e.Release()
		wantTry(t, m, 5, "a")
		tidy(t, m)
	})
}

// TestAnnouncedLeaves checks that an announced range that leaves the map is retired once, after
// its last guard, whether that is in the state word or in a line.
func TestAnnouncedLeaves(t *testing.T) {
	for name, leave := range map[string]func(m *intMap) error{
		"Retire": func(m *intMap) error { _, err := m.Retire(bg, rg(0, 10)); return err },
		"Swap":   func(m *intMap) error { return m.Swap(bg, rg(0, 10), "new") },
	} {
		t.Run(name, func(t *testing.T) {
			eachOrder(t, func(t *testing.T, order func([]intGuard) []*intGuard) {
				m, rec, guards := announcedTens(t, "a", "b")
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
				if n := m.Announced(); n != 0 {
					t.Errorf("%d marks in the lines after the last release", n)
				}
				tidy(t, m)
			})
		})
	}
}

// TestAnnouncedSeen checks that Survey and Stats report how many guards are announced, also on a
// range that has left the map.
func TestAnnouncedSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _, guards := announcedTens(t, "a", "b")
		other := hold(t, m, 15)
		look := func(when string, detached bool) {
			t.Helper()
			total := m.Announced()
			for r, s := range m.Survey() {
				want := 1
				if r.Lo == 0 {
					want = 1 + crowded
				}
				if s.Guards != want || s.Announced > s.Guards || s.Announced > total || s.Detached != (detached && want > 1) {
					t.Errorf("%s: %v with %d guards, %d of them announced, detached %t; %d announced in all", when, r.Lo, s.Guards, s.Announced, s.Detached, total)
				}
				total -= s.Announced
			}
			if total != 0 {
				t.Errorf("%s: %d announced guards on no range", when, total)
			}
		}
		look("attached", false)
		if _, err := m.Retire(bg, rg(0, 10)); err != nil {
			t.Fatal(err)
		}
		look("detached", true)
		other.Release()
		for i := range guards {
			guards[i].Release()
		}
		if n := m.Announced(); n != 0 {
			t.Errorf("%d announced guards at the end", n)
		}
		must(t, m.Drain(bg))
		tidy(t, m)
	})
}

// TestAnnouncedSeenLate checks that a survey of several leaves reports a guard that was announced
// after the survey began.
func TestAnnouncedSeenLate(t *testing.T) {
	const n = 3 * rangelock.LeafCap
	m, _ := tens(slices.Repeat([]string{"a"}, n)...)
	last := 10 * (n - 1)
	if !m.Announcing(5) || !m.Announcing(last) {
		t.Fatal("the readers do not announce themselves")
	}
	var g intGuard
	for r, s := range m.Survey() {
		switch r.Lo {
		case 0:
			g = hold(t, m, last)
		case last:
			if s.Announced != 1 || s.Guards != 1 {
				t.Errorf("%d guards, %d of them announced, want 1", s.Guards, s.Announced)
			}
		}
	}
	g.Release()
	tidy(t, m)
}

// TestAnnouncedRecycled checks, for each way in which a range can leave, that the header's next
// life begins without the flag announced, and that its first reader sets the flag, because the map
// has lines.
func TestAnnouncedRecycled(t *testing.T) {
	for _, o := range []*rangelock.Options[int, string]{nil, {OnRetire: func(intRange, string) {}}} {
		m := rangelock.New(o)
		must(t, m.Insert(bg, rg(10, 20), "other"))
		m.Announcing(15)
		for i := range byBuild(200, 60) {
			must(t, m.Insert(bg, rg(0, 10), "a"))
			if m.Announces(5) {
				t.Fatalf("life %d begins announced", i)
			}
			first := hold(t, m, 5)
			if !m.Announces(5) {
				t.Fatalf("life %d: the first reader has not made it announced", i)
			}
			g := hold(t, m, 5)
			first.Release()
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
		}
	}
	wantNoGoroutines(t)
}

// TestAnnouncedMany checks Clear with ranges that have announced guards, counted guards, both, or
// none, in one transaction. Each range is retired once, and not under a guard.
func TestAnnouncedMany(t *testing.T) {
	const n = 40
	for _, how := range []string{"Clear", "Retire"} {
		t.Run(how, func(t *testing.T) {
			var mu sync.Mutex
			retired := map[int]int{}
			m := rangelock.New(&rangelock.Options[int, int]{OnRetire: func(_ intRange, v int) {
				mu.Lock()
				retired[v]++
				mu.Unlock()
			}})
			guards := map[int][]rangelock.Guard[int, int]{}
			for i := range n {
				must(t, m.Insert(bg, rg(10*i, 10*i+10), i))
			}
			for i := range n {
				if i%3 != 0 {
					m.Announcing(10 * i)
				}
				for range i % 4 {
					g, ok := m.Acquire(10 * i)
					if !ok {
						t.Fatalf("no range at %d", 10*i)
					}
					guards[i] = append(guards[i], g)
				}
			}
			w := m.Lock()
			count, err := w.Clear()
			if how == "Retire" {
				count, err = w.Retire(rg(0, 10*n))
			}
			w.Unlock()
			if how == "Clear" && (count != n || err != nil) {
				t.Fatalf("Clear = %d, %v", count, err)
			}
			now := func() map[int]int {
				mu.Lock()
				defer mu.Unlock()
				return maps.Clone(retired)
			}
			if !comesTrue(func() bool { return len(now()) == n-len(guards) }) {
				t.Errorf("%d ranges are retired, want %d", len(now()), n-len(guards))
			}
			for i, k := range now() {
				if k != 1 || len(guards[i]) != 0 {
					t.Errorf("%d was retired %d times with %d guards", i, k, len(guards[i]))
				}
			}
			for _, gs := range guards {
				for i := range gs {
					gs[i].Release()
				}
			}
			must(t, m.Drain(bg))
			if got := now(); len(got) != n {
				t.Errorf("%d of %d ranges are retired", len(got), n)
			}
		})
	}
}

// TestLinesFull holds more guards than the lines have slots. The rest count, and a writer
// waits for all of them.
func TestLinesFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b")
		announcing(t, m)
		var guards []intGuard
		for range 40 {
			guards = append(guards, hold(t, m, 5))
		}
		if n := m.State(5) & (1<<29 - 1); n == 0 {
			t.Fatal("no guard is counted: the lines are not full")
		}
		w := m.Lock()
		excluding := start("Exclude", func() { must(t, w.Exclude(rg(0, 10))) })
		for i := range guards {
			excluding.waits(t)
			guards[i].Release()
			synctest.Wait()
		}
		excluding.returns(t)
		w.Unlock()
		tidy(t, m)
	})
}

// TestAnnouncedKeptOut checks that a range does not become announced while a flag keeps readers out
// of it.
func TestAnnouncedKeptOut(t *testing.T) {
	for name, keep := range map[string]func(t *testing.T, m *intMap) (end func()){
		"an exclusive guard": func(t *testing.T, m *intMap) func() {
			e := alone(t, m, 5)
			return e.Release
		},
		"a line": func(t *testing.T, m *intMap) func() {
			g := hold(t, m, 5)
			waiting, e := exclusively(t, m, 5)
			waiting.waits(t)
			return func() {
				g.Release()
				waiting.returns(t)
				e.Release()
			}
		},
		"a writer": func(t *testing.T, m *intMap) func() {
			w := m.Lock()
			must(t, w.Exclude(rg(0, 10)))
			return w.Unlock
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens("a")
				end := keep(t, m)
				if m.Announcing(5) {
					t.Error("the range has become announced")
				}
				end()
				announcing(t, m)
				tidy(t, m)
			})
		})
	}
}

// TestAnnouncedMisuse releases guards of an announced range twice.
func TestAnnouncedMisuse(t *testing.T) {
	m, _ := tens("a")
	m.Announcing(5)
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

// TestAnnouncedByItself checks that readers of one range that meet make it announced. In a checking
// build, which yields between look and add, it always fails if a collision does not count. In other
// builds two readers must run at the same instant, for which a busy machine may have no processors.
func TestAnnouncedByItself(t *testing.T) {
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
	for !m.Announces(5) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	late := ctx.Err() != nil
	stop()
	wg.Wait()
	tidy(t, m)
	switch {
	case late && invariants.Enabled:
		t.Error("four readers of one range have not made it announced")
	case late:
		t.Skip("no two readers ran at the same time")
	}
}
