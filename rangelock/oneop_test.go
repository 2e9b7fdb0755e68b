package rangelock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// oneOps are the one-operation transactions on [0, 20), or for Insert [50, 60).
var oneOps = map[string]func(ctx context.Context, m *intMap) (int, error){
	"Insert": func(ctx context.Context, m *intMap) (int, error) { return 0, m.Insert(ctx, rg(50, 60), "x") },
	"Swap":   func(ctx context.Context, m *intMap) (int, error) { return 0, m.Swap(ctx, rg(0, 20), "x") },
	"Remove": func(ctx context.Context, m *intMap) (int, error) { return m.Remove(ctx, rg(0, 20)) },
	"Retire": func(ctx context.Context, m *intMap) (int, error) { return m.Retire(ctx, rg(0, 20)) },
}

// TestOneOp checks what the one-operation transactions do and return, and that their changes are
// visible at once.
func TestOneOp(t *testing.T) {
	m, rec := tens("a", "b")
	step := func(n, wantN int, err, want error, contents string) {
		t.Helper()
		if n != wantN || !errors.Is(err, want) || want == nil && err != nil {
			t.Fatalf("= %d, %v, want %d, %v", n, err, wantN, want)
		}
		wantContents(t, m, contents)
		usable(t, m)
	}
	step(0, 0, m.Insert(bg, rg(20, 30), "c"), nil, "[0, 10)=a [10, 20)=b [20, 30)=c")
	step(0, 0, m.Insert(bg, rg(25, 35), "x"), rangelock.ErrOverlap, "[0, 10)=a [10, 20)=b [20, 30)=c")
	step(0, 0, m.Insert(bg, rg(35, 35), "x"), rangelock.ErrBadRange, "[0, 10)=a [10, 20)=b [20, 30)=c")
	n, err := m.Remove(bg, rg(5, 10))
	step(n, 0, err, rangelock.ErrPartial, "[0, 10)=a [10, 20)=b [20, 30)=c")
	n, err = m.Remove(bg, rg(0, 10))
	step(n, 1, err, nil, "[10, 20)=b [20, 30)=c")
	n, err = m.Remove(bg, rg(0, 10))
	step(n, 0, err, nil, "[10, 20)=b [20, 30)=c")
	step(0, 0, m.Swap(bg, rg(5, 30), "d"), nil, "[5, 30)=d")
	step(0, 0, m.Swap(bg, rg(10, 30), "x"), rangelock.ErrPartial, "[5, 30)=d")
	n, err = m.Retire(bg, rg(0, 20))
	step(n, 0, err, rangelock.ErrPartial, "[5, 30)=d")
	n, err = m.Retire(bg, rangelock.From(0))
	step(n, 1, err, nil, "")
	n, err = m.Retire(bg, rangelock.From(0))
	step(n, 0, err, nil, "")
	if rec.sorted() != "a b c d" {
		t.Errorf("retired are %q", rec)
	}
}

// TestOneOpContext checks that the one-operation transactions fail at once with a context that has
// ended, that they fail when a context ends during the wait for the semaphore, and that nothing
// has changed then.
func TestOneOpContext(t *testing.T) {
	for name, do := range oneOps {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, rec := tens("a", "b")
				if n, err := do(endedContext(), m); n != 0 || !errors.Is(err, context.Canceled) {
					t.Errorf("with a context that has ended = %d, %v", n, err)
				}
				for _, reader := range []bool{false, true} {
					var unlock func()
					if reader {
						unlock = m.RLock().Unlock
					} else {
						unlock = m.Lock().Unlock
					}
					ctx, cancel := context.WithCancel(bg)
					c := start(name, func() {
						if n, err := do(ctx, m); n != 0 || !errors.Is(err, context.Canceled) {
							t.Errorf("cancelled = %d, %v", n, err)
						}
					})
					c.waits(t)
					cancel()
					c.returns(t)
					unlock()
				}
				wantContents(t, m, "[0, 10)=a [10, 20)=b")
				usable(t, m)
				w := m.Lock()
				c := start(name, func() {
					if _, err := do(bg, m); err != nil {
						t.Error(err)
					}
				})
				c.waits(t)
				w.Unlock()
				c.returns(t)
				usable(t, m)
				want := "a b"
				if name == "Insert" {
					want = ""
				}
				if rec.sorted() != want {
					t.Errorf("retired are %q, want %q", rec, want)
				}
			})
		})
	}
}

// TestOneOpGuards checks that Retire and Swap do not wait for guards, that Remove does, and that a
// cancelled Remove leaves everything as it was.
func TestOneOpGuards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a", "b", "c")
		g := hold(t, m, 15)
		ctx, cancel := context.WithCancel(bg)
		c := start("Remove", func() {
			if n, err := m.Remove(ctx, rg(0, 30)); n != 0 || !errors.Is(err, context.Canceled) {
				t.Errorf("Remove = %d, %v", n, err)
			}
		})
		c.waits(t)
		for key := 5; key < 30; key += 10 {
			wantTry(t, m, key, rangelock.ErrBusy)
		}
		cancel()
		c.returns(t)
		wantContents(t, m, "[0, 10)=a [10, 20)=b [20, 30)=c")
		wantTry(t, m, 15, "b")
		wantTry(t, m, 35, rangelock.ErrNotFound)
		c = start("Remove", func() {
			if n, err := m.Remove(bg, rg(0, 20)); n != 2 || err != nil {
				t.Errorf("Remove = %d, %v", n, err)
			}
		})
		c.waits(t)
		g.Release()
		c.returns(t)
		wantContents(t, m, "[20, 30)=c")
		g = hold(t, m, 25)
		c = start("Swap", func() {
			if err := m.Swap(bg, rg(15, 30), "d"); err != nil {
				t.Error(err)
			}
		})
		c.returns(t)
		g2 := hold(t, m, 15)
		c = start("Retire", func() {
			if n, err := m.Retire(bg, rg(15, 30)); n != 1 || err != nil {
				t.Errorf("Retire = %d, %v", n, err)
			}
		})
		c.returns(t)
		if g.Value() != "c" || g2.Value() != "d" {
			t.Errorf("the guards' values are %q and %q, want c and d", g.Value(), g2.Value())
		}
		g2.Release()
		g.Release()
		usable(t, m)
		if rec.String() != "a b d c" {
			t.Errorf("retired are %q", rec)
		}
	})
}
