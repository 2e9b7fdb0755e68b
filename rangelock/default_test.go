package rangelock_test

import (
	"errors"
	"io"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// closer records in closed that it was closed.
type closer struct{ closed chan struct{} }

func (c *closer) Close() error {
	close(c.closed)
	return errors.New("dropped")
}

// TestDefault checks that there is one default map, that the functions of the package call its
// methods, and that a value that is an io.Closer is closed when its range is retired, after the
// last guard is released.
func TestDefault(t *testing.T) {
	m := rangelock.Default()
	if m != rangelock.Default() {
		t.Fatal("there are two default maps")
	}
	const lo = uintptr(0x7e57_0000)
	c := &closer{make(chan struct{})}
	var _ io.Closer = c
	all := rangelock.Span(lo, lo+0x3000)
	w := m.Lock()
	for i, v := range []any{c, "no closer", nil} {
		at := lo + uintptr(i)*0x1000
		if err := w.Insert(rangelock.Span(at, at+0x1000), v); err != nil {
			t.Fatal(err)
		}
	}
	w.Unlock()
	g, ok := rangelock.Acquire(lo + 1)
	if !ok || g.Value() != c {
		t.Fatalf("Acquire = %v, %t", g, ok)
	}
	if g, err := rangelock.AcquireContext(endedContext(), lo+0x1001); err != nil || g.Value() != "no closer" {
		t.Errorf("AcquireContext = %v", err)
	} else {
		g.Release()
	}
	if g, err := rangelock.TryAcquire(lo + 0x2fff); err != nil || g.Value() != nil {
		t.Errorf("TryAcquire = %v", err)
	} else {
		g.Release()
	}
	if _, ok := rangelock.Acquire(lo + 0x3000); ok {
		t.Error("Acquire finds a range behind the ranges")
	}
	if _, err := rangelock.AcquireContext(bg, lo-1); err != rangelock.ErrNotFound {
		t.Errorf("AcquireContext = %v", err)
	}
	if _, err := rangelock.TryAcquire(lo - 1); err != rangelock.ErrNotFound {
		t.Errorf("TryAcquire = %v", err)
	}
	w = m.Lock()
	if err := w.Exclude(rangelock.Span(lo+0x1000, lo+0x1001)); err != nil {
		t.Error(err)
	}
	if _, err := rangelock.TryAcquire(lo + 0x1001); err != rangelock.ErrBusy {
		t.Errorf("TryAcquire of an excluded range = %v", err)
	}
	if n, err := w.Retire(all); n != 3 || err != nil {
		t.Errorf("Retire = %d, %v", n, err)
	}
	w.Unlock()
	select {
	case <-c.closed:
		t.Error("closed while a guard is held")
	default:
	}
	g.Release()
	if err := m.Drain(bg); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.closed:
	default:
		t.Error("not closed")
	}
	if m.Len() != 0 {
		t.Errorf("%d ranges are left", m.Len())
	}
}
