package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync/atomic"

	"github.com/spanlock/spanlock/rangelock"
)

// work does n operations on one goroutine; worker is the goroutine's number.
type work func(worker, n int)

// step is the distance of the low bounds of two ranges. Each range covers the first half
// of its step, so that there are keys to miss and room to insert.
const step = 100

// names are those of the workloads.
const names = "acquire, get, many, miss, one, text, load, write or numbers"

// sink keeps what was read from being optimized away.
var sink atomic.Int64

// workload makes a map of n ranges and returns the named work on it.
func workload(name string, n int) (work, bool) {
	if name == "one" {
		n = 1
	}
	// Keys in the lower half of a random step lie in a range, those in the upper half in a gap.
	keys := make([]uint64, 1<<16)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range keys {
		keys[i] = random.Uint64N(uint64(n))*step + random.Uint64N(step/2)
	}
	switch name {
	case "acquire", "one":
		return acquire(fill(n, number, pointer), keys), true
	case "get":
		return get(fill(n, number, pointer), keys, 0), true
	case "many":
		return many(fill(n, number, pointer), keys), true
	case "miss":
		return get(fill(n, number, pointer), keys, step/2), true
	case "text":
		texts := make([]string, len(keys))
		for i, key := range keys {
			texts[i] = text(key)
		}
		return acquire(fill(n, text, pointer), texts), true
	case "load":
		return load(n), true
	case "write":
		return write(fill(n, number, pointer), keys, pointer(1)), true
	case "numbers":
		return write(fill(n, number, func(i int) int { return i }), keys, 1), true
	}
	return nil, false
}

// number and text make a key.
func number(i uint64) uint64 { return i }
func text(i uint64) string   { return string(binary.BigEndian.AppendUint64([]byte("key/"), i)) }

// pointer makes a value.
func pointer(i int) *int { return &i }

// fill returns a map of n ranges, inserted one by one.
func fill[K cmp.Ordered, V any](n int, key func(uint64) K, value func(int) V) *rangelock.Map[K, V] {
	m := rangelock.New[K, V](nil)
	w := m.Lock()
	defer w.Unlock()
	for i := range uint64(n) {
		if err := w.Insert(rangelock.Span(key(i*step), key(i*step+step/2)), value(int(i))); err != nil {
			panic(err)
		}
	}
	return m
}

// acquire takes a guard, reads the value and releases the guard.
func acquire[K cmp.Ordered](m *rangelock.Map[K, *int], keys []K) work {
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

// many reads the values at sixteen keys with one call; an operation is one key.
func many(m *rangelock.Map[uint64, *int], keys []uint64) work {
	const batch = 16 // of which len(keys) is a multiple
	return func(worker, n int) {
		sum, at := 0, worker*1024
		for done := 0; done < n; done += batch {
			from := at & (len(keys) - 1)
			m.GetMany(keys[from:from+min(batch, n-done)], func(_ int, v *int, ok bool) {
				if ok {
					sum += *v
				}
			})
			at += batch
		}
		sink.Add(int64(sum))
	}
}

// load makes maps of n ranges in order; an operation is one range.
func load(n int) work {
	v := pointer(1)
	return func(_, count int) {
		for ; count > 0; count -= n {
			w := rangelock.New[uint64, *int](nil).Lock()
			_, err := w.Load(func(yield func(rangelock.Range[uint64], *int) bool) {
				for i := range uint64(min(n, count)) {
					if !yield(rangelock.Span(i*step, i*step+step/2), v) {
						return
					}
				}
			})
			w.Unlock()
			if err != nil {
				panic(err)
			}
		}
	}
}

// write inserts a range into a gap and removes it again.
func write[V any](m *rangelock.Map[uint64, V], keys []uint64, v V) work {
	ctx := context.Background()
	return func(worker, n int) {
		at := worker * 1031
		for range n {
			lo := keys[at&(len(keys)-1)]/step*step + step/2
			r := rangelock.Span(lo, lo+step/2)
			if err := m.Insert(ctx, r, v); err != nil {
				panic(err)
			}
			if k, err := m.Remove(ctx, r); k != 1 || err != nil {
				panic("a range that was inserted cannot be removed")
			}
			at++
		}
	}
}
