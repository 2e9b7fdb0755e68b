package rangelock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestExcludeWhole checks that Exclude and TryExclude keep readers out of each range that
// overlaps, as a whole, and of no other, until the transaction ends.
func TestExcludeWhole(t *testing.T) {
	for _, x := range []struct {
		r    intRange
		busy string // of a b c d, where b is followed by a gap
	}{
		{rg(0, 10), "a"}, {rg(3, 4), "a"}, {rg(-5, 1), "a"}, {rg(9, 10), "a"}, {rg(9, 11), "ab"}, {rg(-5, 0), ""},
		{rg(20, 30), ""}, {rg(19, 30), "b"}, {rg(20, 31), "c"}, {rg(19, 31), "bc"}, {rg(-9, 99), "abcd"},
		{rangelock.From(39), "cd"}, {rangelock.From(40), "d"}, {rangelock.From(50), ""}, {rangelock.From(-50), "abcd"},
	} {
		for _, try := range []bool{false, true} {
			m, _ := tens("a", "b", "", "c", "d")
			exclude := func(w intWriter) {
				t.Helper()
				if try {
					if !w.TryExclude(x.r) {
						t.Errorf("TryExclude(%v) = false", x.r)
					}
				} else if err := w.Exclude(x.r); err != nil {
					t.Errorf("Exclude(%v) = %v", x.r, err)
				}
			}
			w := m.Lock()
			check := func() {
				t.Helper()
				for key, v := range map[int]string{0: "a", 9: "a", 10: "b", 19: "b", 30: "c", 39: "c", 40: "d", 49: "d"} {
					want := any(v)
					for _, b := range x.busy {
						if string(b) == v {
							want = rangelock.ErrBusy
						}
					}
					wantTry(t, m, key, want)
				}
				wantTry(t, m, 25, rangelock.ErrNotFound)
			}
			exclude(w)
			check()
			exclude(w) // the second call has no further effect
			if err := w.Exclude(x.r); err != nil {
				t.Error(err)
			}
			check()
			w.Unlock()
			usable(t, m)
		}
	}
}

// TestExcludeBad checks that a range that is not valid excludes nothing.
func TestExcludeBad(t *testing.T) {
	m, _ := tens("a")
	w := m.Lock()
	for _, r := range []intRange{rg(5, 5), rg(6, 5), {}} {
		if err := w.Exclude(r); !errors.Is(err, rangelock.ErrBadRange) {
			t.Errorf("Exclude(%v) = %v", r, err)
		}
		if w.TryExclude(r) {
			t.Errorf("TryExclude(%v) = true", r)
		}
	}
	wantTry(t, m, 5, "a")
	w.Unlock()
	usable(t, m)
}

// TestTryExclude checks that TryExclude reports false if a range has a guard. Then it has had no
// effect on the ranges before, between and after that one, and ranges that were excluded before
// it stay so.
func TestTryExclude(t *testing.T) {
	m, _ := tens("a", "b", "c", "d", "e")
	w := m.Lock()
	if !w.TryExclude(rg(10, 20)) {
		t.Fatal("TryExclude of a free range fails")
	}
	g := hold(t, m, 35)
	for _, r := range []intRange{rg(0, 50), rg(30, 40), rg(35, 36), rangelock.From(0)} {
		if w.TryExclude(r) {
			t.Errorf("TryExclude(%v) succeeds with a guard in the way", r)
		}
		for key, want := range map[int]any{5: "a", 15: rangelock.ErrBusy, 25: "c", 35: "d", 45: "e"} {
			wantTry(t, m, key, want)
		}
	}
	g.Release()
	if !w.TryExclude(rg(0, 50)) {
		t.Error("TryExclude after the release fails")
	}
	w.Unlock()
	usable(t, m)
}

