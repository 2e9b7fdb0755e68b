package clean

import (
	"context"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// A path on which the test has failed is not checked.
func TestFailed(t *testing.T) {
	m := rangelock.New[int, string](nil)
	g, ok := m.Acquire(1)
	if !ok || g.Value() != "a" {
		t.Fatal("no a")
	}
	h, err := m.TryAcquire(2)
	if err != nil {
		t.Error(err)
		return
	}
	h.Release()
	g.Release()
}

// A test waits on purpose, and drops a guard that it does not expect to get.
func TestDropped(t *testing.T) {
	m := rangelock.New[int, string](nil)
	g, _ := m.Acquire(1)
	m.Acquire(7)
	if _, err := m.TryAcquire(2); err != rangelock.ErrBusy {
		t.Errorf("TryAcquire: %v", err)
	}
	w := m.Lock()
	if err := w.Exclude(rangelock.Span(5, 6)); err != nil {
		t.Error(err)
	}
	w.Unlock()
	g.Release()
}

func TestValue(t *testing.T) {
	m := rangelock.New(&rangelock.Options[int, string]{OnRetire: func(_ rangelock.Range[int], s string) { t.Log(s) }})
	if s, ok := m.Get(1); !ok || s != "a" {
		t.Errorf("Get = %q, %t", s, ok)
	}
	t.Cleanup(func() { m.Close(context.Background()) })
}

type cell struct {
	lo    int
	freed bool
}

func TestFreed(t *testing.T) {
	m := rangelock.New(&rangelock.Options[int, *cell]{OnRetire: func(_ rangelock.Range[int], c *cell) { c.freed = true }})
	type pair struct {
		lo int
		c  *cell
	}
	for r, c := range m.All() {
		if c.lo != r.Lo || (pair{r.Lo, c}) != (pair{0, nil}) {
			t.Errorf("All yields %v, %d", r, c.lo)
		}
	}
}
