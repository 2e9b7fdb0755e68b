package main

import (
	"math"
	"math/bits"
	"time"
)

// A histogram counts durations in buckets whose width grows with them. Each power of two is cut
// into 32 equal parts, so a quantile is at most 1/32 above the true one, from nanoseconds to
// centuries, in 15 KiB. Recording is an index and an increment. It allocates nothing and takes no
// lock: each goroutine has its own histogram, and they are added up at the end.
//
// The zero value is empty.
type histogram struct {
	counts [bucketCount]uint64
	n      uint64
	max    time.Duration
}

const (
	subBits     = 5 // 1<<subBits buckets per power of two
	bucketCount = (63-subBits)<<subBits + 1<<subBits
)

// bucketOf returns the bucket of a duration of v nanoseconds. Below 64 every
// value has its own bucket; above, the highest six bits choose it.
func bucketOf(v uint64) int {
	shift := max(bits.Len64(v)-(subBits+1), 0)
	return shift<<subBits + int(v>>shift)
}

// bucketTop returns the largest duration that falls into bucket i.
func bucketTop(i int) time.Duration {
	shift := max(i>>subBits-1, 0)
	return time.Duration(uint64(i-shift<<subBits+1)<<shift - 1)
}

// record adds one duration. A negative duration, which a monotonic clock does not return, counts
// as zero.
func (h *histogram) record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(uint64(d))]++
	h.n++
	h.max = max(h.max, d)
}

// add adds the durations of o.
func (h *histogram) add(o *histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.n += o.n
	h.max = max(h.max, o.max)
}

// quantile returns a duration that a share q of the recorded ones do not exceed: at least the
// true one, at most 1/32 above it, never above the longest. It is zero if nothing was recorded.
func (h *histogram) quantile(q float64) time.Duration {
	rank := max(uint64(math.Ceil(q*float64(h.n))), 1)
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen >= rank {
			return min(bucketTop(i), h.max)
		}
	}
	return h.max
}

var clockStart = time.Now()

// now reads the monotonic clock, as the time since the process began. It costs half of time.Now,
// which also reads the wall clock, and the result fits in one atomic word. A measured duration
// includes one such reading, some 30 to 50 ns.
func now() time.Duration { return time.Since(clockStart) }
