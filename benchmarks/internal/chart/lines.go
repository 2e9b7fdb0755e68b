package chart

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// A Series is one line. Low and High are drawn as a band if they are given.
type Series struct {
	Name      string
	Colour    string
	Strong    bool // drawn thicker and on top
	X, Y      []float64
	Low, High []float64
}

// Lines is a chart of lines, each of which has its name at its right end.
type Lines struct {
	Title, Subtitle string
	X, Y            Axis
	Series          []Series
	Note            string // at the bottom
}

const (
	width      = 860.0
	height     = 510.0
	left       = 76.0
	right      = 130.0 // room for the names
	top        = 100.0
	bottom     = 84.0
	lineHeight = 17.0
)

// Write draws the chart.
func (l *Lines) Write(w io.Writer) error {
	c := newCanvas(width, height, l.Title)
	c.text(left-56, 30, "start", `class="title"`, l.Title)
	c.text(left-56, 52, "start", "", l.Subtitle)
	c.text(left-56, height-14, "start", `style="font-size:11px"`, l.Note)

	x, y := l.X, l.Y
	x.fitTo(l.Series, func(s Series) [][]float64 { return [][]float64{s.X} }, left, width-right)
	y.fitTo(l.Series, func(s Series) [][]float64 { return [][]float64{s.Y, s.Low, s.High} }, height-bottom, top)
	for _, t := range y.Ticks {
		at := y.place(t.At)
		c.line("grid", left, at, width-right, at)
		c.text(left-8, at+4, "end", "", t.Label)
	}
	for _, t := range x.Ticks {
		at := x.place(t.At)
		c.line("axis", at, height-bottom, at, height-bottom+5)
		c.text(at, height-bottom+20, "middle", "", t.Label)
	}
	c.line("axis", left, height-bottom, width-right, height-bottom)
	c.text((left+width-right)/2, height-bottom+42, "middle", "", x.Label)
	c.text(left-56, top-16, "start", "", y.Label)

	for _, strong := range []bool{false, true} {
		for _, s := range l.Series {
			if s.Strong == strong && len(s.X) > 0 {
				c.series(s, &x, &y)
			}
		}
	}
	c.names(l.Series, &y)
	return c.writeTo(w)
}

// fitTo fits the axis to the values of all series. One that is not logarithmic begins
// at zero.
func (a *Axis) fitTo(series []Series, values func(Series) [][]float64, from, to float64) {
	low, high := math.Inf(1), math.Inf(-1)
	if !a.Log && len(a.Ticks) == 0 {
		low = 0
	}
	for _, s := range series {
		for _, vs := range values(s) {
			for _, v := range vs {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	for _, t := range a.Ticks {
		low, high = min(low, t.At), max(high, t.At)
	}
	if low > high {
		low, high = 1, 10
	}
	a.fit(low, high, from, to)
}

// series draws one line with its band.
func (c *canvas) series(s Series, x, y *Axis) {
	stroke, opacity := 2.0, 0.09
	if s.Strong {
		stroke, opacity = 3.5, 0.18
	}
	c.printf(`<g data-series="%s">`+"\n", escape(s.Name))
	if len(s.Low) == len(s.X) && len(s.High) == len(s.X) {
		var band []string
		for i := range s.X {
			band = append(band, point(x.place(s.X[i]), y.place(s.High[i])))
		}
		for i := len(s.X) - 1; i >= 0; i-- {
			band = append(band, point(x.place(s.X[i]), y.place(s.Low[i])))
		}
		c.printf(`<polygon points="%s" fill="%s" fill-opacity="%.2f"/>`+"\n", strings.Join(band, " "), s.Colour, opacity)
	}
	var points []string
	for i := range s.X {
		points = append(points, point(x.place(s.X[i]), y.place(s.Y[i])))
	}
	c.printf(`<polyline points="%s" fill="none" stroke="%s" stroke-width="%s" stroke-linejoin="round" stroke-linecap="round"/>`+"\n",
		strings.Join(points, " "), s.Colour, short(stroke))
	for i := range s.X {
		c.printf(`<circle cx="%s" cy="%s" r="%s" fill="%s"/>`, short(x.place(s.X[i])), short(y.place(s.Y[i])), short(stroke+0.5), s.Colour)
	}
	c.printf("\n</g>\n")
}

func point(x, y float64) string { return fmt.Sprintf("%s,%s", short(x), short(y)) }

// names writes the name of each line at its end, and moves names that would overlap.
func (c *canvas) names(series []Series, y *Axis) {
	type name struct {
		s       Series
		end, at float64
	}
	var names []name
	for _, s := range series {
		if len(s.Y) > 0 {
			end := y.place(s.Y[len(s.Y)-1])
			names = append(names, name{s, end, end})
		}
	}
	slices.SortStableFunc(names, func(a, b name) int {
		return int(math.Copysign(1, a.end-b.end))
	})
	ends := make([]float64, len(names))
	for i := range names {
		ends[i] = names[i].end
	}
	for i, at := range spread(ends, lineHeight, top, height-bottom+4) {
		names[i].at = at
	}
	for _, n := range names {
		class := ""
		if n.s.Strong {
			class = `class="strong" `
		}
		c.printf(`<polyline points="%s %s" fill="none" stroke="%s" stroke-opacity="0.6"/>`+"\n",
			point(width-right+6, n.end), point(width-right+18, n.at), n.s.Colour)
		c.text(width-right+22, n.at+4, "start", class+fmt.Sprintf(`style="fill:%s"`, n.s.Colour), n.s.Name)
	}
}

// spread moves sorted places apart until neighbours are at least gap apart. It moves each as
// little as possible, and keeps all within low and high if there is room.
func spread(places []float64, gap, low, high float64) []float64 {
	type block struct {
		sum float64 // of the block's begins that its members would choose
		n   int
	}
	var blocks []block
	for _, p := range places {
		blocks = append(blocks, block{p, 1})
		for k := len(blocks); k > 1; k = len(blocks) {
			a, b := blocks[k-2], blocks[k-1]
			if a.sum/float64(a.n)+gap*float64(a.n) <= b.sum/float64(b.n) {
				break
			}
			blocks = append(blocks[:k-2], block{a.sum + b.sum - gap*float64(a.n*b.n), a.n + b.n})
		}
	}
	var out []float64
	for _, b := range blocks {
		first := b.sum / float64(b.n)
		for i := range b.n {
			out = append(out, first+gap*float64(i))
		}
	}
	for i := len(out) - 1; i >= 0; i-- { // not below the chart
		out[i] = min(out[i], high-gap*float64(len(out)-1-i))
	}
	for i := range out { // nor above it
		out[i] = max(out[i], low+gap*float64(i))
	}
	return out
}
