//go:build unix

package rwsem_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rwsem"
)

// TestParkedBurnsNothing measures the processor time of the whole process while a writer
// waits for a reader. A waiter that polls uses all of the time that goes by. The limit is a
// quarter of it, in the best of three tries, since the runtime may have work of its own.
func TestParkedBurnsNothing(t *testing.T) {
	var s rwsem.Sem
	s.RLock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Lock()
		s.Unlock()
	}()
	if !eventually(s.Contended) {
		t.Fatal("the writer does not queue")
	}
	const wait = 50 * time.Millisecond
	best := time.Hour
	for range 3 {
		before := processorTime(t)
		<-time.After(wait)
		best = min(best, processorTime(t)-before)
	}
	if best > wait/4 {
		t.Errorf("%v of processor time in %v of waiting", best, wait)
	}
	s.RUnlock()
	<-done
}

// processorTime returns what this process has used so far, user and system.
func processorTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
