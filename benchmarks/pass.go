package main

import (
	"runtime"
	"sync"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// pass is row 15: the cost of a writer's scan of its readers' lines. It excludes ranges whose
// readers announce themselves and which have no reader at the moment, and ranges that have
// never been read, for which it does not scan. The difference is the scan. All lines have been
// in use. No reader writes into them meanwhile: on a machine with more processors, a line that
// another one has just written takes one more transfer.
func pass(b *bench) {
	const n = 4096
	for _, lines := range []int{16, 64, 256} {
		f := newFixture(uint64Kind, n, false)
		m := f.ours().m
		useLines(m, f.ranges[0].lo, lines)
		for _, r := range f.ranges[:n/2] {
			read(m, r.lo)
		}
		s := b.about("Exclude, all lines in use", "n", n, "lines", lines)
		exclude := func(from int) func(_, count int) time.Duration {
			return func(_, count int) time.Duration {
				start := time.Now()
				for i := range count {
					r := f.ranges[from+i*7919%(n/2)]
					w := m.Lock()
					must(w.Exclude(rangelock.Span(r.lo, r.hi)) == nil)
					w.Unlock()
				}
				return time.Since(start)
			}
		}
		o := b.duel(1,
			contender{name: "read before", clock: exclude(0)},
			contender{name: "never read", clock: exclude(n / 2)})
		s.times(o)
		more := o.minus("read before", "never read")
		for i := range more {
			more[i] /= 1000
		}
		s.add("read before - never read", "µs", more, atMost(map[int]float64{16: 0.1, 64: 0.2, 256: 0.8}[lines]))
	}
}

// useLines gives m that many lines, as on a machine with an eighth as many processors, and has
// goroutines use all of them. There are sixteen times as many goroutines as lines, all at the
// same time.
func useLines(m *rangelock.Map[uint64, *int], key uint64, lines int) {
	procs := runtime.GOMAXPROCS(lines / 8)
	first, _ := m.Acquire(key)
	second, _ := m.Acquire(key)
	runtime.GOMAXPROCS(procs)
	first.Release()
	second.Release()
	var held, done sync.WaitGroup
	leave := make(chan struct{})
	for range 16 * lines {
		held.Add(1)
		done.Go(func() {
			g, _ := m.Acquire(key)
			held.Done()
			<-leave
			g.Release()
		})
	}
	held.Wait()
	close(leave)
	done.Wait()
}

// read acquires key and releases it.
func read(m *rangelock.Map[uint64, *int], key uint64) {
	g, ok := m.Acquire(key)
	must(ok)
	g.Release()
}
