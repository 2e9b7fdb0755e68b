package rangelock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// closed checks every method on a map that has been closed.
func closed(t *testing.T, m *intMap) {
	t.Helper()
	if _, ok := m.Acquire(5); ok {
		t.Error("Acquire hits")
	}
	wantTry(t, m, 5, rangelock.ErrClosed)
	if _, err := m.AcquireContext(bg, 5); err != rangelock.ErrClosed {
		t.Errorf("AcquireContext = %v", err)
	}
	if _, err := m.AcquireNextContext(bg, 5); err != rangelock.ErrClosed {
		t.Errorf("AcquireNextContext = %v", err)
	}
	if _, err := m.AcquireExclusiveContext(bg, 5); err != rangelock.ErrClosed {
		t.Errorf("AcquireExclusiveContext = %v", err)
	}
	if _, err := m.TryAcquireExclusive(5); err != rangelock.ErrClosed {
		t.Errorf("TryAcquireExclusive = %v", err)
	}
	if _, ok := m.Get(5); ok {
		t.Error("Get hits")
	}
	if m.View(5, func(intRange, string) {}) {
		t.Error("View hits")
	}
	if s := text(m.All()); s != "" || m.Len() != 0 {
		t.Errorf("All yields %s, Len is %d", s, m.Len())
	}
	wantClosed := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, rangelock.ErrClosed) {
			t.Errorf("%s = %v", name, err)
		}
	}
	_, err := m.LockContext(bg)
	wantClosed("LockContext", err)
	if _, ok := m.TryLock(); ok {
		t.Error("TryLock succeeds")
	}
	wantClosed("Insert", m.Insert(bg, rg(0, 10), "x"))
	wantClosed("Swap", m.Swap(bg, rg(0, 10), "x"))
	_, err = m.Remove(bg, rg(0, 10))
	wantClosed("Remove", err)
	_, err = m.Retire(bg, rg(0, 10))
	wantClosed("Retire", err)

	w := m.Lock()
	wantClosed("Writer.Insert", w.Insert(rg(0, 10), "x"))
	wantClosed("Writer.Swap", w.Swap(rg(0, 10), "x"))
	wantClosed("Writer.Update", w.Update(5, "x"))
	wantClosed("Writer.Exclude", w.Exclude(rg(0, 10)))
	if w.TryExclude(rg(0, 10)) {
		t.Error("TryExclude succeeds")
	}
	n, err := w.Remove(rg(0, 10))
	wantClosed("Writer.Remove", err)
	n2, err := w.Retire(rg(0, 10))
	wantClosed("Writer.Retire", err)
	_, _, err = w.Extract(5)
	wantClosed("Writer.Extract", err)
	n3, err := w.Clear()
	wantClosed("Writer.Clear", err)
	n4, err := w.Load(func(yield func(intRange, string) bool) { yield(rg(0, 10), "x") })
	wantClosed("Writer.Load", err)
	if n+n2+n3+n4 != 0 {
		t.Error("an operation that fails has a count")
	}
	if _, _, ok := w.Find(5); ok {
		t.Error("Writer.Find hits")
	}
	if s := text(w.Overlapping(rangelock.From(-1))); s != "" {
		t.Errorf("Writer.Overlapping yields %s", s)
	}
	r := w.Downgrade()
	if _, _, ok := r.Find(5); ok {
		t.Error("Reader.Find hits")
	}
	if _, ok := r.Acquire(5); ok {
		t.Error("Reader.Acquire hits")
	}
	r.Unlock()
	r, err = m.RLockContext(bg)
	if err != nil {
		t.Fatalf("RLockContext = %v", err)
	}
	if s := text(r.Overlapping(rangelock.From(-1))); s != "" {
		t.Errorf("Reader.Overlapping yields %s", s)
	}
	r.Unlock()
	if err := m.Drain(bg); err != nil {
		t.Errorf("Drain = %v", err)
	}
	if err := m.Close(bg); err != nil {
		t.Errorf("Close again = %v", err)
	}
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
}

