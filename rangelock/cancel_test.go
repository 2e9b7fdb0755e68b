package rangelock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestCancel checks promise P6 for every wait: a context ends it, by cancel and by deadline, the
// call returns the context's error, and everything is as it was.
func TestCancel(t *testing.T) {
	// These keep the call under test waiting.
	const (
		writer  = "a writer that has excluded"
		changed = "a writer that has changed"
		reader  = "a Reader"
		guard   = "a guard"
		pending = "a guard on a range that has left"
	)
	inTxn := func(f func(w intWriter) error) func(context.Context, *intMap) error {
		return func(ctx context.Context, m *intMap) error {
			w, err := m.LockContext(ctx)
			if err != nil {
				return errors.New("no transaction")
			}
			defer w.Unlock()
			defer func() {
				// Readers enter again where the operation has excluded, before the transaction ends.
				g, err := m.TryAcquire(5)
				if err != nil {
					panic("still excluded")
				}
				g.Release()
				if m.Publication()%2 == 1 {
					panic("has published")
				}
			}()
			return f(w)
		}
	}
	acquire := func(key int) func(context.Context, *intMap) error {
		return func(ctx context.Context, m *intMap) error {
			_, err := m.AcquireContext(ctx, key)
			return err
		}
	}
	orLoad := func(key int) func(context.Context, *intMap) error {
		return func(ctx context.Context, m *intMap) error {
			_, err := m.AcquireOrLoad(ctx, key, noLoad(t))
			return err
		}
	}
	lock := func(ctx context.Context, m *intMap) error { _, err := m.LockContext(ctx); return err }
	rlock := func(ctx context.Context, m *intMap) error { _, err := m.RLockContext(ctx); return err }
	remove := func(ctx context.Context, m *intMap) error { _, err := m.Remove(ctx, rg(0, 20)); return err }
	for _, x := range []struct {
		name, way string
		do        func(ctx context.Context, m *intMap) error
	}{
		{"AcquireContext", writer, acquire(15)},
		{"AcquireContext of a gap", changed, acquire(25)},
		{"AcquireOrLoad", writer, orLoad(15)},
		{"AcquireOrLoad of a gap", changed, orLoad(25)},
		{"LockContext", writer, lock},
		{"LockContext", changed, lock},
		{"LockContext", reader, lock},
		{"RLockContext", writer, rlock},
		{"RLockContext", changed, rlock},
		{"Close", writer, func(ctx context.Context, m *intMap) error { return m.Close(ctx) }},
		{"Close", reader, func(ctx context.Context, m *intMap) error { return m.Close(ctx) }},
		{"Map.Remove", changed, remove},
		{"Map.Remove", guard, remove},
		{"Map.Insert", writer, func(ctx context.Context, m *intMap) error { return m.Insert(ctx, rg(50, 60), "x") }},
		{"Map.Retire", writer, func(ctx context.Context, m *intMap) error { _, err := m.Retire(ctx, rg(0, 10)); return err }},
		{"Map.Swap", reader, func(ctx context.Context, m *intMap) error { return m.Swap(ctx, rg(0, 10), "x") }},
		{"Exclude", guard, inTxn(func(w intWriter) error { return w.Exclude(rg(0, 40)) })},
		{"Remove", guard, inTxn(func(w intWriter) error { _, err := w.Remove(rg(0, 20)); return err })},
		{"Extract", guard, inTxn(func(w intWriter) error { _, _, err := w.Extract(15); return err })},
		{"Update", guard, inTxn(func(w intWriter) error { return w.Update(15, "x") })},
		{"Drain", pending, func(ctx context.Context, m *intMap) error { return m.Drain(ctx) }},
		{"DrainRange", pending, func(ctx context.Context, m *intMap) error { return m.DrainRange(ctx, rg(48, 52)) }},
	} {
		for _, deadline := range []bool{false, true} {
			t.Run(x.name+" with "+x.way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, rec := tens("a", "b", "", "d")
					undo := func() {}
					switch x.way {
					case writer:
						w := m.Lock()
						if err := w.Exclude(rg(0, 40)); err != nil {
							t.Fatal(err)
						}
						undo = w.Unlock
					case changed:
						w := m.Lock()
						if err := w.Update(35, "D"); err != nil {
							t.Fatal(err)
						}
						undo = w.Unlock
					case reader:
						undo = m.RLock().Unlock
					case guard:
						g := hold(t, m, 15)
						undo = g.Release
					case pending:
						if err := m.Insert(bg, rg(40, 50), "e"); err != nil {
							t.Fatal(err)
						}
						g := hold(t, m, 45)
						if _, err := m.Retire(bg, rg(40, 50)); err != nil {
							t.Fatal(err)
						}
						undo = g.Release
					}
					synctest.Wait()
					before, retired := text(m.All()), rec.String()
					want := context.Canceled
					ctx, cancel := context.WithCancel(bg)
					if deadline {
						want = context.DeadlineExceeded
						ctx, cancel = context.WithTimeout(bg, time.Second)
					}
					defer cancel()
					c := start(x.name, func() {
						if err := x.do(ctx, m); !errors.Is(err, want) {
							t.Errorf("%s = %v, want %v", x.name, err, want)
						}
					})
					c.waits(t)
					// Waiters behind the one that gives up are granted.
					behind := start("Acquire behind it", func() {
						if g, ok := m.Acquire(15); ok {
							g.Release()
						} else {
							t.Error("Acquire misses")
						}
					})
					synctest.Wait()
					if deadline {
						time.Sleep(time.Second)
					} else {
						cancel()
					}
					c.returns(t)
					if x.way == guard || x.way == reader || x.way == pending {
						behind.returns(t)
					}
					if rec.String() != retired {
						t.Errorf("retired are %q", rec)
					}
					undo()
					behind.returns(t)
					wantContents(t, m, before)
					usable(t, m)
				})
			})
		}
	}
}

