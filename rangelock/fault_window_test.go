package rangelock_test

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// Each test in the files fault_*_test.go produces one interleaving deterministically, and names the
// faults of verify/faults that it catches. It runs in a synctest bubble, which detects a goroutine
// that would wait for ever when all others sleep.

// window is a place in the code where a test holds one goroutine.
type window struct {
	point   string
	arrived chan struct{} // closed when a goroutine has arrived
	open    chan struct{} // closed to let it continue
	once    sync.Once     // closes open
}

func newWindow(t *testing.T, point string) *window {
	w := &window{point: point, arrived: make(chan struct{}), open: make(chan struct{})}
	t.Cleanup(w.letGo)
	return w
}

// pass is called by the goroutine that comes to the window.
func (w *window) pass() {
	close(w.arrived)
	<-w.open
}

// await returns when a goroutine is in the window.
func (w *window) await(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case <-w.arrived:
	default:
		t.Fatalf("no goroutine has come to %q", w.point)
	}
}

func (w *window) letGo() { w.once.Do(func() { close(w.open) }) }

// stoppableOrder compares ints, and can hold the goroutine that makes a certain comparison: a reader
// that is pinned, in the middle of its search.
type stoppableOrder struct {
	next atomic.Pointer[comparison]
}

type comparison struct {
	a, b int
	w    *window
}

// stopAt returns a window at the next comparison of a with b.
func (o *stoppableOrder) stopAt(t *testing.T, a, b int) *window {
	w := newWindow(t, fmt.Sprintf("compare(%d, %d)", a, b))
	o.next.Store(&comparison{a, b, w})
	return w
}

func (o *stoppableOrder) compare(a, b int) int {
	if c := o.next.Load(); c != nil && c.a == a && c.b == b && o.next.CompareAndSwap(c, nil) {
		c.w.pass()
	}
	return cmp.Compare(a, b)
}
