package epoch_test

import (
	"runtime"
	"testing"
	"time"
)

// episodes scales the number of rounds of a stress test to the speed of the build.
func episodes(n int) int {
	if checking {
		return max(1, n/4)
	}
	return n
}

// runtimeYield lets another goroutine run.
func runtimeYield() { runtime.Gosched() }

// within fails the test, with all stacks, if f takes longer than d.
func within(t *testing.T, d time.Duration, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(d):
		buf := make([]byte, 1<<20)
		t.Fatalf("not done after %v\n%s", d, buf[:runtime.Stack(buf, true)])
	}
}

// procs runs f with each of a few settings of GOMAXPROCS.
func procs(t *testing.T, f func(t *testing.T)) {
	for _, n := range []int{1, 2, 4, 8} {
		old := runtime.GOMAXPROCS(n)
		ok := t.Run("procs="+string('0'+rune(n)), f)
		runtime.GOMAXPROCS(old)
		if !ok {
			return
		}
	}
}
