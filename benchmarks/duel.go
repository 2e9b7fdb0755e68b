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

	// run does n operations on one goroutine. worker tells the goroutines apart, and
	// from, which differs from round to round and from worker to worker but not from
	// contender to contender, says where in the keys to begin.
	run func(worker, from, n int)

	// clock is in place of run where only a part of the work counts: it does n
	// operations, on the calling goroutine, and says how long they took.
	clock func(from, n int) time.Duration

	// garbage says that the contender leaves so much of it that the collector must run
	// after each slice, off the clock, lest it disturb the others. What that is worth is
	// added to the times under another name.
	garbage bool
}

// withGarbage is what stands behind the name where the collector's work is counted.
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

// calibrate returns how many operations of each goroutine fill a slice, as if they did
// not disturb each other. It asks one of them: where two have to share a core, the time
// of a few operations is that until the kernel changes over.
func (b *bench) calibrate(c *contender) int {
	alone := *c
	alone.g = 1
	turns := (c.g + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	for n := 1; ; n *= 2 {
		d := alone.time(0, 0, n)
		// Somebody else may have had the core meanwhile. Too few operations would then stand
		// for a slice in all rounds, and be measured with what it takes to begin.
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
// together. The time ends when the last has done its share.
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

// minus returns by how many nanoseconds a takes longer than b, round by round.
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

// sink takes what was read, so that no compiler leaves the reading out.
var sink [64]padded

// yardstick is what everything is compared to in the end.
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
