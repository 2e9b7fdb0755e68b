package stat

import (
	"slices"
	"testing"
)

func TestSummarize(t *testing.T) {
	for _, c := range []struct {
		xs   []float64
		want Summary
	}{
		{nil, Summary{}},
		{[]float64{7}, Summary{1, 7, 7, 7}},
		{[]float64{3, 1}, Summary{2, 2, 1.5, 2.5}},
		{[]float64{5, 1, 4, 2, 3}, Summary{5, 3, 2, 4}},
		{[]float64{8, 1, 2, 4}, Summary{4, 3, 1.75, 5}},
		{[]float64{1, 1, 1, 1000, 1}, Summary{5, 1, 1, 1}},
	} {
		given := slices.Clone(c.xs)
		if got := Summarize(c.xs); got != c.want {
			t.Errorf("Summarize(%v) = %+v, want %+v", c.xs, got, c.want)
		}
		if !slices.Equal(given, c.xs) {
			t.Errorf("Summarize has changed its argument %v to %v", given, c.xs)
		}
	}
}

func TestQuantileEnds(t *testing.T) {
	xs := []float64{1, 2, 3, 4, 10}
	for q, want := range map[float64]float64{0: 1, 0.25: 2, 0.9: 7.6, 1: 10} {
		if got := Quantile(xs, q); got < want-1e-9 || got > want+1e-9 {
			t.Errorf("Quantile(%v) = %v, want %v", q, got, want)
		}
	}
}

func TestRatios(t *testing.T) {
	// The median of ratios, not the ratio of medians: a slow round is slow for both.
	got := Ratios([]float64{1, 10, 4}, []float64{2, 20, 2})
	if !slices.Equal(got, []float64{0.5, 0.5, 2}) {
		t.Error(got)
	}
	if s := Summarize(got); s.Median != 0.5 {
		t.Error(s)
	}
}
