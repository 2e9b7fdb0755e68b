package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, draw := range map[string]func() time.Duration{
		"small":   func() time.Duration { return time.Duration(rng.IntN(70)) },
		"uniform": func() time.Duration { return time.Duration(rng.IntN(1_000_000)) },
		"spread":  func() time.Duration { return time.Duration(math.Exp(rng.Float64() * 40)) },
		"equal":   func() time.Duration { return 12345 },
	} {
		for _, n := range []int{1, 2, 3, 100, 20_000} {
			var a, b histogram
			sorted := make([]time.Duration, n)
			for i := range sorted {
				sorted[i] = draw()
				if i%2 == 0 {
					a.record(sorted[i])
				} else {
					b.record(sorted[i])
				}
			}
			a.add(&b)
			slices.Sort(sorted)
			for _, q := range []float64{0, 0.001, 0.5, 0.9, 0.99, 0.999, 1} {
				want := sorted[max(int(math.Ceil(q*float64(n))), 1)-1]
				got := a.quantile(q)
				if got < want || float64(got) > float64(want)*(1+1.0/32) {
					t.Errorf("%s: of %d, quantile %v is %d, want %d or at most 1/32 more", name, n, q, got, want)
				}
			}
			if a.n != uint64(n) || a.max != sorted[n-1] || a.quantile(1) != a.max {
				t.Errorf("%s: of %d: n %d, max %d, want %d", name, n, a.n, a.max, sorted[n-1])
			}
		}
	}
}

// TestHistogramBuckets checks that there is no gap between the buckets, from zero to the longest
// duration.
func TestHistogramBuckets(t *testing.T) {
	for i := range bucketCount {
		top := bucketTop(i)
		if got := bucketOf(uint64(top)); got != i {
			t.Fatalf("the top of bucket %d is %d, which is in bucket %d", i, top, got)
		}
		if i < bucketCount-1 {
			if got := bucketOf(uint64(top) + 1); got != i+1 {
				t.Fatalf("%d follows bucket %d, and is in bucket %d", top+1, i, got)
			}
		}
	}
	if top := bucketTop(bucketCount - 1); top != math.MaxInt64 {
		t.Errorf("the last bucket ends at %d", top)
	}
	var h histogram
	if h.quantile(0.5) != 0 {
		t.Errorf("the median of nothing is %v", h.quantile(0.5))
	}
	h.record(-1)
	h.record(math.MaxInt64)
	if h.quantile(0.5) != 0 || h.quantile(1) != math.MaxInt64 {
		t.Errorf("quantiles are %v and %v", h.quantile(0.5), h.quantile(1))
	}
	if n := testing.AllocsPerRun(100, func() { h.record(1000) }); n != 0 {
		t.Errorf("record allocates %v times", n)
	}
}
