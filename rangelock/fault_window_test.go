package rangelock_test

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// The tests in the files fault_*_test.go line up one interleaving each, without a
// chance in it, and say which faults of verify/faults they catch. They run in a
// synctest bubble: somebody who would wait for ever is seen when all others sleep.

// window is a place in the code where a test holds one goroutine.
type window struct {
	point   string
	arrived chan struct{} // closed when somebody stands there
	open    chan struct{} // closed to let it go on
	once    sync.Once     // closes open
}

func newWindow(t *testing.T, point string) *window {
	w := &window{point: point, arrived: make(chan struct{}), open: make(chan struct{})}
	t.Cleanup(w.letGo)
	return w
}

// pass is what the goroutine runs that comes to the window.
func (w *window) pass() {
	close(w.arrived)
	<-w.open
}

// await returns when somebody stands in the window.
func (w *window) await(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case <-w.arrived:
	default:
		t.Fatalf("nobody has come to %q", w.point)
	}
}

func (w *window) letGo() { w.once.Do(func() { close(w.open) }) }

// stoppableOrder compares ints and can hold the one who makes a certain
// comparison: a reader in the middle of its search, pinned.
type stoppableOrder struct {
	next atomic.Pointer[comparison]
}

type comparison struct {
	a, b int
	w    *window
}

// stopAt returns a window that the next comparison of a with b comes to.
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
