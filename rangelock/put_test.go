package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// plainTens is tens for a map without an OnRetire, with the options that set makes.
func plainTens(set func(o *rangelock.Options[int, string]), values ...string) *intMap {
	o := &rangelock.Options[int, string]{}
	if set != nil {
		set(o)
	}
	m := rangelock.New(o)
	fillTens(m, values...)
	return m
}

// TestPut puts a range over others in each position that it can have, and checks what is left:
// with trimming, with a SplitValue, and with eviction.
//
// It kills 197_put_keeps_overhang and 198_right_after_cut.
func TestPut(t *testing.T) {
	for _, x := range []struct {
		r                          intRange
		trimmed, split, retired    string // retired where values are split
		evicted, retiredByEviction string
	}{
		{rg(100, 110), "[0, 10)=a [10, 20)=b [20, 30)=c [100, 110)=x", "[0, 10)=a [10, 20)=b [20, 30)=c [100, 110)=x", "", "[0, 10)=a [10, 20)=b [20, 30)=c [100, 110)=x", ""},
		{rg(0, 10), "[0, 10)=x [10, 20)=b [20, 30)=c", "[0, 10)=x [10, 20)=b [20, 30)=c", "a", "[0, 10)=x [10, 20)=b [20, 30)=c", "a"},
		{rg(0, 30), "[0, 30)=x", "[0, 30)=x", "a b c", "[0, 30)=x", "a b c"},
		{rg(-5, 40), "[-5, 40)=x", "[-5, 40)=x", "a b c", "[-5, 40)=x", "a b c"},
		{rg(5, 10), "[0, 5)=a [5, 10)=x [10, 20)=b [20, 30)=c", "[0, 5)=al [5, 10)=x [10, 20)=b [20, 30)=c", "ar", "[5, 10)=x [10, 20)=b [20, 30)=c", "a"},
		{rg(10, 15), "[0, 10)=a [10, 15)=x [15, 20)=b [20, 30)=c", "[0, 10)=a [10, 15)=x [15, 20)=br [20, 30)=c", "bl", "[0, 10)=a [10, 15)=x [20, 30)=c", "b"},
		{rg(12, 15), "[0, 10)=a [10, 12)=b [12, 15)=x [15, 20)=b [20, 30)=c", "[0, 10)=a [10, 12)=bl [12, 15)=x [15, 20)=brr [20, 30)=c", "brl", "[0, 10)=a [12, 15)=x [20, 30)=c", "b"},
		{rg(5, 15), "[0, 5)=a [5, 15)=x [15, 20)=b [20, 30)=c", "[0, 5)=al [5, 15)=x [15, 20)=br [20, 30)=c", "ar bl", "[5, 15)=x [20, 30)=c", "a b"},
		{rg(5, 25), "[0, 5)=a [5, 25)=x [25, 30)=c", "[0, 5)=al [5, 25)=x [25, 30)=cr", "ar b cl", "[5, 25)=x", "a b c"},
		{rangelock.From(15), "[0, 10)=a [10, 15)=b [15, ∞)=x", "[0, 10)=a [10, 15)=bl [15, ∞)=x", "br c", "[0, 10)=a [15, ∞)=x", "b c"},
		{rg(-5, 5), "[-5, 5)=x [5, 10)=a [10, 20)=b [20, 30)=c", "[-5, 5)=x [5, 10)=ar [10, 20)=b [20, 30)=c", "al", "[-5, 5)=x [10, 20)=b [20, 30)=c", "a"},
		{rg(25, 35), "[0, 10)=a [10, 20)=b [20, 25)=c [25, 35)=x", "[0, 10)=a [10, 20)=b [20, 25)=cl [25, 35)=x", "cr", "[0, 10)=a [10, 20)=b [25, 35)=x", "c"},
	} {
		put := func(m *intMap, want string) {
			t.Helper()
			w := m.Lock()
			err := w.Put(x.r, "x")
			if got := text(w.Overlapping(rangelock.From(-100))); err != nil || got != want {
				t.Errorf("Put(%v) = %v: %s, want %s", x.r, err, got, want)
			}
			w.Unlock()
			if err := m.Verify(); err != nil {
				t.Error(err)
			}
			if got := text(m.All()); got != want {
				t.Errorf("after Put(%v): %s, want %s", x.r, got, want)
			}
		}
		put(plainTens(nil, "a", "b", "c"), x.trimmed)
		for _, evicts := range []bool{false, true} {
			rec := &recorder{}
			m := plainTens(func(o *rangelock.Options[int, string]) {
				o.PutEvicts = evicts
				o.OnRetire = func(_ intRange, v string) { rec.add(v) }
				o.SplitValue = func(_ intRange, _ int, v string) (string, string, error) { return v + "l", v + "r", nil }
			}, "a", "b", "c")
			want, retired := x.split, x.retired
			if evicts {
				want, retired = x.evicted, x.retiredByEviction
			}
			put(m, want)
			m.Drain(bg)
			if rec.String() != retired {
				t.Errorf("Put(%v), evicting %t: retired are %q, want %q", x.r, evicts, rec, retired)
			}
			if !x.r.Unbounded {
				usable(t, m)
			}
		}
	}
}

