// Package stat has the few statistics that the benchmarks report.
package stat

import (
	"math"
	"slices"
)

// A Summary is the median of some values and their spread.
type Summary struct {
	Rounds int     `json:"rounds"` // how many values there were
	Median float64 `json:"median"`
	Lower  float64 `json:"lower"` // the first quartile
	Upper  float64 `json:"upper"` // the third
}

// Summarize returns the summary of xs, which it does not change. The summary of no values is
// zero.
func Summarize(xs []float64) Summary {
	sorted := slices.Sorted(slices.Values(xs))
	return Summary{
		Rounds: len(sorted),
		Median: Quantile(sorted, 0.5),
		Lower:  Quantile(sorted, 0.25),
		Upper:  Quantile(sorted, 0.75),
	}
}

// Quantile returns the value below which the share q of the sorted values lies. It
// interpolates linearly between two values. For no values it returns 0.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// Ratios returns a[i]/b[i]: the two values were measured in the same round.
func Ratios(a, b []float64) []float64 {
	r := make([]float64, min(len(a), len(b)))
	for i := range r {
		r[i] = a[i] / b[i]
	}
	return r
}
