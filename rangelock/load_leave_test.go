package rangelock_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// cause is the context key of these tests.
type cause struct{}

// TestLoadLeave: a caller whose context ends leaves, and the others wait on, whether it was the
// first caller or the second. The load's context ends only when all callers have left.
func TestLoadLeave(t *testing.T) {
	for _, first := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m, rec := tens()
			h := newGatedLoad()
			base := context.WithValue(bg, cause{}, "kept")
			ctx1, cancel1 := context.WithDeadline(base, time.Now().Add(time.Hour))
			ctx2, cancel2 := context.WithCancel(bg)
			defer cancel1()
			a := ask(ctx1, m, 5, h.load)
			a.waits(t)
			b := ask(ctx2, m, 6, h.load)
			b.waits(t)
			ctx := h.context(t)
			if _, ok := ctx.Deadline(); ok || ctx.Value(cause{}) != "kept" {
				t.Error("load has the first caller's deadline, or lacks its values")
			}
			stays, leaves := b, a
			if first {
				time.Sleep(time.Hour) // of the synctest bubble
				a.fails(t, context.DeadlineExceeded)
			} else {
				cancel2()
				stays, leaves = a, b
				b.fails(t, context.Canceled)
			}
			stays.waits(t)
			if ctx.Err() != nil {
				t.Fatalf("%s has left, and the load is cancelled while %s waits", leaves.name, stays.name)
			}
			h.send <- loaded(0, 10, "v")
			stays.gets(t, "v")
			if synctest.Wait(); ctx.Err() == nil {
				t.Error("the context of a load that has returned has not ended")
			}
			cancel2()
			if n, err := m.Remove(bg, rg(0, 10)); n != 1 || err != nil { // no count is left on the range
				t.Fatal(n, err)
			}
			if synctest.Wait(); rec.String() != "v" {
				t.Errorf("retired are %q", rec)
			}
			usable(t, m)
		})
	}
}

// TestLoadGivenUp: when all callers have left, the load is cancelled. A caller that comes then
// does not get the error of the cancelled load. A range that the load returns all the same is
// inserted.
func TestLoadGivenUp(t *testing.T) {
	for _, arrives := range []bool{true, false} {
		for _, late := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens()
				h := newGatedLoad()
				ctx, cancel := context.WithCancel(bg)
				a := ask(ctx, m, 5, h.load)
				a.waits(t)
				loading := h.context(t)
				cancel()
				a.fails(t, context.Canceled)
				if loading.Err() == nil {
					t.Fatal("no caller waits, and the load is not cancelled")
				}
				var b *asker
				if late {
					b = ask(bg, m, 5, h.load)
					b.waits(t)
				}
				if n := h.calls.Load(); n != 1 {
					t.Errorf("%d loads at once in one gap", n)
				}
				if arrives {
					h.send <- loaded(0, 10, "v")
				} else {
					h.send <- func() (intRange, string, error) { return intRange{}, "", loading.Err() }
					if late {
						b.waits(t) // for the load that it has started
						h.send <- loaded(0, 10, "v")
					}
				}
				if late {
					b.gets(t, "v")
				}
				synctest.Wait()
				if arrives || late {
					wantContents(t, m, "[0, 10)=v")
				} else {
					wantContents(t, m, "")
				}
				usable(t, m)
			})
		}
	}
}

// TestLoadEnded: a miss whose context has ended neither loads nor waits.
func TestLoadEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens()
		ask(endedContext(), m, 5, noLoad(t)).fails(t, context.Canceled)
		w := m.Lock()
		if err := w.Insert(rg(0, 10), "a"); err != nil {
			t.Fatal(err)
		}
		a := ask(endedContext(), m, 15, noLoad(t))
		a.fails(t, context.Canceled)
		w.Unlock()
		usable(t, m)
	})
}

// TestLoadWaitsForTurn: a load that has returned waits for its turn as a writer. Its callers can
// leave meanwhile, and leave no count behind.
func TestLoadWaitsForTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens()
		h := newGatedLoad()
		ctx, cancel := context.WithCancel(bg)
		a, b := ask(ctx, m, 5, h.load), ask(bg, m, 6, h.load)
		synctest.Wait()
		w := m.Lock()
		h.send <- loaded(0, 10, "v")
		a.waits(t)
		b.waits(t)
		cancel()
		a.fails(t, context.Canceled)
		b.waits(t)
		w.Unlock()
		b.gets(t, "v")
		usable(t, m) // excludes [0, 10)
	})
}

