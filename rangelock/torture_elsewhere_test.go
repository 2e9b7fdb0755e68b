package rangelock_test

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// TestTortureElsewhere lines up a guard with transactions of every kind on other ranges, and
// with Retire, Swap and Clear of its own range: none of them waits for the guard. Then it lines
// up a writer that waits for the guard with readers that miss and with readers of a third range:
// they do not wait for the writer.
func TestTortureElsewhere(t *testing.T) {
	var retired atomic.Int32
	m := rangelock.New(&rangelock.Options[int, int]{OnRetire: func(rangelock.Range[int], int) { retired.Add(1) }})
	at := func(k int) rangelock.Range[int] { return rangelock.Span(10*k, 10*k+5) }
	for k := range 40 {
		m.Insert(t.Context(), at(k), k)
	}
	g, _ := m.Acquire(200)
	inTime(t, "transactions elsewhere", func() {
		for i := range 200 {
			k := i % 40
			if k == 20 {
				continue
			}
			w := m.Lock()
			if err := errors.Join(w.Exclude(at(k)), w.Update(10*k, i), w.Swap(at(k), i)); err != nil {
				t.Error(err)
			}
			if n, err := w.Remove(at(k)); n != 1 || err != nil {
				t.Errorf("Remove: %d, %v", n, err)
			}
			if err := w.Insert(at(k), i); err != nil {
				t.Error(err)
			}
			w.Unlock()
		}
	})
	parked := make(chan error)
	go func() { _, err := m.Remove(t.Context(), at(20)); parked <- err }()
	inTime(t, "readers beside a writer that waits", func() {
		for !m.Excluded(200) {
			runtime.Gosched()
		}
		if _, ok := m.Acquire(7); ok {
			t.Error("found a range in a gap")
		}
		if _, ok := m.Get(397); ok {
			t.Error("found a range in a gap")
		}
		g3, ok := m.Acquire(300)
		if !ok {
			t.Error("no range at 300")
			return
		}
		g3.Release()
	})
	g.Release()
	inTime(t, "Remove after the release", func() {
		if err := <-parked; err != nil {
			t.Error(err)
		}
	})

	g, _ = m.Acquire(300)
	inTime(t, "Swap, Retire and Clear of the guarded range", func() {
		w := m.Lock()
		defer w.Unlock()
		if err := w.Swap(at(30), -1); err != nil {
			t.Error(err)
		}
		if _, err := w.Retire(at(30)); err != nil {
			t.Error(err)
		}
		if n, err := w.Clear(); n != 38 || err != nil {
			t.Errorf("Clear: %d, %v", n, err)
		}
	})
	if g.Range() != at(30) || g.Value() < 0 {
		t.Errorf("the guard's range and value have changed to %v and %d", g.Range(), g.Value())
	}
	// 3 in each iteration, 1 removed at 20, 1 swapped in at 30 and retired, 38 cleared.
	const others = 195*3 + 1 + 1 + 38
	if !comesTrue(func() bool { return retired.Load() == others }) {
		t.Errorf("%d retired while the guard is held, want %d", retired.Load(), others)
	}
	g.Release()
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := retired.Load(); n != others+1 {
		t.Errorf("%d retired after its release, want %d", n, others+1)
	}
	wantNoGoroutines(t)
}
