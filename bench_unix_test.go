//go:build unix

package spanlock_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// BenchmarkWaiting is row 11: the processor time that a writer uses while it waits for a held
// guard. One iteration is one wait.
func BenchmarkWaiting(b *testing.B) {
	wait := time.Second
	if testing.Short() {
		wait = 10 * time.Millisecond
	}
	m := rangelock.New[uint64, int](nil)
	w := m.Lock()
	if err := w.Insert(rangelock.Span[uint64](0, 100), 1); err != nil {
		b.Fatal(err)
	}
	w.Unlock()
	var used time.Duration
	for range b.N {
		g, _ := m.Acquire(7)
		time.AfterFunc(wait, g.Release)
		start := processorTime()
		w := m.Lock()
		if err := w.Exclude(rangelock.Span[uint64](0, 100)); err != nil {
			b.Fatal(err)
		}
		used += processorTime() - start
		w.Unlock()
	}
	b.ReportMetric(used.Seconds()*1000/float64(b.N), "cpu-ms/wait")
}

// processorTime returns the processor time that the process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
