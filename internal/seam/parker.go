//go:build !schedule

package seam

// Parker is where one goroutine sleeps until another wakes it. It holds at most one
// wake-up: a Wake before the Park is not lost, and a second Wake before the Park is
// dropped.
//
// It is a channel, so it selects with a context, counts as durably blocked in
// testing/synctest, and shows in the block profile. A Parker is made for one wait and not
// pooled: a channel made in one synctest bubble may not be used in another, and a wait that
// parks costs far more than the channel.
type Parker struct {
	c chan struct{}
}

// NewParker returns a parker without a wake-up.
func NewParker() *Parker { return &Parker{c: make(chan struct{}, 1)} }

// Wake lets one Park return, now or later. It never blocks.
func (p *Parker) Wake() { wake(p.c) }

// Park blocks until Wake, and reports true, or until done is closed, and reports false.
// When both have happened, it reports true if there is a wake-up to take, so that a granted
// waiter does not take its grant for a cancellation. A nil done never ends the wait.
func (p *Parker) Park(done <-chan struct{}) bool { return park(p.c, done) }
