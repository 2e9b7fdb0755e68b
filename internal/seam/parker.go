//go:build !schedule

package seam

// Parker is where one goroutine sleeps until another wakes it. It holds at most
// one wake-up: a Wake that comes before the Park is not lost, and a second one
// before the Park is dropped.
//
// It is a channel, so it selects with a context, counts as durably blocked in
// testing/synctest and shows in the block profile. A Parker is made for one wait
// and not pooled: a channel made in one synctest bubble may not be used in
// another, and a wait that parks costs far more than the channel.
type Parker struct {
	c chan struct{}
}

// NewParker returns a parker without a wake-up.
func NewParker() *Parker { return &Parker{c: make(chan struct{}, 1)} }

// Wake lets one Park return, now or later. It never blocks.
func (p *Parker) Wake() {
	select {
	case p.c <- struct{}{}:
	default: // one is already there, and one is enough
	}
}

// Park blocks until Wake, and reports true, or until done is closed, and reports
// false. When both have happened it reports true if the wake-up is there to
// take, so that a granted waiter does not mistake its grant for a cancellation.
// A nil done never ends the wait.
func (p *Parker) Park(done <-chan struct{}) bool {
	if done == nil {
		<-p.c
		return true
	}
	select {
	case <-p.c:
		return true
	case <-done:
		select {
		case <-p.c:
			return true
		default:
			return false
		}
	}
}
