package main

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"math"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// One unit of the dashboard's grid, in pixels.
const (
	column = 50
	level  = 32
	top    = 64
	gap    = 8
)

var colours = [...]string{"#2f6fb7", "#d1701f", "#2f8f5b", "#b03a6a", "#7b5bb0", "#8a7a1f", "#4a8f9f", "#777777"}

// draw draws the panels.
func draw(to io.Writer, panels []panel, h *history) error {
	w := bufio.NewWriter(to)
	bottom := 0
	for _, p := range panels {
		bottom = max(bottom, p.GridPos.Y+p.GridPos.H)
	}
	width, height := 24*column, top+bottom*level+gap
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n", width, height, width, height)
	fmt.Fprintf(w, `<rect width="%d" height="%d" fill="#f4f5f7"/>`+"\n", width, height)
	text(w, gap, 24, "#222", "font-size=\"17\"", "The panels of dashboard.json, drawn from collected data. This is not a screenshot of Grafana.")
	text(w, gap, 46, "#555", "", fmt.Sprintf("A program under load for %v, collected every %v; %s %s/%s, %d processors, shared with other programs. Middle third: a storm of writers. Last third: guards held for long. go run ./picture",
		time.Duration(h.n-1)*h.every, h.every, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU()))
	for _, p := range panels {
		x, y := p.GridPos.X*column, top+p.GridPos.Y*level
		if p.Type == "row" {
			text(w, x+gap, y+level-10, "#222", "font-size=\"15\" font-weight=\"bold\"", p.Title)
			continue
		}
		if err := drawPanel(w, p, h, x+gap/2, y, p.GridPos.W*column-gap, p.GridPos.H*level-gap); err != nil {
			return fmt.Errorf("panel %s: %w", p.Title, err)
		}
	}
	fmt.Fprintln(w, "</svg>")
	return w.Flush()
}

func text(w io.Writer, x, y int, colour, more, s string) {
	fmt.Fprintf(w, `<text x="%d" y="%d" fill="%s" %s>%s</text>`+"\n", x, y, colour, more, html.EscapeString(s))
}

// drawn is a line with its name.
type drawn struct {
	name string
	*line
}

func drawPanel(w io.Writer, p panel, h *history, x, y, width, height int) error {
	var lines []drawn
	most := 0.0
	for _, q := range p.Targets {
		found, err := h.eval(q.Expr)
		if err != nil {
			return err
		}
		for _, l := range found {
			lines = append(lines, drawn{l.legend(q.LegendFormat), l})
			for _, v := range l.values {
				if v > most { // false for NaN
					most = v
				}
			}
		}
	}
	fmt.Fprintf(w, `<rect x="%d" y="%d" width="%d" height="%d" rx="3" fill="#fff" stroke="#d5d8dd"/>`+"\n", x, y, width, height)
	text(w, x+10, y+18, "#222", "font-size=\"13\"", p.Title)
	legend := (len(lines) + 1) / 2 * 14
	x0, y0, x1, y1 := x+62, y+30, x+width-10, y+height-24-legend
	ceiling := nice(most)
	at := func(i int, v float64) (float64, float64) {
		return float64(x0) + float64(i)/float64(max(h.n-1, 1))*float64(x1-x0), float64(y1) - v/ceiling*float64(y1-y0)
	}
	for i := range 5 {
		v := ceiling * float64(i) / 4
		_, py := at(0, v)
		fmt.Fprintf(w, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#e8eaed"/>`+"\n", x0, py, x1, py)
		text(w, x0-6, int(py)+4, "#555", "text-anchor=\"end\"", format(v, p.FieldConfig.Defaults.Unit))
	}
	for i := range 4 {
		n := (h.n - 1) * i / 3
		px, _ := at(n, 0)
		text(w, int(px), y1+14, "#555", "text-anchor=\"middle\"", (time.Duration(n) * h.every).String())
	}
	for i, l := range lines {
		colour := colours[i%len(colours)]
		var path strings.Builder
		pen := "M"
		for n, v := range l.values {
			if math.IsNaN(v) {
				pen = "M"
				continue
			}
			px, py := at(n, v)
			fmt.Fprintf(&path, "%s%.1f %.1f", pen, px, py)
			pen = "L"
		}
		if path.Len() > 0 {
			fmt.Fprintf(w, `<path d="%s" fill="none" stroke="%s" stroke-width="1.4" stroke-linecap="round"/>`+"\n", &path, colour)
		}
		lx, ly := x+12+i%2*((width-20)/2), y1+30+i/2*14
		fmt.Fprintf(w, `<rect x="%d" y="%d" width="8" height="3" fill="%s"/>`+"\n", lx, ly-5, colour)
		text(w, lx+12, ly, "#333", "", l.name)
	}
	return nil
}

// nice returns a round number that is not below v.
func nice(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 4, 8, 10} {
		if n*unit >= v {
			return n * unit
		}
	}
	return 20 * unit
}

// format writes v in the unit, as Grafana names units.
func format(v float64, unit string) string {
	switch unit {
	case "s":
		return time.Duration(v * 1e9).Round(100 * time.Nanosecond).String()
	case "percentunit":
		return short(100*v) + " %"
	case "ops":
		return short(v) + "/s"
	case "bytes":
		return short(v) + "B"
	}
	return short(v)
}

func short(v float64) string {
	for _, s := range []struct {
		size float64
		name string
	}{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if v >= s.size {
			return strconv.FormatFloat(v/s.size, 'g', 4, 64) + s.name
		}
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
