package seam

import (
	"runtime"
	"sync/atomic"
	"time"
)

// A call is a function that is called once.
type call struct{ f atomic.Pointer[func()] }

func (c *call) do() {
	if f := c.f.Swap(nil); f != nil {
		(*f)()
	}
}

// later calls f on its own goroutine after d.
//
// A timer that was made in a bubble of testing/synctest never fires if the bubble ends
// first: time.AfterFunc alone would forget f. Nobody is told of that, but then the timer
// and what it refers to are garbage, and so the collector calls f. A goroutine that
// sleeps is no way out: the time of a bubble stands still when its test function has
// returned, and the goroutine would make that test fail.
func later(d time.Duration, f func()) {
	c := new(call)
	c.f.Store(&f)
	// Only the timer refers to held, and it drops it when it has fired.
	held := &struct{ c *call }{c}
	time.AfterFunc(d, func() { held.c.do() })
	runtime.AddCleanup(held, func(c *call) { go c.do() }, c)
}
