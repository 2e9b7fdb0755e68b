package rangelock_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestRetireDuringLoad: a caller that comes after Retire has returned does not get what a load has
// read before Retire.
func TestRetireDuringLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens()
		source := "old"
		load := func(context.Context, int) (intRange, string, error) {
			v := source
			time.Sleep(time.Second) // of the synctest bubble
			return rg(0, 10), v, nil
		}
		a := ask(bg, m, 5, load)
		a.waits(t) // it has read "old"
		source = "new"
		if n, err := m.Retire(bg, rg(0, 10)); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		b := ask(bg, m, 5, load)
		b.waits(t)
		time.Sleep(3 * time.Second)
		a.gets(t, "new")
		b.gets(t, "new")
		if synctest.Wait(); rec.String() != "old" {
			t.Errorf("retired are %q, want the old value, once", rec)
		}
		usable(t, m)
	})
}

// invalidations is operations in the map "[0, 10)=a [20, 30)=c". Each makes a load of 15 stale, or
// must not. before runs first, also while the load is under way.
var invalidations = []struct {
	name   string
	before func(w intWriter) error
	do     func(w intWriter) error
	stale  bool
	left   string // the value that 15 has after the operation, if it has one
}{
	{"Retire of nothing", nil, func(w intWriter) error { _, err := w.Retire(rg(10, 20)); return err }, true, ""},
	{"Retire of one key", nil, func(w intWriter) error { _, err := w.Retire(rg(15, 16)); return err }, true, ""},
	{"Retire with others", nil, func(w intWriter) error { _, err := w.Retire(rg(0, 30)); return err }, true, ""},
	{"Remove of nothing", nil, func(w intWriter) error { _, err := w.Remove(rg(10, 20)); return err }, true, ""},
	{"Remove with others", nil, func(w intWriter) error { _, err := w.Remove(rangelock.From(0)); return err }, true, ""},
	{"Clear", nil, func(w intWriter) error { _, err := w.Clear(); return err }, true, ""},
	{"Swap in a gap", nil, func(w intWriter) error { return w.Swap(rg(10, 20), "s") }, true, "s"},
	{"Swap of others", nil, func(w intWriter) error { return w.Swap(rg(0, 30), "s") }, true, "s"},
	{"Swap, taken away again", nil, func(w intWriter) error {
		if err := w.Swap(rg(10, 20), "s"); err != nil {
			return err
		}
		return w.Resize(15, rg(40, 50))
	}, true, ""},
	{"Replace in a gap", nil, func(w intWriter) error { return w.Replace(rg(10, 20), "s") }, true, "s"},
	{"Replace of others", nil, func(w intWriter) error { return w.Replace(rg(0, 30), "s") }, true, "s"},
	{"Update", insert15, func(w intWriter) error { return w.Update(15, "u") }, true, "u"},
	{"Resize away", insert15, func(w intWriter) error { return w.Resize(15, rg(40, 50)) }, true, ""},

	{"Retire beside", nil, func(w intWriter) error { _, err := w.Retire(rg(20, 30)); return err }, false, ""},
	{"Remove of nothing beside", nil, func(w intWriter) error { _, err := w.Remove(rg(30, 90)); return err }, false, ""},
	{"Update beside", nil, func(w intWriter) error { return w.Update(5, "u") }, false, ""},
	{"Resize beside", nil, func(w intWriter) error { return w.Resize(5, rg(40, 50)) }, false, ""},
	{"Insert beside", nil, func(w intWriter) error { return w.Insert(rg(40, 50), "e") }, false, ""},
	{"Exclude", nil, func(w intWriter) error { return w.Exclude(rg(0, 90)) }, false, ""},
	{"Split", nil, func(w intWriter) error { return w.Split(5) }, false, ""},

	{"Retire refused", nil, refused(rangelock.ErrPartial, func(w intWriter) error { _, err := w.Retire(rg(5, 20)); return err }), false, ""},
	{"Remove refused", nil, refused(rangelock.ErrBadRange, func(w intWriter) error { _, err := w.Remove(rg(20, 10)); return err }), false, ""},
	{"Swap refused", nil, refused(rangelock.ErrPartial, func(w intWriter) error { return w.Swap(rg(10, 25), "s") }), false, ""},
	{"too much pending", nil, refused(rangelock.ErrBacklog, func(w intWriter) error { _, err := w.Retire(rg(10, 60)); return err }), false, ""},
	{"Clear of too much", nil, refused(rangelock.ErrBacklog, func(w intWriter) error { _, err := w.Clear(); return err }), false, ""},
	{"Update refused", nil, refused(rangelock.ErrNotFound, func(w intWriter) error { return w.Update(15, "u") }), false, ""},
	{"Resize refused", nil, refused(rangelock.ErrOverlap, func(w intWriter) error { return w.Resize(5, rg(15, 25)) }), false, ""},
}

