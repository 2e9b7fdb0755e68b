package inspect

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// drawRow draws a range to scale, but wide enough to be seen. If the next range touches it, a
// border separates them, in a colour that differs from a gap's.
func (p *picture) drawRow(x *row, href string, joined bool) drawn {
	a, b := line(p.view, x.a, x.z, 1)
	title := x.bounds() + "\n" + x.state.String()
	if x.guards > 0 {
		title += ", " + plural(x.guards, "guard")
	}
	if n := x.note(); n != "" {
		title += ", " + n
	}
	if x.value != "" {
		title += "\n" + x.value
	}
	parts := []part{{x.state.String(), coord(a), "0", width(a, b), "120", "1", ""}}
	if joined && b-a > 4 {
		parts = append(parts, part{"border", coord(b - 1), "0", "1", "120", "1", ""})
	}
	return drawn{Href: href, Title: title, Parts: parts}
}

// drawCell draws a part of the view that has too many ranges to draw each.
func (p *picture) drawCell(i int) (drawn, bool) {
	c := &p.cells[i]
	parts := c.parts(i, len(p.cells), 120)
	if parts == nil {
		return drawn{}, false
	}
	w := p.view.part(i, len(p.cells))
	title := fmt.Sprintf("%s to %s\n%s ranges begin here, %s guards", p.fromLabel(w), p.toLabel(w), count(c.ranges), count(c.guards))
	for st := held; st < left; st++ {
		if c.touch[st] > 0 {
			title += fmt.Sprintf(", %s %s", count(c.touch[st]), st)
		}
	}
	return drawn{Href: p.link(p.around(w.lo, w.last)), Title: title, X: parts[0].X, W: parts[0].W, Cell: true, Parts: parts}, true
}

// parts draws cell i of n as a column. The states other than free are stacked, each as high as
// its share, but high enough to be seen. The opacity of the rest shows how much of the cell is
// covered.
func (c *cell) parts(i, n int, height float64) []part {
	total := 0
	for _, t := range c.touch {
		total += t
	}
	if total == 0 {
		return nil
	}
	a, b := 1000*float64(i)/float64(n), 1000*float64(i+1)/float64(n)
	x, w := coord(a), width(a, b)
	all := []part{{"free", x, "0", w, coord(height), strconv.FormatFloat(0.3+0.7*c.covered, 'f', 2, 64), ""}}
	y := height
	for st := left - 1; st > free; st-- {
		if c.touch[st] > 0 {
			h := min(y, max(height/8, height*float64(c.touch[st])/float64(total)))
			y -= h
			all = append(all, part{st.String(), x, coord(y), w, coord(h), "1", ""})
		}
	}
	return all
}

// goneParts draws the ranges that have left the map and are still held.
func (p *picture) goneParts() []part {
	var all []part
	for i := range p.gone {
		x := &p.gone[i]
		if !x.visible {
			continue
		}
		a, b := line(p.view, x.a, x.z, 3)
		all = append(all, part{"left", coord(a), "3", width(a, b), "18", "1",
			fmt.Sprintf("%s\n%s, left %s", x.bounds(), plural(x.guards, "guard"), x.note())})
	}
	return all
}

// line returns where the places from a to z are on a line of length 1000 that represents w. The
// result is at least least wide, so that it can be seen, and does not go beyond the end of the
// line.
func line(w window, a, z uint64, least float64) (x, y float64) {
	x, y = w.span(a, z)
	x, y = 1000*x, 1000*y
	if y-x < least {
		x = min(x, 1000-least)
		y = x + least
	}
	return x, y
}

// coord formats a coordinate, and width the distance of two coordinates, both rounded in the same
// way, so that one rectangle ends where the next begins.
func coord(f float64) string    { return strconv.FormatFloat(math.Round(100*f)/100, 'f', 2, 64) }
func width(a, b float64) string { return coord((math.Round(100*b) - math.Round(100*a)) / 100) }

// points returns a line through the values on a field of 100 by 20, and the area below it. The
// field has room for n values; these are the last of them.
func points(values []float64, n int) (line, area string) {
	if len(values) < 2 {
		return "", ""
	}
	top := 1e-9
	for _, v := range values {
		top = max(top, v)
	}
	var b strings.Builder
	x := func(i int) float64 { return 100 * float64(n-len(values)+i) / float64(n-1) }
	for i, v := range values {
		fmt.Fprintf(&b, "%.1f,%.1f ", x(i), 19-18*v/top)
	}
	line = strings.TrimSpace(b.String())
	return line, fmt.Sprintf("%.1f,20 %s 100,20", x(0), line)
}
