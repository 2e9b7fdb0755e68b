package main

import (
	"context"
	"math/rand/v2"
	"sync/atomic"

	"github.com/spanlock/spanlock/rangelock"
)

// work does n operations on one goroutine; worker tells the goroutines apart.
type work func(worker, n int)

// step is the distance of the low bounds of two ranges. Each range covers the first half
// of its step, so that there are keys to miss and room to insert.
const step = 100

// sink keeps what was read from being optimized away.
var sink atomic.Int64

// workload makes a map of n ranges and returns the named work on it.
func workload(name string, n int) (work, bool) {
	if name == "one" {
		n = 1
	}
	m := rangelock.New[uint64, *int](nil)
	w := m.Lock()
	for i := range uint64(n) {
		v := int(i)
		if err := w.Insert(rangelock.Span(i*step, i*step+step/2), &v); err != nil {
			panic(err)
		}
	}
	w.Unlock()
	// The lower halves of random steps: in a range. The upper ones: in a gap.
	keys := make([]uint64, 1<<16)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range keys {
		keys[i] = random.Uint64N(uint64(n))*step + random.Uint64N(step/2)
	}
	switch name {
	case "acquire", "one":
		return acquire(m, keys), true
	case "get":
		return get(m, keys, 0), true
	case "miss":
		return get(m, keys, step/2), true
	case "write":
		return write(m, keys), true
	}
	return nil, false
}

// acquire takes a guard, reads the value and releases the guard.
func acquire(m *rangelock.Map[uint64, *int], keys []uint64) work {
	return func(worker, n int) {
		sum, at := 0, worker*1031
		for range n {
			if g, ok := m.Acquire(keys[at&(len(keys)-1)]); ok {
				sum += *g.Value()
				g.Release()
			}
			at++
		}
		sink.Add(int64(sum))
	}
}

// get reads the value at each key plus shift, without a guard.
func get(m *rangelock.Map[uint64, *int], keys []uint64, shift uint64) work {
	return func(worker, n int) {
		sum, at := 0, worker*1031
		for range n {
			if v, ok := m.Get(keys[at&(len(keys)-1)] + shift); ok {
				sum += *v
			}
			at++
		}
		sink.Add(int64(sum))
	}
}

// write inserts a range into a gap and removes it again.
func write(m *rangelock.Map[uint64, *int], keys []uint64) work {
	v, ctx := 1, context.Background()
	return func(worker, n int) {
		at := worker * 1031
		for range n {
			lo := keys[at&(len(keys)-1)]/step*step + step/2
			r := rangelock.Span(lo, lo+step/2)
			if err := m.Insert(ctx, r, &v); err != nil {
				panic(err)
			}
			if k, err := m.Remove(ctx, r); k != 1 || err != nil {
				panic("a range that was inserted cannot be removed")
			}
			at++
		}
	}
}
