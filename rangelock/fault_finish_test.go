//go:build invariants || race

package rangelock_test

import (
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// retireHeld starts the Retire of [0, 10), on which a guard is held, and returns when the writer
// has detached the range and has not yet tried to finish it.
func retireHeld(t *testing.T, m *intMap) (retiring *call, detached *window) {
	t.Helper()
	detached = windowAt(t, "rangelock: detached")
	retiring = start("Retire", func() {
		if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
			t.Error(n, err)
		}
	})
	detached.await(t)
	return retiring, detached
}

// TestTwoFinishers lines up the writer that detaches a range and the release of the last guard on
// it. Both have seen that no reader is in the range any more, and both are about to finish it.
// Exactly one of them must succeed.
//
// It kills 17_retire_twice.
func TestTwoFinishers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a")
		g := hold(t, m, 5)
		retiring, detached := retireHeld(t, m)
		first := windowAt(t, "rangelock: before the finishing swap")
		second := windowAt(t, "rangelock: before the finishing swap")
		releasing := start("Release", g.Release)
		first.await(t)
		detached.letGo()
		second.await(t)
		first.letGo()
		releasing.returns(t)
		second.letGo()
		retiring.returns(t)
		synctest.Wait()
		if rec.String() != "a" {
			t.Fatalf("through OnRetire went %q, want a once", rec)
		}
		start("Drain", func() { m.Drain(bg) }).returns(t)
		usable(t, m)
	})
}

// TestLateReleaser holds the release of the last guard on a range right after it has taken its
// count back. Meanwhile the writer finishes the range, OnRetire is called for it, and its header
// begins another life, attached and without guards. The release must then use the state that its
// own subtraction has left, not the present one, and its finishing swap must fail because of the
// generation.
//
// It kills 21_owner_gone and 26_finish_no_generation.
func TestLateReleaser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a")
		g := hold(t, m, 5)
		retiring, detached := retireHeld(t, m)
		gone := windowAt(t, "rangelock: a count given back")
		releasing := start("Release", g.Release)
		gone.await(t)
		detached.letGo()
		retiring.returns(t)
		start("Drain", func() { m.Drain(bg) }).returns(t)
		if rec.String() != "a" {
			t.Fatalf("retired are %q, want a", rec)
		}
		if err := m.Insert(bg, rg(50, 60), "b"); err != nil {
			t.Fatal(err)
		}
		state := m.State(55)
		if rangelock.Generation(state) != 1 {
			t.Fatalf("the header is not in its second life: state %#x", state)
		}
		gone.letGo()
		releasing.returns(t)
		synctest.Wait()
		if rec.String() != "a" {
			t.Fatalf("the late releaser has retired the header's next life: %q", rec)
		}
		if m.State(55) != state {
			t.Fatalf("the late releaser has made %#x of the next life's state %#x", m.State(55), state)
		}
		usable(t, m)
	})
}

// TestDetachInOrder holds the writer when it has set the bits of detachment, releases the last
// guard, and waits until the range has been through OnRetire. After that no search may find it in
// the tree. The range was counted as pending before, so Drain does not wait for it and the count
// does not fall below zero.
//
// It kills 27_detach_before_unlink, 27_detach_before_unlink_swap and 52_count_after_bits.
func TestDetachInOrder(t *testing.T) {
	cases := []struct {
		name   string
		detach func(m *intMap) error
		want   string
	}{
		{"Retire", func(m *intMap) error { _, err := m.Retire(bg, rg(0, 10)); return err }, "[10, 20)=b"},
		{"Swap", func(m *intMap) error { return m.Swap(bg, rg(0, 10), "new") }, "[0, 10)=new [10, 20)=b"},
		{"Clear", func(m *intMap) error {
			w := m.Lock()
			defer w.Unlock()
			_, err := w.Clear()
			return err
		}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, rec := tens("a", "b")
				g := hold(t, m, 5)
				detached := windowAt(t, "rangelock: detached")
				detaching := start(c.name, func() {
					if err := c.detach(m); err != nil {
						t.Error(err)
					}
				})
				detached.await(t)
				g.Release()
				synctest.Wait()
				if rec.String() != "a" {
					t.Fatalf("retired are %q, want a", rec)
				}
				if got := text(m.All()); got != c.want {
					t.Errorf("after OnRetire of [0, 10) All yields %q, want %q", got, c.want)
				}
				start("Drain after the OnRetire", func() { m.Drain(bg) }).returns(t)
				detached.letGo()
				detaching.returns(t)
				start("Drain", func() { m.Drain(bg) }).returns(t)
				usable(t, m)
			})
		})
	}
}

// TestFreedWhileIdle enqueues a range to be retired at the moment when submit has found the stack
// empty and has not yet cleared busy. submit must look at the stack again, because enqueue relies
// on it.
//
// It kills 72_no_second_look.
func TestFreedWhileIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a", "b")
		a, b := hold(t, m, 5), hold(t, m, 15)
		if n, err := m.Retire(bg, rg(0, 20)); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		idle := windowAt(t, "rangelock: nothing to hand over")
		a.Release()
		idle.await(t)
		b.Release()
		idle.letGo()
		start("Drain", func() { m.Drain(bg) }).returns(t)
		if rec.String() != "a b" {
			t.Errorf("retired are %q", rec)
		}
		usable(t, m)
	})
}

// TestPinCoversAdd holds a reader after its search, before it looks at the range that it has
// found. Meanwhile the range is retired, and the test does all it can to give its header to
// another range. The reader must not enter that range with its key.
//
// It kills 15_pin_ends_early: where keys are no words the bounds need no second check after the
// add only because the pin lasts until then.
func TestPinCoversAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tensPinned("a")
		found := windowAt(t, "rangelock: range found")
		var g intGuard
		var err error
		reader := start("TryAcquire", func() { g, err = m.TryAcquire(5) })
		found.await(t)
		if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		draining := start("Drain", func() { m.Drain(bg) })
		synctest.Wait()
		if err := m.Insert(bg, rg(50, 60), "b"); err != nil {
			t.Fatal(err)
		}
		found.letGo()
		reader.returns(t)
		if err == nil {
			t.Fatalf("TryAcquire(5) has entered %v with %q", g.Range(), g.Value())
		}
		if err != rangelock.ErrBusy {
			t.Errorf("TryAcquire(5) = %v", err)
		}
		draining.returns(t)
		if rec.String() != "a" {
			t.Errorf("retired are %q", rec)
		}
		usable(t, m)
	})
}
