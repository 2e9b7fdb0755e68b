package chart

import "math"

// An Axis maps values to places between two ends.
type Axis struct {
	Label string
	Log   bool
	Ticks []Tick // chosen automatically if there are none

	// Format writes the values of ticks that are chosen automatically.
	Format func(x float64) string

	low, high float64 // values at the ends
	from, to  float64 // the ends, in pixels
}

// A Tick is a value with its label.
type Tick struct {
	At    float64
	Label string
}

// fit makes the axis hold the values low to high, which must be above zero if it is logarithmic.
func (a *Axis) fit(low, high, from, to float64) {
	a.from, a.to = from, to
	a.low, a.high = low, high
	if a.high <= a.low {
		a.high = a.low + 1
	}
	if len(a.Ticks) > 0 {
		return
	}
	values := linearTicks
	if a.Log {
		values = logTicks
	}
	ticks := values(a.low, a.high)
	for _, v := range ticks {
		a.Ticks = append(a.Ticks, Tick{v, a.Format(v)})
	}
	if n := len(ticks); n > 0 {
		a.low, a.high = min(a.low, ticks[0]), max(a.high, ticks[n-1])
	}
}

// place returns the position of v.
func (a *Axis) place(v float64) float64 {
	low, high := a.low, a.high
	if a.Log {
		v, low, high = math.Log(max(v, low)), math.Log(low), math.Log(high)
	}
	return a.from + (v-low)/(high-low)*(a.to-a.from)
}

// linearTicks are at round distances, four to eight of them, the first at or below low
// and the last at or above high.
func linearTicks(low, high float64) []float64 {
	unit := math.Pow(10, math.Floor(math.Log10((high-low)/4)))
	step := unit
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if step = m * unit; (high-low)/step <= 6 {
			break
		}
	}
	var ticks []float64
	for i := math.Floor(low / step); ; i++ {
		ticks = append(ticks, i*step)
		if i*step >= high {
			return ticks
		}
	}
}

// logTicks are at powers of ten, also at their halves and fifths if there are few of them,
// and enclose low and high.
func logTicks(low, high float64) []float64 {
	within := []float64{1}
	if high/low < 2000 {
		within = []float64{1, 2, 5}
	}
	var ticks []float64
	for power := math.Pow(10, math.Floor(math.Log10(low))); ; power *= 10 {
		for _, m := range within {
			ticks = append(ticks, m*power)
			if len(ticks) > 1 && ticks[1] <= low {
				ticks = ticks[1:]
			}
			if m*power >= high {
				return ticks
			}
		}
	}
}
