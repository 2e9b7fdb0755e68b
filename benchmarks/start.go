package main

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// sideBySide runs f on g goroutines that start together, and returns the time from the
// start of the first to the end of the last. If there is a processor for each, they first
// make sure that they run at the same time, and try that for patience: after a wake-up the
// kernel may leave two threads on one core for longer than a slice.
func sideBySide(g int, patience time.Duration, f func(worker int)) time.Duration {
	m := meeting{g: int64(g), spin: patience > 0 && g <= runtime.GOMAXPROCS(0), patience: patience}
	var done sync.WaitGroup
	starts, ends := make([]time.Time, g), make([]time.Time, g)
	for worker := range g {
		done.Go(func() {
			m.gather(worker)
			starts[worker] = time.Now()
			f(worker)
			ends[worker] = time.Now()
		})
	}
	done.Wait()
	return slices.MaxFunc(ends, time.Time.Compare).Sub(slices.MinFunc(starts, time.Time.Compare))
}

// meeting is where goroutines wait for each other.
type meeting struct {
	g        int64
	spin     bool // there is a processor for each
	patience time.Duration
	arrived  atomic.Int64
	over     atomic.Bool // set by worker 0
}

const (
	handshakes = 50                    // in a row
	oneCore    = 10 * time.Microsecond // every handshake within one core takes longer
)

// gather returns on all g goroutines at about the same time.
func (m *meeting) gather(worker int) {
	m.meet()
	if !m.spin {
		return
	}
	quick, began := 0, time.Now()
	for {
		t := time.Now()
		m.meet()
		if worker == 0 {
			if now := time.Now(); now.Sub(t) < oneCore {
				quick++
			} else {
				quick = 0
			}
			m.over.Store(quick == handshakes || time.Since(began) > m.patience)
		}
		m.meet() // now all have seen over
		if m.over.Load() {
			return
		}
	}
}

// meet returns when all g goroutines have called it equally often.
func (m *meeting) meet() {
	all := (m.arrived.Add(1)-1)/m.g*m.g + m.g
	for m.arrived.Load() < all {
		if !m.spin {
			runtime.Gosched()
		}
	}
}
