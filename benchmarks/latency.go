package main

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spanlock/spanlock/benchmarks/internal/stat"
)

// readFor reads as fast as it can for d and returns how many it has read in a second,
// and the nanoseconds of one read in eight, sorted.
func readFor[K any](s store[K], keys []K, from int, d time.Duration) (rate float64, times []float64) {
	mask := len(keys) - 1
	n, sum := 0, 0
	start := time.Now()
	for time.Since(start) < d {
		for range 7 {
			sum += s.read(keys[(from+n)&mask])
			n++
		}
		t := time.Now()
		sum += s.read(keys[(from+n)&mask])
		n++
		times = append(times, float64(time.Since(t)))
	}
	sink[0].n.Add(uint64(sum))
	slices.Sort(times)
	return float64(n) / time.Since(start).Seconds(), times
}

// pace is how often readPaced wants to read.
const pace = 5 * time.Microsecond

// readPaced wants to read once every pace for d. It returns, sorted, how long after the
// instant at which each read was due it was done. A reader that is stopped for a
// millisecond is late two hundred times, while one that reads as fast as it can would
// record a single slow read.
func readPaced[K any](s store[K], keys []K, from int, d time.Duration) (times []float64) {
	mask := len(keys) - 1
	sum := 0
	start := time.Now()
	for i := range int(d / pace) {
		due := time.Duration(i) * pace
		for time.Since(start) < due {
		}
		sum += s.read(keys[(from+i)&mask])
		times = append(times, float64(time.Since(start)-due))
	}
	sink[0].n.Add(uint64(sum))
	slices.Sort(times)
	return times
}

// rateOf returns how many reads a second g goroutines make together within d.
func rateOf[K any](s store[K], keys []K, g, from int, d time.Duration) float64 {
	mask := len(keys) - 1
	var total atomic.Int64
	var stop atomic.Bool
	var wg sync.WaitGroup
	start := time.Now()
	for worker := range g {
		wg.Go(func() {
			n, sum := 0, 0
			for at := from + worker*1031; !stop.Load(); {
				for range 16 {
					sum += s.read(keys[at&mask])
					at++
				}
				n += 16
			}
			total.Add(int64(n))
			sink[worker&63].n.Add(uint64(sum))
		})
	}
	time.Sleep(d)
	stop.Store(true)
	elapsed := time.Since(start)
	wg.Wait()
	return float64(total.Load()) / elapsed.Seconds()
}

// beside runs step again and again on another goroutine while f runs.
func beside(step func(), f func()) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !stop.Load() {
			step()
		}
	})
	f()
	stop.Store(true)
	wg.Wait()
}

// tail is the quantile of times for which there are targets.
func tail(times []float64) float64 { return stat.Quantile(times, 0.999) }