// TestPutWaits: Put waits for the guards on the ranges that it trims, and for no others; with
// PutEvicts it waits for none.
//
// It kills 199_put_trims_under_guards.
func TestPutWaits(t *testing.T) {
	for _, evicts := range []bool{false, true} {
		for _, r := range []intRange{rg(5, 20), rg(-5, 15), rg(5, 15), rg(12, 15)} {
			synctest.Test(t, func(t *testing.T) {
				m := plainTens(func(o *rangelock.Options[int, string]) { o.PutEvicts = evicts }, "a", "b")
				guards := []intGuard{hold(t, m, 3), hold(t, m, 13)}
				put := start("Put", func() {
					w := m.Lock()
					defer w.Unlock()
					if err := w.Put(r, "x"); err != nil {
						t.Errorf("Put(%v) = %v", r, err)
					}
				})
				for i, g := range guards {
					inside := r.Lo <= g.Range().Lo && g.Range().Hi <= r.Hi
					beside := g.Range().Hi <= r.Lo
					if evicts || inside || beside {
						continue
					}
					put.waits(t)
					guards[i].Release()
				}
				put.returns(t)
				for _, g := range guards {
					if (g != intGuard{}) {
						g.Release()
					}
				}
				usable(t, m)
			})
		}
	}
}

// TestPutRefused: an operation that is refused changes nothing.
//
// It kills 230_put_forgets_parts and 231_put_full_by_parts.
func TestPutRefused(t *testing.T) {
	split := func(o *rangelock.Options[int, string]) {
		o.OnRetire = func(intRange, string) {}
		o.SplitValue = func(_ intRange, _ int, v string) (string, string, error) { return v + "l", v + "r", nil }
	}
	for _, x := range []struct {
		name string
		set  func(o *rangelock.Options[int, string])
		r    intRange
		want error
	}{
		{"one value for two", func(o *rangelock.Options[int, string]) { o.OnRetire = func(intRange, string) {} }, rg(5, 20), rangelock.ErrPartial},
		{"one value for two at the high end", func(o *rangelock.Options[int, string]) { o.OnRetire = func(intRange, string) {} }, rg(0, 15), rangelock.ErrPartial},
		{"bad", nil, rg(5, 5), rangelock.ErrBadRange},
		{"full", func(o *rangelock.Options[int, string]) { o.MaxRanges = 3 }, rg(12, 15), rangelock.ErrFull},
		{"full beside", func(o *rangelock.Options[int, string]) { o.MaxRanges = 2 }, rg(20, 25), rangelock.ErrFull},
		{"full with parts", func(o *rangelock.Options[int, string]) { split(o); o.MaxRanges = 3 }, rg(12, 15), rangelock.ErrFull},
		{"too much with parts", func(o *rangelock.Options[int, string]) {
			split(o)
			o.MaxPending = 7
			o.Cost = func(r intRange, _ string) int64 { return int64(r.Hi - r.Lo) }
		}, rg(2, 10), rangelock.ErrBacklog},
		{"too much", func(o *rangelock.Options[int, string]) { o.MaxPending = 1 }, rg(0, 20), rangelock.ErrBacklog},
		{"evicts too much", func(o *rangelock.Options[int, string]) { o.MaxPending, o.PutEvicts = 1, true }, rg(5, 15), rangelock.ErrBacklog},
	} {
		m := plainTens(x.set, "a", "b")
		w := m.Lock()
		if err := w.Put(x.r, "x"); !errors.Is(err, x.want) {
			t.Errorf("%s: Put(%v) = %v", x.name, x.r, err)
		}
		for key := range 20 { // no range is excluded, and each miss is proved
			if g, err := m.TryAcquire(key); err != nil {
				t.Errorf("%s: TryAcquire(%d) = %v", x.name, key, err)
			} else {
				g.Release()
			}
		}
		if _, err := m.TryAcquire(77); err != rangelock.ErrNotFound {
			t.Errorf("%s: TryAcquire of nothing = %v", x.name, err)
		}
		w.Unlock()
		if s := text(m.All()); s != "[0, 10)=a [10, 20)=b" {
			t.Errorf("%s: %s", x.name, s)
		}
	}
	// A Put that ends with exactly MaxRanges is not refused, though for a moment there are more.
	m := plainTens(func(o *rangelock.Options[int, string]) { split(o); o.MaxRanges = 3 }, "a", "b")
	if err := m.Do(bg, func(w intWriter) error { return w.Put(rg(5, 15), "x") }); err != nil {
		t.Errorf("Put that fits = %v", err)
	}
	// A trimming whose wait ends without success changes nothing either.
	m = plainTens(nil, "a", "b")
	g := hold(t, m, 15)
	ctx, cancel := context.WithCancel(bg)
	w, err := m.LockContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	var wait *rangelock.WaitError[int]
	if err := w.Put(rg(5, 15), "x"); !errors.As(err, &wait) || wait.Range != rg(10, 20) {
		t.Errorf("Put under a guard = %v", err)
	}
	if g, err := m.TryAcquire(5); err != nil {
		t.Errorf("TryAcquire after it = %v", err)
	} else {
		g.Release()
	}
	w.Unlock()
	g.Release()
	usable(t, m)
}