// TestExcludeCancelled checks that an Exclude whose context ends lets readers into the ranges
// again that it has excluded itself, and into no others.
func TestExcludeCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b", "c", "d", "e")
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		w, err := m.LockContext(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Exclude(rg(10, 20)); err != nil {
			t.Fatal(err)
		}
		g := hold(t, m, 35)
		c := start("Exclude", func() {
			if err := w.Exclude(rg(0, 50)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Exclude = %v", err)
			}
		})
		c.waits(t)
		// Exclude keeps new readers out of the ranges that it waits for.
		wantTry(t, m, 35, rangelock.ErrBusy)
		var v string
		reader := start("Acquire", func() {
			g, _ := m.Acquire(35)
			v = g.Value()
			g.Release()
		})
		reader.waits(t)
		time.Sleep(time.Second)
		c.returns(t)
		for key, want := range map[int]any{5: "a", 15: rangelock.ErrBusy, 25: "c", 35: "d", 45: "e"} {
			wantTry(t, m, key, want)
		}
		if g.Value() != "d" {
			t.Error("the guard has changed")
		}
		// The transaction goes on, and does not wait for ranges without guards.
		if err := w.Exclude(rg(0, 10)); err != nil {
			t.Errorf("Exclude of a free range with a context that has ended = %v", err)
		}
		wantTry(t, m, 5, rangelock.ErrBusy)
		w.Unlock()
		reader.returns(t)
		if v != "d" {
			t.Errorf("the reader that waited sees %q", v)
		}
		g.Release()
		usable(t, m)
	})
}

// TestExcludeNotStarved checks promise P5: a stream of readers without a gap does not delay a
// writer longer than the readers that were there before it.
func TestExcludeNotStarved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b")
		stop := make(chan struct{})
		var readers []*call
		for i := range 10 {
			readers = append(readers, start("reader", func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				for {
					select {
					case <-stop:
						return
					default:
					}
					if g, ok := m.Acquire(5); ok {
						time.Sleep(10 * time.Millisecond)
						g.Release()
					}
				}
			}))
		}
		time.Sleep(105 * time.Millisecond)
		for range 10 {
			begin := time.Now()
			w := m.Lock()
			if err := w.Exclude(rg(0, 10)); err != nil {
				t.Error(err)
			}
			if d := time.Since(begin); d > 10*time.Millisecond {
				t.Errorf("the writer waited %v for guards of 10ms", d)
			}
			w.Unlock()
			time.Sleep(7 * time.Millisecond)
		}
		close(stop)
		for _, r := range readers {
			<-r.done
		}
	})
}

// TestExcludeElsewhere checks the other half of P5: guards on ranges that a writer does not
// exclude do not delay it, even if these ranges are neighbours.
func TestExcludeElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b", "c")
		g1, g2 := hold(t, m, 9), hold(t, m, 20)
		c := start("the writer", func() {
			w := m.Lock()
			defer w.Unlock()
			for name, err := range map[string]error{
				"Exclude": w.Exclude(rg(10, 20)),
				"Update":  w.Update(10, "B"),
				"Insert":  w.Insert(rg(30, 40), "d"),
			} {
				if err != nil {
					t.Errorf("%s = %v", name, err)
				}
			}
			if n, err := w.Remove(rg(10, 20)); n != 1 || err != nil {
				t.Errorf("Remove = %d, %v", n, err)
			}
		})
		c.returns(t)
		wantContents(t, m, "[0, 10)=a [20, 30)=c [30, 40)=d")
		g1.Release()
		g2.Release()
		usable(t, m)
	})
}

// TestExcludeSeveral checks that a writer waits for the guards on all ranges that it excludes, in
// whichever order they are released.
func TestExcludeSeveral(t *testing.T) {
	for _, order := range [][3]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}} {
		synctest.Test(t, func(t *testing.T) {
			m, _ := tens("a", "b", "c")
			guards := []intGuard{hold(t, m, 0), hold(t, m, 10), hold(t, m, 20)}
			w := m.Lock()
			c := start("Exclude", func() {
				if err := w.Exclude(rg(0, 30)); err != nil {
					t.Error(err)
				}
			})
			for _, i := range order {
				c.waits(t)
				for key := range 3 {
					wantTry(t, m, 10*key, rangelock.ErrBusy)
				}
				guards[i].Release()
			}
			c.returns(t)
			w.Unlock()
			usable(t, m)
		})
	}
}