func insert15(w intWriter) error { return w.Insert(rg(12, 18), "i") }

// refused returns an operation that checks that do fails with want. For ErrBacklog it first inserts
// ranges that cost too much.
func refused(want error, do func(w intWriter) error) func(w intWriter) error {
	return func(w intWriter) error {
		if want == rangelock.ErrBacklog {
			for lo := 40; lo < 60; lo += 10 {
				if err := w.Insert(rg(lo, lo+10), "x"); err != nil {
					return err
				}
			}
		}
		if err := do(w); !errors.Is(err, want) {
			return fmt.Errorf("%v, want %v", err, want)
		}
		return nil
	}
}

// TestLoadInvalidated: an operation that removes ranges invalidates its keys, also where no range
// is. The context of a stale load ends, its value is retired once, and its callers load again, or
// find the range that the operation has inserted. An operation that fails invalidates nothing.
//
// Kills 42_stale_load and 42_stale_load_of_nothing.
func TestLoadInvalidated(t *testing.T) {
	for _, x := range invalidations {
		for _, limited := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/LoadRange=%v", x.name, limited), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { invalidate(t, x.before, x.do, x.stale, x.left, limited) })
			})
		}
	}
}

func invalidate(t *testing.T, before, do func(w intWriter) error, stale bool, left string, limited bool) {
	rec := &recorder{}
	o := &rangelock.Options[int, string]{
		OnRetire:   func(_ intRange, v string) { rec.add(v) },
		SplitValue: func(_ intRange, _ int, v string) (string, string, error) { return v, v, nil },
		Cost: func(_ intRange, v string) int64 {
			if v == "x" {
				return 100
			}
			return 1
		},
		MaxPending: 100,
	}
	if limited {
		o.LoadRange = tenOf
	}
	m := rangelock.New(o)
	fillTens(m, "a", "", "c")
	h := newGatedLoad()
	a, b := ask(bg, m, 15, h.load), ask(bg, m, 15, h.load)
	a.waits(t)
	b.waits(t)
	ctx := h.context(t)
	w := m.Lock()
	if before != nil {
		if err := before(w); err != nil {
			t.Fatal(err)
		}
	}
	if ctx.Err() != nil {
		t.Fatal("the context of the load has ended too soon")
	}
	if err := do(w); err != nil {
		t.Fatal(err)
	}
	if (ctx.Err() != nil) != stale {
		t.Errorf("the load is stale: %v, want %v", !stale, stale)
	}
	w.Unlock()
	a.waits(t) // for the load, or for the next one
	c := ask(bg, m, 15, h.load)
	if left == "" {
		c.waits(t)
	} else {
		c.gets(t, left)
	}
	if n := h.calls.Load(); n != 1 {
		t.Fatalf("%d loads at once for one range", n)
	}
	h.send <- loaded(10, 20, "old")
	want := "old"
	if stale {
		if want = left; left == "" {
			want = "new"
			for _, x := range []*asker{a, b, c} {
				x.waits(t)
			}
			if n := h.calls.Load(); n != 2 {
				t.Fatalf("%d loads, want a second", n)
			}
			h.send <- loaded(10, 20, "new")
		}
	}
	a.gets(t, want)
	b.gets(t, want)
	if left == "" {
		c.gets(t, want)
	}
	synctest.Wait()
	if n := strings.Count(rec.String(), "old"); stale != (n == 1) || n > 1 {
		t.Errorf("the value of the first load has been retired %d times", n)
	}
	usable(t, m)
}

