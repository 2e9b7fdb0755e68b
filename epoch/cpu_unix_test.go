//go:build unix

package epoch_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/spanlock/spanlock/epoch"
)

// used returns the processor time that this process has used.
func used(t *testing.T) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// Goroutines that wait for a pin use no processor time: a driver, others in line, the
// callback goroutine and a barrier. This runs in real time, because a bubble has no
// processor time to measure. It takes the best of a few tries, because the process may have
// other work.
func TestWaitingBurnsNothing(t *testing.T) {
	var d epoch.Domain
	g := d.Pin()
	errs := make(chan error)
	for range 4 {
		go func() { errs <- d.Synchronize(t.Context()) }()
	}
	d.Retire(func() {})
	go func() { errs <- d.Barrier(t.Context()) }()
	for {
		if _, asleep, line := d.Waiting(); asleep && line == 4 {
			break
		}
		runtimeYield()
	}
	best := time.Hour
	for range 3 {
		before := used(t)
		<-time.After(300 * time.Millisecond)
		if best = min(best, used(t)-before); best < 2*time.Millisecond {
			break
		}
	}
	if best >= 2*time.Millisecond {
		t.Errorf("waiting used %v of processor time in 300 ms", best)
	}
	g.Unpin()
	for range 5 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