// TestLoadClosed: a closed map loads nothing. Close cancels a load under way, waits for it, and
// waits for OnRetire of the value that it returns all the same.
func TestLoadClosed(t *testing.T) {
	own := errors.New("own error")
	for _, arrives := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m, rec := tens("a")
			h := newGatedLoad()
			a := ask(bg, m, 15, h.load)
			a.waits(t)
			ctx, cancel := context.WithCancel(bg)
			var err1, err2 error
			close1 := start("Close", func() { err1 = m.Close(ctx) })
			close2 := start("Close", func() { err2 = m.Close(bg) })
			close1.waits(t)
			close2.waits(t)
			if h.context(t).Err() == nil {
				t.Error("Close does not end the load's context")
			}
			cancel()
			if close1.returns(t); !errors.Is(err1, context.Canceled) {
				t.Errorf("Close = %v", err1)
			}
			ask(bg, m, 5, noLoad(t)).fails(t, rangelock.ErrClosed)
			if arrives {
				h.send <- loaded(10, 20, "v")
				a.fails(t, rangelock.ErrClosed)
			} else {
				h.send <- func() (intRange, string, error) { return intRange{}, "", own }
				a.fails(t, rangelock.ErrClosed, "own error")
			}
			if close2.returns(t); err2 != nil {
				t.Errorf("Close = %v", err2)
			}
			want := "a"
			if arrives {
				want = "a v"
			}
			if rec.sorted() != want {
				t.Errorf("retired are %q when Close returns, want %q", rec, want)
			}
			if m.Len() != 0 || m.Stats().Pending != 0 {
				t.Errorf("Len is %d, %+v", m.Len(), m.Stats())
			}
		})
	}
}

// TestLoadDisposes: a value that the map cannot insert is pending like any other, with its cost,
// and MaxPending does not refuse it. If Cost panics the value is retired, and no cost is counted.
func TestLoadDisposes(t *testing.T) {
	for _, x := range []struct {
		cost  int64
		panic bool
	}{{7, false}, {-1, true}} {
		synctest.Test(t, func(t *testing.T) {
			open := make(chan struct{})
			rec := &recorder{}
			m := rangelock.New(&rangelock.Options[int, string]{
				OnRetire:   func(_ intRange, v string) { <-open; rec.add(v) },
				Cost:       func(intRange, string) int64 { return x.cost },
				MaxPending: 5,
			})
			h := newGatedLoad()
			a := ask(bg, m, 5, h.load)
			a.waits(t)
			h.send <- loaded(6, 10, "v")
			if x.panic {
				if a.returns(t); a.panicked == nil || !strings.Contains(a.panicked.(error).Error(), "Options.Cost returned -1") {
					t.Errorf("%v, %v", a.err, a.panicked)
				}
				if s := m.Stats(); s.Pending != 1 || s.PendingCost != 0 || s.Ranges != 0 {
					t.Errorf("%+v", s)
				}
			} else {
				a.fails(t, rangelock.ErrBadRange)
				if s := m.Stats(); s.Pending != 1 || s.PendingCost != 7 || s.Ranges != 0 {
					t.Errorf("%+v", s)
				}
			}
			close(open)
			if err := m.Close(bg); err != nil || rec.String() != "v" {
				t.Errorf("%v, retired are %q", err, rec)
			}
		})
	}
	// Without an OnRetire there is nothing to do for the value.
	m := rangelock.New[int, string](nil)
	if _, err := m.AcquireOrLoad(bg, 5, func(context.Context, int) (intRange, string, error) { return rg(6, 7), "v", nil }); !errors.Is(err, rangelock.ErrBadRange) {
		t.Error(err)
	}
	if s := m.Stats(); s.Pending != 0 || s.Ranges != 0 {
		t.Errorf("%+v", s)
	}
}

// TestLoadUsesMap: load may use the map, and may load elsewhere. A load that would wait for itself
// panics, if its context shows that.
func TestLoadUsesMap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("", "b")
		g, err := m.AcquireOrLoad(bg, 5, func(ctx context.Context, key int) (intRange, string, error) {
			right, err := m.AcquireOrLoad(ctx, 25, func(ctx context.Context, key int) (intRange, string, error) {
				wantPanic(t, "a load in its own gap", func() { m.AcquireOrLoad(ctx, 26, noLoad(t)) })
				wantPanic(t, "a load in the gap of one that waits for it", func() { m.AcquireOrLoad(ctx, 6, noLoad(t)) })
				b, err := m.AcquireOrLoad(ctx, 15, noLoad(t))
				if err != nil {
					return intRange{}, "", err
				}
				defer b.Release()
				return rg(20, 30), "c", nil
			})
			if err != nil {
				return intRange{}, "", err
			}
			defer right.Release()
			return rg(0, 10), "a+" + right.Value(), m.Insert(ctx, rg(40, 50), "e")
		})
		if err != nil || g.Value() != "a+c" {
			t.Fatal(g, err)
		}
		g.Release()
		wantContents(t, m, "[0, 10)=a+c [10, 20)=b [20, 30)=c [40, 50)=e")
		usable(t, m)
	})
}