// TestClose checks that Close retires everything, whatever MaxPending says, and what the map is
// after that. A second Close has no further effect.
func TestClose(t *testing.T) {
	for _, n := range []int{0, 1, 3 * rangelock.LeafCap} {
		rec := &recorder{}
		m := rangelock.New(&rangelock.Options[int, string]{
			OnRetire:   func(_ intRange, v string) { rec.add(v) },
			MaxPending: 1,
		})
		values := make([]string, n)
		for i := range values {
			values[i] = "v"
		}
		fillTens(m, values...)
		if err := m.Close(bg); err != nil {
			t.Fatal(err)
		}
		if len(rec.list) != n {
			t.Errorf("%d are retired, want %d", len(rec.list), n)
		}
		closed(t, m)
		if len(rec.list) != n {
			t.Errorf("%d are retired later, want %d", len(rec.list), n)
		}
	}
}

// TestCloseWaits checks that Close waits for the transaction and for the Reader under way, then
// for the guards, which stay valid, and for OnRetire; and that a writer that queued behind Close
// finds the map closed.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, rec := tens("a", "b")
		g := hold(t, m, 5)
		w := m.Lock()
		c := start("Close", func() {
			if err := m.Close(bg); err != nil {
				t.Errorf("Close = %v", err)
			}
		})
		c.waits(t)
		late := start("LockContext", func() {
			if _, err := m.LockContext(bg); !errors.Is(err, rangelock.ErrClosed) {
				t.Errorf("LockContext = %v", err)
			}
		})
		lateOp := start("Insert", func() {
			if err := m.Insert(bg, rg(50, 60), "x"); !errors.Is(err, rangelock.ErrClosed) {
				t.Errorf("Insert = %v", err)
			}
		})
		late.waits(t)
		lateOp.waits(t)
		if err := w.Insert(rg(20, 30), "c"); err != nil {
			t.Error(err)
		}
		r := w.Downgrade()
		c.waits(t)
		g2, ok := r.Acquire(25)
		if !ok || g2.Value() != "c" {
			t.Error("the Reader misses")
		}
		r.Unlock()
		c.waits(t)
		late.returns(t)
		lateOp.returns(t)
		if rec.String() != "b" {
			t.Errorf("retired are %q", rec)
		}
		wantTry(t, m, 5, rangelock.ErrClosed)
		if g.Value() != "a" || g.Range() != rg(0, 10) {
			t.Error("the guard has changed")
		}
		second := start("Close", func() {
			if err := m.Close(bg); err != nil {
				t.Errorf("Close = %v", err)
			}
		})
		second.waits(t)
		g.Release()
		c.waits(t)
		g2.Release()
		c.returns(t)
		second.returns(t)
		if rec.String() != "b a c" {
			t.Errorf("retired are %q", rec)
		}
		closed(t, m)
	})
}

// TestCloseCancelled ends the context of a Close at two points. While Close waits for the lock,
// nothing has changed; later, the map is closed. Another call of Close goes on.
func TestCloseCancelled(t *testing.T) {
	for _, with := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m, rec := tens("a", "b")
			if !with {
				m = rangelock.New[int, string](nil)
				fillTens(m, "a", "b")
			}
			if err := m.Close(endedContext()); !errors.Is(err, context.Canceled) {
				t.Errorf("Close with a context that has ended = %v", err)
			}
			wantContents(t, m, "[0, 10)=a [10, 20)=b")
			ctx, cancel := context.WithTimeout(bg, time.Second)
			defer cancel()
			w := m.Lock()
			if err := m.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Close during a transaction = %v", err)
			}
			w.Unlock()
			wantContents(t, m, "[0, 10)=a [10, 20)=b")
			if err := m.Insert(bg, rg(20, 30), "c"); err != nil {
				t.Errorf("Insert after Close had no turn = %v", err)
			}
			g := hold(t, m, 5)
			ctx, cancel = context.WithTimeout(bg, time.Second)
			defer cancel()
			if err := m.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Close with a guard held = %v", err)
			}
			wantContents(t, m, "")
			if err := m.Insert(bg, rg(20, 30), "c"); !errors.Is(err, rangelock.ErrClosed) {
				t.Errorf("Insert after Close = %v", err)
			}
			if g.Value() != "a" {
				t.Error("the guard has changed")
			}
			ctx, cancel = context.WithTimeout(bg, time.Second)
			defer cancel()
			if err := m.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Close again with a guard held = %v", err)
			}
			g.Release()
			if err := m.Close(bg); err != nil {
				t.Errorf("Close again = %v", err)
			}
			if with && rec.String() != "b c a" {
				t.Errorf("retired are %q", rec)
			}
			closed(t, m)
		})
	}
}