// TestCancelFirst checks which calls fail at once with a context that has ended, though they
// would not have to wait, and which succeed because they need not wait.
func TestCancelFirst(t *testing.T) {
	ended := endedContext()
	m, rec := tens("a", "b", "c", "d", "e")
	if _, err := m.LockContext(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("LockContext = %v", err)
	}
	if _, err := m.RLockContext(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("RLockContext = %v", err)
	}
	if g, err := m.AcquireContext(ended, 5); err != nil {
		t.Errorf("AcquireContext = %v", err)
	} else {
		g.Release()
	}
	if _, err := m.AcquireContext(ended, 55); err != rangelock.ErrNotFound {
		t.Errorf("AcquireContext of a gap = %v", err)
	}
	if err := m.Drain(ended); err != nil {
		t.Errorf("Drain = %v", err)
	}
	usable(t, m)

	ctx, cancel := context.WithCancel(bg)
	w, err := m.LockContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	g := hold(t, m, 45)
	if err := w.Exclude(rg(0, 40)); err != nil {
		t.Errorf("Exclude = %v", err)
	}
	if n, err := w.Remove(rg(0, 10)); n != 1 || err != nil {
		t.Errorf("Remove = %d, %v", n, err)
	}
	if err := w.Update(15, "B"); err != nil {
		t.Errorf("Update = %v", err)
	}
	if err := w.Insert(rg(0, 10), "A"); err != nil {
		t.Errorf("Insert = %v", err)
	}
	if n, err := w.Retire(rg(20, 30)); n != 1 || err != nil {
		t.Errorf("Retire = %d, %v", n, err)
	}
	if err := w.Swap(rg(25, 40), "D"); err != nil {
		t.Errorf("Swap = %v", err)
	}
	if n, err := w.Remove(rg(0, 50)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("Remove with a guard in the way = %d, %v", n, err)
	}
	if err := w.Exclude(rg(0, 50)); !errors.Is(err, context.Canceled) {
		t.Errorf("Exclude with a guard in the way = %v", err)
	}
	if err := w.Update(45, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("Update with a guard in the way = %v", err)
	}
	wantTry(t, m, 45, "e")
	w.Unlock()
	g.Release()
	wantContents(t, m, "[0, 10)=A [10, 20)=B [25, 40)=D [40, 50)=e")
	usable(t, m)
	if rec.String() != "a b c d" {
		t.Errorf("retired are %q", rec)
	}
}

// TestCancelNotForRetire checks that Retire, Swap and Clear have no wait that the transaction's
// context could end.
func TestCancelNotForRetire(t *testing.T) {
	for name, do := range leave {
		if name == "Remove" || name == "Update" {
			continue
		}
		m, _ := tens("a", "b", "c")
		g := hold(t, m, 5)
		ctx, cancel := context.WithCancel(bg)
		w, err := m.LockContext(ctx)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := do(w); err != nil {
			t.Errorf("%s = %v", name, err)
		}
		w.Unlock()
		if g.Value() != "a" {
			t.Error("the guard has changed")
		}
		g.Release()
		usable(t, m)
	}
}

// TestCancelRace releases and cancels at the same time. Whichever comes first, nothing may be
// lost or left behind: not a guard that was granted after the context had ended, not a wake-up
// that woke no goroutine, and not a semaphore that was granted to a writer that gave up.
func TestCancelRace(t *testing.T) {
	for i := range 300 {
		m, _ := tens("a", "b")
		ctx, cancel := context.WithCancel(bg)
		g := hold(t, m, 5)
		begin, done := make(chan struct{}), make(chan struct{}, 5)
		do := func(f func()) {
			go func() {
				<-begin
				f()
				done <- struct{}{}
			}()
		}
		do(cancel)
		do(g.Release)
		do(func() {
			if n, err := m.Remove(ctx, rg(0, 10)); (n != 1 || err != nil) && (n != 0 || !errors.Is(err, context.Canceled)) {
				t.Errorf("Remove = %d, %v", n, err)
			}
		})
		do(func() {
			if g, err := m.AcquireContext(ctx, 5); err == nil {
				g.Release()
			} else if !errors.Is(err, context.Canceled) && err != rangelock.ErrNotFound {
				t.Errorf("AcquireContext = %v", err)
			}
		})
		do(func() {
			if w, err := m.LockContext(ctx); err == nil {
				if i%2 == 0 {
					w.Exclude(rg(0, 20))
				}
				w.Unlock()
			}
		})
		close(begin)
		for range 5 {
			<-done
		}
		usable(t, m)
	}
}