// TestLoadWindow: a loaded range is fresh exactly if no key in it was invalidated since the load
// began, whatever was invalidated beside the range. The load's key is 15.
//
// Kills 42_window_not_narrowed and 42_window_of_the_last.
func TestLoadWindow(t *testing.T) {
	type rs = []intRange
	for _, x := range []struct {
		retired rs
		returns intRange
		fresh   bool
	}{
		{nil, rangelock.From(-1 << 30), true},
		{rs{rg(0, 10)}, rg(10, 20), true},
		{rs{rg(0, 10)}, rg(9, 20), false},
		{rs{rg(0, 10)}, rg(0, 16), false},
		{rs{rg(0, 10)}, rangelock.From(10), true},
		{rs{rg(20, 30)}, rg(10, 20), true},
		{rs{rg(20, 30)}, rg(10, 21), false},
		{rs{rg(20, 30)}, rg(-90, 16), true},
		{rs{rg(20, 30)}, rangelock.From(10), false},
		{rs{rangelock.From(20)}, rg(10, 20), true},
		{rs{rangelock.From(20)}, rangelock.From(15), false},
		{rs{rg(0, 15)}, rg(15, 20), true},
		{rs{rg(0, 15)}, rg(14, 20), false},
		{rs{rg(16, 17)}, rg(10, 16), true},
		{rs{rg(16, 17)}, rg(10, 17), false},
		{rs{rg(0, 10), rg(20, 30)}, rg(10, 20), true},
		{rs{rg(0, 10), rg(20, 30)}, rg(9, 20), false},
		{rs{rg(0, 10), rg(20, 30)}, rg(10, 21), false},
		// The nearest invalidation on each side counts, in either order.
		{rs{rg(18, 19), rg(20, 30)}, rg(10, 20), false},
		{rs{rg(20, 30), rg(18, 19)}, rg(10, 20), false},
		{rs{rg(18, 19), rg(20, 30)}, rg(10, 18), true},
		{rs{rg(0, 5), rg(11, 12)}, rg(10, 20), false},
		{rs{rg(11, 12), rg(0, 5)}, rg(10, 20), false},
		{rs{rg(11, 12), rg(0, 5)}, rg(12, 20), true},
		// Many on each side.
		{rs{rg(0, 2), rg(4, 6), rg(8, 10), rg(20, 22), rg(24, 26), rg(28, 30)}, rg(10, 20), true},
		{rs{rg(28, 30), rg(24, 26), rg(20, 22), rg(8, 10), rg(4, 6), rg(0, 2)}, rg(10, 24), false},
	} {
		t.Run(fmt.Sprintf("%v returns %v", x.retired, x.returns), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, rec := tens()
				h := newGatedLoad()
				a := ask(bg, m, 15, h.load)
				a.waits(t)
				b := ask(bg, m, 15, h.load)
				b.waits(t)
				for _, r := range x.retired {
					if n, err := m.Retire(bg, r); n != 0 || err != nil {
						t.Fatal(n, err)
					}
				}
				if h.context(t).Err() != nil {
					t.Fatal("the load is stale at once")
				}
				h.send <- func() (intRange, string, error) { return x.returns, "v", nil }
				synctest.Wait()
				if fresh := h.calls.Load() == 1; fresh != x.fresh {
					t.Errorf("fresh is %v, want %v", fresh, x.fresh)
				}
				if h.calls.Load() > 1 {
					h.send <- func() (intRange, string, error) { return x.returns, "w", nil }
					a.gets(t, "w")
					b.gets(t, "w")
					synctest.Wait()
				} else {
					a.gets(t, "v")
					b.gets(t, "v")
				}
				if want := map[bool]string{false: "v"}[x.fresh]; rec.String() != want {
					t.Errorf("retired are %q, want %q", rec, want)
				}
				if n, err := m.Remove(bg, x.returns); n != 1 || err != nil {
					t.Fatal(n, err)
				}
				usable(t, m)
			})
		})
	}
}

