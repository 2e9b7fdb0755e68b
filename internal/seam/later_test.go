//go:build !schedule

package seam_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/internal/seam"
)

// TestAfterFunc: f is called once, either by the timer, in a bubble or outside, or because
// the bubble has ended.
func TestAfterFunc(t *testing.T) {
	var calls atomic.Int32
	f := func() { calls.Add(1) }
	synctest.Test(t, func(*testing.T) {
		seam.AfterFunc(time.Hour, f)
		time.Sleep(time.Hour - 1)
		if n := calls.Load(); n != 0 {
			t.Errorf("%d calls before the hour is over", n)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := calls.Load(); n != 1 {
			t.Errorf("%d calls after an hour", n)
		}
	})
	synctest.Test(t, func(*testing.T) { seam.AfterFunc(time.Hour, f) })
	for end := time.Now().Add(10 * time.Second); calls.Load() < 2 && time.Now().Before(end); {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	seam.AfterFunc(0, f)
	for range 10 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	if n := calls.Load(); n != 3 {
		t.Errorf("%d calls, want one by a timer in a bubble, one of a bubble that has ended, one by a timer", n)
	}
}
