package rangelock_test

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/spanlock/spanlock/rangelock"
)

// TestRetireOrder releases the last guards of four detached ranges one after the other while a
// reader is pinned. The first range is submitted alone, the others queue behind it. OnRetire must
// see the ranges in the order in which they were released, which is not that of their keys.
//
// It kills 65_reap_backwards.
func TestRetireOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order stoppableOrder
		rec := &recorder{}
		m := rangelock.NewFunc(order.compare,
			&rangelock.Options[int, string]{OnRetire: func(_ intRange, v string) { rec.add(v) }})
		fillTens(m, "a", "b", "c", "d", "e")
		var guards []intGuard
		for i := range 4 {
			guards = append(guards, hold(t, m, 10*i))
		}
		if n, err := m.Retire(bg, rg(0, 40)); n != 4 || err != nil {
			t.Fatal(n, err)
		}
		searching := order.stopAt(t, 40, 45) // the start of [40, 50) with the key
		reader := start("TryAcquire", func() {
			if g, err := m.TryAcquire(45); err == nil {
				g.Release()
			} else {
				t.Error(err)
			}
		})
		searching.await(t)
		for _, i := range []int{2, 0, 3, 1} {
			guards[i].Release()
		}
		synctest.Wait()
		if rec.String() != "" {
			t.Errorf("%q is retired while a reader is pinned", rec)
		}
		searching.letGo()
		reader.returns(t)
		start("Drain", func() { m.Drain(bg) }).returns(t)
		if rec.String() != "c a d b" {
			t.Errorf("retired are %q, want c a d b", rec)
		}
		usable(t, m)
	})
}

// TestDrainWaits checks that Drain waits for a range that was retired before the call and has a
// guard, and not for a range that is retired while Drain waits.
//
// It kills 73_drain_too_early and 74_drain_prolonged.
func TestDrainWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b")
		a, b := hold(t, m, 5), hold(t, m, 15)
		if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		draining := start("Drain", func() { m.Drain(bg) })
		draining.waits(t)
		if n, err := m.Retire(bg, rg(10, 20)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		draining.waits(t)
		a.Release()
		draining.returns(t)
		again := start("Drain", func() { m.Drain(bg) })
		again.waits(t)
		b.Release()
		again.returns(t)
		usable(t, m)
	})
}

// TestFailedExclude ends the context of an Exclude that waits for a guard. The ranges that this
// Exclude has excluded must be readmitted, with the guard's count in place. A range that the same
// transaction had excluded before must stay excluded.
//
// It kills 62_let_in_by_store, 69_let_in_left_out and 66_let_in_too_much.
func TestFailedExclude(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b", "c")
		g := hold(t, m, 25)
		ctx, cancel := context.WithCancel(bg)
		w, err := m.LockContext(ctx)
		must(t, err, w.Exclude(rg(0, 10)))
		excluding := start("Exclude", func() {
			if err := w.Exclude(rg(10, 30)); !errors.Is(err, context.Canceled) {
				t.Errorf("Exclude = %v", err)
			}
		})
		excluding.waits(t)
		cancel()
		excluding.returns(t)
		wantTry(t, m, 5, rangelock.ErrBusy)
		wantTry(t, m, 15, "b")
		wantTry(t, m, 25, "c")
		if w.TryExclude(rg(20, 30)) {
			t.Error("the guard is not counted any more")
		}
		wantTry(t, m, 25, "c")
		g.Release()
		w.Unlock()
		usable(t, m)
	})
}

// thing is a value or a key. A weak pointer to it shows whether the collector has freed it.
type thing struct {
	n int
	_ [64]byte // tiny objects share their memory, so this is not to be one
}

func compareThings(a, b *thing) int { return cmp.Compare(a.n, b.n) }

// TestNothingKept removes a range from a map that stays in use, and checks that the collector
// frees its value and its keys. The header and the leaf are in free lists then, and must be
// cleared.
//
// It kills 24_kept_alive and 24_kept_alive_key.
func TestNothingKept(t *testing.T) {
	for name, onRetire := range map[string]func(rangelock.Range[*thing], *thing){
		"with OnRetire":    func(rangelock.Range[*thing], *thing) {},
		"without OnRetire": nil,
	} {
		t.Run(name, func(t *testing.T) {
			m := rangelock.NewFunc(compareThings, &rangelock.Options[*thing, *thing]{OnRetire: onRetire})
			// This is a function of its own so that no variable here keeps a key or the value.
			watched := func() map[string]weak.Pointer[thing] {
				lo, hi, v := &thing{n: 10}, &thing{n: 20}, &thing{}
				must(t, m.Insert(bg, rangelock.Span(lo, hi), v))
				g, err := m.TryAcquire(&thing{n: 15})
				must(t, err)
				g.Release()
				if n, err := m.Remove(bg, rangelock.Span(lo, hi)); n != 1 || err != nil {
					t.Fatal(n, err)
				}
				return map[string]weak.Pointer[thing]{
					"low bound": weak.Make(lo), "high bound": weak.Make(hi), "value": weak.Make(v),
				}
			}()
			must(t, m.Drain(bg))
			for range 3 {
				runtime.GC()
			}
			for what, p := range watched {
				if p.Value() != nil {
					t.Errorf("the %s of a range that has left the map is kept alive", what)
				}
			}
			runtime.KeepAlive(m)
		})
	}
}