// TestLoadFailedBefore: a caller that comes after an invalidation is not told the failure of a load
// that began before the invalidation, even if the load's key was not invalidated. The reason is
// that an error does not say which keys it is about. ErrOverlap is told, and a value is given,
// because the range of a load says which keys these are about.
//
// Kills 42_failure_from_before.
func TestLoadFailedBefore(t *testing.T) {
	for _, x := range append(loadFailures,
		struct {
			name string
			load func() (intRange, string, error)
			want error
		}{"value", loaded(12, 18, "v"), nil}) {
		for _, covered := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/covered=%v", x.name, covered), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, _ := tens("a", "", "c")
					h := newGatedLoad()
					a := ask(bg, m, 15, h.load)
					a.waits(t)
					r := rg(30, 40)
					if covered {
						r = rg(15, 16)
					}
					if _, err := m.Retire(bg, r); err != nil {
						t.Fatal(err)
					}
					b := ask(bg, m, 15, h.load)
					b.waits(t)
					if h.calls.Load() != 1 {
						t.Fatal("two loads at once in one gap")
					}
					h.send <- x.load
					synctest.Wait()
					switch {
					case covered:
						a.waits(t)
					case x.name == "value":
						a.gets(t, "v")
						b.gets(t, "v")
						return
					case x.want != nil:
						a.fails(t, x.want)
					default:
						if a.returns(t); a.err == nil && a.panicked == nil {
							t.Errorf("%s succeeds", a.name)
						}
					}
					if !covered && x.name == "overlap" {
						b.fails(t, x.want)
						return
					}
					b.waits(t)
					h.send <- loaded(10, 20, "new")
					b.gets(t, "new")
					if covered {
						a.gets(t, "new")
					}
					usable(t, m)
				})
			})
		}
	}
}

// TestLoadStaleGivesUp: a caller whose key is invalidated in every load gets ErrStale in the end,
// and each value is retired once. A caller that waits for another key in the same gap does not get
// ErrStale.
func TestLoadStaleGivesUp(t *testing.T) {
	const tries = 8
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens()
		h, other := newGatedLoad(), newGatedLoad()
		a := ask(bg, m, 5, h.load)
		a.waits(t)
		var values []string
		for i := range tries {
			a.waits(t)
			if n := h.calls.Load(); n != int32(i+1) {
				t.Fatalf("%d loads, want %d", n, i+1)
			}
			if i == tries-1 {
				b := ask(bg, m, 505, other.load)
				b.waits(t)
				defer func() {
					b.waits(t)
					other.send <- loaded(500, 510, "b")
					b.gets(t, "b")
					usable(t, m)
				}()
			}
			if n, err := m.Retire(bg, rg(0, 10)); n != 0 || err != nil {
				t.Fatal(n, err)
			}
			v := fmt.Sprint("v", i)
			values = append(values, v)
			h.send <- loaded(0, 10, v)
		}
		a.fails(t, rangelock.ErrStale, "5", "8 loads")
		if synctest.Wait(); rec.String() != strings.Join(values, " ") {
			t.Errorf("retired are %q, want %q", rec, values)
		}
	})
}

