package seam

import (
	"runtime"
	"sync/atomic"
	"time"
)

// A call is a function that is to be called once.
type call struct{ f atomic.Pointer[func()] }

func (c *call) do() {
	if f := c.f.Swap(nil); f != nil {
		(*f)()
	}
}

// later calls f on its own goroutine after d.
//
// A timer that was made in a bubble of testing/synctest never fires if the bubble ends
// first: time.AfterFunc alone would forget f. There is no notice of that, but then the
// timer and what it refers to are garbage, so the collector calls f. A goroutine that
// sleeps is not an alternative: the time of a bubble stands still once its test function
// has returned, and the goroutine would make that test fail.
func later(d time.Duration, f func()) {
	c := new(call)
	c.f.Store(&f)
	// Only the timer refers to held. The timer drops it after firing.
	held := &struct{ c *call }{c}
	time.AfterFunc(d, func() { held.c.do() })
	runtime.AddCleanup(held, func(c *call) { go c.do() }, c)
}
