package main

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/spanlock/spanlock/benchmarks/internal/stat"
)

// contender is one side of a comparison.
type contender struct {
	name string
	g    int // goroutines; 0 for as many as the duel has

	// run does n operations on one goroutine. worker is the goroutine's number, and from
	// says where in the keys to begin: it differs for each round and worker, but is the
	// same for all contenders.
	run func(worker, from, n int)

	// clock is used instead of run if only a part of the work counts: it does n
	// operations, on the calling goroutine, and says how long they took.
	clock func(from, n int) time.Duration

	// garbage says that the contender leaves so much garbage that the collector must run
	// after each slice, outside of the measured time, so that it does not disturb the
	// others. Another name has the times that include the collector's.
	garbage bool
}

// withGarbage is appended to the name if the time includes the collector's work.
const withGarbage = " and its garbage"

// bout is what a duel has measured: for each contender the nanoseconds of one
// operation, round by round.
type bout struct {
	names []string
	times map[string][]float64
}

// duel runs the contenders and the yardstick in turns, a slice each in every round, on
// g goroutines each.
func (b *bench) duel(g int, cs ...contender) *bout {
	cs = append(cs, rmw2())
	o := &bout{times: make(map[string][]float64)}
	batch := make([]int, len(cs))
	for i := range cs {
		if cs[i].g == 0 {
			cs[i].g = g
		}
		batch[i] = b.calibrate(&cs[i])
		o.names = append(o.names, cs[i].name)
		if cs[i].garbage {
			o.names = append(o.names, cs[i].name+withGarbage)
		}
	}
	for round := range b.scale.rounds {
		for i := range cs {
			var left garbage
			if cs[i].garbage {
				left.begin()
			}
			d := cs[i].time(b.scale.patience, round*40_503, batch[i])
			o.add(cs[i].name, d, batch[i])
			if cs[i].garbage {
				o.add(cs[i].name+withGarbage, d+left.collect(), batch[i])
			}
		}
	}
	return o
}

func (o *bout) add(name string, d time.Duration, n int) {
	o.times[name] = append(o.times[name], float64(d.Nanoseconds())/float64(n))
}

// calibrate returns how many operations of each goroutine fill a slice if they do not
// disturb each other. It measures only one goroutine: if two share a core, a few operations
// take as long as until the kernel switches threads.
func (b *bench) calibrate(c *contender) int {
	alone := *c
	alone.g = 1
	turns := (c.g + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	for n := 1; ; n *= 2 {
		d := alone.time(0, 0, n)
		// Another program may have had the core meanwhile. Then a slice would have too few
		// operations in all rounds, and the cost of starting would distort the times.
		for range 2 {
			if d > b.scale.slice/8 {
				d = min(d, alone.time(0, 0, n))
			}
		}
		if d > b.scale.slice/8 || n >= 1<<24 {
			return max(1, int(float64(n)*float64(b.scale.slice)/float64(d+1))/turns)
		}
	}
}

// time runs the contender once, n operations on each of its goroutines, which start
// together. The time ends when the last goroutine has done its operations.
func (c *contender) time(patience time.Duration, from, n int) (d time.Duration) {
	switch {
	case c.clock != nil:
		d = c.clock(from, n)
	case c.g == 1:
		start := time.Now()
		c.run(0, from, n)
		d = time.Since(start)
	default:
		d = sideBySide(c.g, patience, func(worker int) { c.run(worker, from+worker*1031, n) })
	}
	return d
}

// ratios are those of the time of a to that of b, round by round.
func (o *bout) ratios(a, b string) []float64 { return stat.Ratios(o.times[a], o.times[b]) }

// minus returns how many nanoseconds longer a takes than b, round by round.
func (o *bout) minus(a, b string) []float64 {
	xs := make([]float64, len(o.times[a]))
	for i := range xs {
		xs[i] = o.times[a][i] - o.times[b][i]
	}
	return xs
}

// padded is a word with two cache lines to itself, since processors fetch pairs.
type padded struct {
	n atomic.Uint64
	_ [120]byte
}

// sink takes what was read, so that the compiler does not remove the reads.
var sink [64]padded

// yardstick is the contender to which all times are compared.
const yardstick = "rmw2"

// rmw2 makes two atomic additions on a cache line of its own.
func rmw2() contender {
	words := new([64]padded)
	return contender{name: yardstick, run: func(worker, _, n int) {
		w := &words[worker&63].n
		for range n {
			w.Add(1)
			w.Add(^uint64(0))
		}
	}}
}