// TestLoadStaleError: a stale load that obeys its context returns the context's error. Its callers
// are not told that error, and neither are they told a panic or a Goexit.
func TestLoadStaleError(t *testing.T) {
	for _, x := range []string{"obeys", "panics", "goexit"} {
		synctest.Test(t, func(t *testing.T) {
			m, rec := tens()
			var calls int
			a := ask(bg, m, 5, func(ctx context.Context, _ int) (intRange, string, error) {
				if calls++; calls > 1 {
					return rg(0, 10), "new", nil
				}
				<-ctx.Done()
				switch x {
				case "panics":
					panic(ctx.Err())
				case "goexit":
					runtime.Goexit()
				}
				return intRange{}, "", ctx.Err()
			})
			a.waits(t)
			if _, err := m.Retire(bg, rg(5, 6)); err != nil {
				t.Fatal(err)
			}
			a.gets(t, "new")
			if rec.String() != "" {
				t.Errorf("retired are %q", rec)
			}
			usable(t, m)
		})
	}
}

// TestLoadStaleLeft: all callers of a stale load leave, or the map is closed. The loaded value is
// retired, and every caller returns.
func TestLoadStaleLeft(t *testing.T) {
	for _, closed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m, rec := tens()
			h := newGatedLoad()
			ctx, cancel := context.WithCancel(bg)
			a := ask(ctx, m, 5, h.load)
			a.waits(t)
			if _, err := clearAll(m); err != nil {
				t.Fatal(err)
			}
			if closed {
				var err error
				c := start("Close", func() { err = m.Close(bg) })
				c.waits(t)
				h.send <- loaded(0, 10, "old")
				if c.returns(t); err != nil {
					t.Fatal(err)
				}
				a.fails(t, rangelock.ErrClosed)
			} else {
				cancel()
				a.fails(t, context.Canceled)
				h.send <- loaded(0, 10, "old")
				synctest.Wait()
				usable(t, m)
			}
			cancel()
			if rec.String() != "old" || m.Len() != 0 {
				t.Errorf("retired are %q", rec)
			}
		})
	}
}

// TestLoadPlanPanics: an operation whose comparison with a load's key panics changes nothing,
// neither its ranges nor the load.
func TestLoadPlanPanics(t *testing.T) {
	for name, do := range map[string]func(m *intMap){
		"Retire":  func(m *intMap) { m.Retire(bg, rg(0, 30)) },
		"nothing": func(m *intMap) { m.Retire(bg, rg(11, 19)) },
		"Remove":  func(m *intMap) { m.Remove(bg, rg(0, 30)) },
		"Swap":    func(m *intMap) { m.Swap(bg, rg(0, 30), "s") },
		"Update": func(m *intMap) {
			w := m.Lock()
			defer w.Unlock()
			w.Update(5, "u")
		},
		"Resize": func(m *intMap) {
			w := m.Lock()
			defer w.Unlock()
			w.Resize(5, rg(0, 5))
		},
		"Extract": func(m *intMap) {
			w := m.Lock()
			defer w.Unlock()
			w.Extract(5)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				armed := false
				m := rangelock.NewFunc[int, string](func(a, b int) int {
					if armed && (a == 15 || b == 15) { // only the load has the key 15
						panic("rangelock: test: compare")
					}
					return cmp.Compare(a, b)
				}, nil)
				fillTens(m, "a", "", "c")
				h := newGatedLoad()
				a := ask(bg, m, 15, h.load)
				a.waits(t)
				armed = true
				wantPanic(t, name, func() { do(m) })
				armed = false
				if h.context(t).Err() != nil {
					t.Error("the load is stale")
				}
				wantContents(t, m, "[0, 10)=a [20, 30)=c")
				h.send <- loaded(10, 20, "b")
				a.gets(t, "b")
				usable(t, m)
			})
		})
	}
}

func clearAll(m *intMap) (int, error) {
	w := m.Lock()
	defer w.Unlock()
	return w.Clear()
}
