// Command probe measures one workload on a map, for command ablation, which builds it
// once with the map as it is and once without one of its parts. It uses the public API
// only.
//
// It makes the map. Then, for each line that it reads from standard input, it runs for one
// slice of time and answers with one line: nanoseconds for an operation, nanoseconds for
// the yardstick (two atomic additions to an own cache line), allocations and bytes for an
// operation. The yardstick runs on as many goroutines as the workload: if it takes longer
// on two than on one, there was no second processor available.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	do := flag.String("do", "acquire", "the `workload`: "+names)
	n := flag.Int("n", 1000, "`ranges` in the map")
	g := flag.Int("g", 1, "`goroutines`")
	slice := flag.Duration("slice", 20*time.Millisecond, "how long to measure for each line")
	flag.Parse()
	run, ok := workload(*do, *n)
	if !ok || *n < 1 || *g < 1 {
		fmt.Fprintln(os.Stderr, "probe: no such workload")
		os.Exit(2)
	}
	batch := calibrate(run, *slice)
	yard := calibrate(yardstick, *slice/8)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		rmw2 := measure(yardstick, *g, yard)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ns := measure(run, *g, batch)
		runtime.ReadMemStats(&after)
		ops := float64(*g * batch)
		fmt.Println(ns, rmw2, float64(after.Mallocs-before.Mallocs)/ops, float64(after.TotalAlloc-before.TotalAlloc)/ops)
	}
}

// calibrate returns how many operations of run take about as long as slice. It also warms
// run up.
func calibrate(run work, slice time.Duration) int {
	run(0, 64)
	for n := 64; ; n *= 2 {
		d := time.Duration(measure(run, 1, n) * float64(n))
		for range 2 { // twice, because another program may have had the core
			if d > slice/4 {
				d = min(d, time.Duration(measure(run, 1, n)*float64(n)))
			}
		}
		if d > slice/4 || n > 1<<26 {
			return max(1, int(float64(n)*float64(slice)/float64(d+1)))
		}
	}
}

// measure runs n operations on each of g goroutines and returns the nanoseconds that one
// took.
func measure(run work, g, n int) float64 {
	start := time.Now()
	if g == 1 {
		run(0, n)
	} else {
		var wg sync.WaitGroup
		for worker := range g {
			wg.Go(func() { run(worker, n) })
		}
		wg.Wait()
	}
	return float64(time.Since(start).Nanoseconds()) / float64(n)
}

// lines are counters with cache lines of their own.
var lines [64]struct {
	n atomic.Uint64
	_ [120]byte
}

// yardstick is two atomic additions to an own cache line.
func yardstick(worker, n int) {
	w := &lines[worker].n
	for range n {
		w.Add(1)
		w.Add(^uint64(0))
	}
}