// TestPutSplitFails lets the n-th SplitValue of a Put fail. A cut that was made before stays, as
// if by Split. Nothing is retired and nothing is lost.
//
// It kills 237_second_split_unsaid.
func TestPutSplitFails(t *testing.T) {
	full := errors.New("disk full")
	for n, x := range []struct{ want, text string }{
		{"[0, 10)=a [10, 20)=b", "rangelock: Put [0, 10): SplitValue at 5: disk full"},
		{"[0, 5)=al [5, 10)=ar [10, 20)=b", "rangelock: Put [10, 20): SplitValue at 15: disk full"},
	} {
		rec := &recorder{}
		calls := 0
		m := plainTens(func(o *rangelock.Options[int, string]) {
			o.OnRetire = func(_ intRange, v string) { rec.add(v) }
			o.SplitValue = func(_ intRange, _ int, v string) (string, string, error) {
				if calls++; calls > n {
					return "", "", full
				}
				return v + "l", v + "r", nil
			}
		}, "a", "b")
		err := m.Do(bg, func(w intWriter) error { return w.Put(rg(5, 15), "x") })
		if !errors.Is(err, full) || err.Error() != x.text {
			t.Errorf("Put = %v", err)
		}
		m.Drain(bg)
		if s := text(m.All()); s != x.want || rec.String() != "" {
			t.Errorf("%d cuts: %s, want %s; retired are %q", n, s, x.want, rec)
		}
		usable(t, m)
	}
}

// TestEvict evicts ranges that extend beyond the argument. They leave as a whole, and Evict
// returns them.
//
// It kills 238_evicted_after_leaving.
func TestEvict(t *testing.T) {
	for _, x := range []struct {
		r             intRange
		evicted, rest string
	}{
		{rg(5, 15), "[0, 10)=a [10, 20)=b", "[20, 30)=c"},
		{rg(12, 13), "[10, 20)=b", "[0, 10)=a [20, 30)=c"},
		{rg(-5, 0), "", "[0, 10)=a [10, 20)=b [20, 30)=c"},
		{rangelock.From(0), "[0, 10)=a [10, 20)=b [20, 30)=c", ""},
		{rg(0, 10), "[0, 10)=a", "[10, 20)=b [20, 30)=c"},
	} {
		m, rec := tens("a", "b", "c")
		g := hold(t, m, 5)
		w := m.Lock()
		seq, err := w.Evict(x.r)
		w.Unlock()
		if got := text(seq); err != nil || got != x.evicted {
			t.Errorf("Evict(%v) = %s, %v, want %s", x.r, got, err, x.evicted)
		}
		for range seq { // the loop may break, and the sequence be used again
			break
		}
		if got := text(m.All()); got != x.rest {
			t.Errorf("after Evict(%v): %s, want %s", x.r, got, x.rest)
		}
		g.Release()
		m.Drain(bg)
		if want := strings.Count(x.evicted, "="); len(rec.list) != want {
			t.Errorf("Evict(%v) has retired %q", x.r, rec)
		}
		usable(t, m)
	}
	m, _ := tens("a")
	w := m.Lock()
	defer w.Unlock()
	if seq, err := w.Evict(rg(3, 3)); !errors.Is(err, rangelock.ErrBadRange) || text(seq) != "" {
		t.Errorf("Evict of a bad range = %v", err)
	}
}

// TestEvictStale: what a load returns is stale if Evict, or a Put that evicts, has removed any of
// its keys, also a key outside the argument.
//
// It kills 232_evict_spares_loads.
func TestEvictStale(t *testing.T) {
	for name, do := range map[string]func(w intWriter) error{
		"Evict": func(w intWriter) error { _, err := w.Evict(rg(12, 13)); return err },
		"Put":   func(w intWriter) error { return w.Put(rg(12, 13), "x") },
	} {
		synctest.Test(t, func(t *testing.T) {
			m := plainTens(func(o *rangelock.Options[int, string]) { o.PutEvicts = true }, "", "b")
			loads := 0
			g, err := m.AcquireOrLoad(bg, 25, func(context.Context, int) (intRange, string, error) {
				if loads++; loads == 1 {
					if err := m.Do(bg, do); err != nil {
						t.Error(err)
					}
					return rg(18, 30), "old", nil // [18, 20) was evicted
				}
				return rg(20, 30), "new", nil
			})
			if err != nil || g.Value() != "new" {
				t.Fatalf("%s: the load brings %v, %v", name, fmt.Sprint(g), err)
			}
			g.Release()
		})
	}
}
