package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spanlock/spanlock/benchmarks/internal/chart"
)

// picture is a file with a chart.
type picture struct {
	file  string
	write func(io.Writer) error
}

// pictures returns those for which the report has the cells.
func pictures(r *report) []picture {
	var ps []picture
	lines := func(file string, l *chart.Lines) {
		if len(l.Series) > 0 {
			l.Note = r.note()
			ps = append(ps, picture{file, l.Write})
		}
	}
	count := chart.Axis{Label: "goroutines", Log: true, Ticks: r.crowdTicks()}

	lines("lookup.svg", &chart.Lines{
		Title:    "Lookup: acquire, read the value, release",
		Subtitle: "Median time at random uint64 keys, 1 goroutine; the bands are quartiles",
		X:        chart.Axis{Label: "ranges in the map", Log: true, Ticks: r.ticks(r.find(1, "lookup", "ns", "keys", "uint64", "g", "1"), "n")},
		Y:        chart.Axis{Label: "time of a lookup", Log: true, Format: nanoseconds},
		Series:   lineSeries(r.find(1, "lookup", "ns", "keys", "uint64", "g", "1"), "n"),
	})
	busy := count
	busy.Label = "reading goroutines"
	lines("busy-writer.svg", &chart.Lines{
		Title:    "Reading beside a busy writer",
		Subtitle: "The writer has the lock for 1 ms of every 2 ms, to work on a range that is not read",
		X:        busy,
		Y:        chart.Axis{Label: "million reads a second, of all together", Format: short},
		Series:   lineSeries(r.find(5, "readers beside a busy writer", "M/s"), "g"),
	})
	lines("hot-range.svg", &chart.Lines{
		Title:    "All goroutines on one range",
		Subtitle: "Throughput when all goroutines read the same range of a thousand",
		X:        count,
		Y:        chart.Axis{Label: "million reads a second, of all together", Format: short},
		Series:   lineSeries(withoutYardstick(r.find(4, "hot range", "M/s")), "g"),
	})
	lines("long-guards.svg", r.latencies())
	if b := r.writeCosts(); len(b.Groups) > 0 {
		b.Note = r.note()
		ps = append(ps, picture{"write.svg", b.Write})
	}
	return ps
}

// colours are middle tones that can be distinguished on white and on black.
var colours = map[string]string{
	"ours":               "#1f83f0",
	"ours with OnRetire": "#1f83f0",
	"rwmutex":            "#e0662f",
	"counted":            "#7a63d6",
	"rbmutex":            "#c2459f",
	"snapshot":           "#27a05f",

	"snapshot" + withGarbage: "#27a05f",

	"tidwall": "#a58a1a",
	"mutex":   "#838b96",
}

func colour(name string) string {
	if c := colours[name]; c != "" {
		return c
	}
	return "#9aa2ad"
}

// shown returns the name that a picture shows for a contender.
func shown(name string) string {
	if name == "ours" {
		return "spanlock"
	}
	if name == "ours with OnRetire" {
		return "with OnRetire"
	}
	if name == "snapshot"+withGarbage {
		return "with its garbage"
	}
	return name
}

// note is the line that says where a picture's figures are from.
func (r *report) note() string {
	return fmt.Sprintf("%s, %d cores, %s %s/%s, commit %s, %s", r.CPU, r.Cores, r.Go, r.OS, r.Arch, r.Commit, r.Date)
}

// lineSeries makes one line for each contender; the parameter p is along the axis.
func lineSeries(cells []*cell, p string) []chart.Series {
	var all []chart.Series
	at := make(map[string]int)
	for _, c := range cells {
		x, err := strconv.ParseFloat(c.Params[p], 64)
		if err != nil || c.Who == yardstick {
			continue
		}
		i, ok := at[c.Who]
		if !ok {
			i = len(all)
			at[c.Who] = i
			all = append(all, chart.Series{Name: shown(c.Who), Colour: colour(c.Who), Strong: c.Who == "ours"})
		}
		s := &all[i]
		s.X = append(s.X, x)
		s.Y = append(s.Y, c.Median)
		s.Low = append(s.Low, c.Lower)
		s.High = append(s.High, c.Upper)
	}
	return all
}

func withoutYardstick(cells []*cell) []*cell {
	var rest []*cell
	for _, c := range cells {
		if c.Who != yardstick {
			rest = append(rest, c)
		}
	}
	return rest
}

// ticks are the values of the parameter that the cells have.
func (r *report) ticks(cells []*cell, p string) []chart.Tick {
	var ticks []chart.Tick
	seen := make(map[string]bool)
	for _, c := range cells {
		if v := c.Params[p]; !seen[v] {
			seen[v] = true
			x, err := strconv.ParseFloat(v, 64)
			if err == nil {
				ticks = append(ticks, chart.Tick{At: x, Label: amount(x)})
			}
		}
	}
	return ticks
}

// crowdTicks are the numbers of goroutines that rows 4 and 5 have.
func (r *report) crowdTicks() []chart.Tick {
	cells := append(r.find(4, "hot range", "M/s"), r.find(5, "readers beside a busy writer", "M/s")...)
	return r.ticks(cells, "g")
}

// latencies is the picture of row 6.
func (r *report) latencies() *chart.Lines {
	l := &chart.Lines{
		Title:    "Latency of reads while others hold long guards",
		Subtitle: "Of every 10 ms a guard is held for 5, and every ms a range is replaced; neither is being read",
		X:        chart.Axis{Label: "percentile of the reads, of which one is due every 5 µs"},
		Y:        chart.Axis{Label: "time from due to done", Log: true, Format: nanoseconds},
	}
	var cells []*cell
	for i, p := range percentiles {
		for _, c := range r.find(6, "paced reads beside long guards", "ns "+percentile(p)) {
			moved := *c
			moved.Params = map[string]string{"percentile": strconv.Itoa(i)}
			cells = append(cells, &moved)
		}
		l.X.Ticks = append(l.X.Ticks, chart.Tick{At: float64(i), Label: percentile(p)})
	}
	l.Series = lineSeries(cells, "percentile")
	return l
}

// writeCosts is the picture of row 7.
func (r *report) writeCosts() *chart.Bars {
	b := &chart.Bars{
		Title:    "A write: insert one range and remove it again",
		Subtitle: "Median time of the pair, 1 goroutine; the strokes are quartiles",
		Axis:     chart.Axis{Label: "time of the pair", Format: nanoseconds},
	}
	cells := r.find(7, "insert and remove", "ns")
	for _, t := range r.ticks(cells, "n") {
		g := chart.Group{Name: amount(t.At) + " ranges"}
		for _, c := range cells {
			if c.Who != yardstick && c.Params["n"] == strconv.FormatFloat(t.At, 'f', -1, 64) {
				g.Bars = append(g.Bars, chart.Bar{
					Name: shown(c.Who), Colour: colour(c.Who), Strong: c.Who == "ours",
					Value: c.Median, Low: c.Lower, High: c.Upper,
				})
			}
		}
		b.Groups = append(b.Groups, g)
	}
	return b
}

// amount writes how many there are.
func amount(x float64) string {
	switch {
	case x >= 1e6:
		return short(x/1e6) + " M"
	case x >= 1e3:
		return short(x/1e3) + " k"
	default:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
}

// nanoseconds writes a time with the unit that suits it.
func nanoseconds(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x >= 1e6:
		return short(x/1e6) + " ms"
	case x >= 1e3:
		return short(x/1e3) + " µs"
	default:
		return short(x) + " ns"
	}
}

// short writes a number to at most three digits and without zeros at its end.
func short(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }
