package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spanlock/spanlock/benchmarks/internal/stat"
)

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		s    stat.Summary
		b    *bound
		want string
	}{
		{stat.Summary{Median: 1, Lower: 1, Upper: 1}, nil, ""},
		{stat.Summary{Median: 0.5, Lower: 0.4, Upper: 0.5}, atMost(0.5), "met"},
		{stat.Summary{Median: 0.4, Lower: 0.3, Upper: 0.6}, atMost(0.5), "met, in the spread"},
		{stat.Summary{Median: 0.6, Lower: 0.55, Upper: 0.7}, atMost(0.5), "missed by 20.0 %"},
		{stat.Summary{Median: 0.6, Lower: 0.5, Upper: 0.7}, atMost(0.5), "missed by 20.0 %, in the spread"},
		{stat.Summary{Median: 95, Lower: 95, Upper: 99}, atLeast(95), "met"},
		{stat.Summary{Median: 76, Lower: 70, Upper: 80}, atLeast(95), "missed by 20.0 %"},
		{stat.Summary{Median: 90, Lower: 70, Upper: 96}, atLeast(95), "missed by 5.26 %, in the spread"},
		{stat.Summary{Median: 2, Lower: 2, Upper: 2}, atMost(0), "missed by 2.00"},
	} {
		got := (&cell{Summary: c.s, Bound: c.b}).verdict()
		if got != c.want {
			t.Errorf("%+v %v: %q, want %q", c.s, c.b, got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 0.00012: "0.00012", 0.0512: "0.051", 0.999: "1.00", 12.34: "12.3", 99.99: "100", 1234.5: "1234", -0.5: "-0.50",
	} {
		if got := number(x); got != want {
			t.Errorf("number(%v) = %s, want %s", x, got, want)
		}
	}
}

// A report is written with a line for each cell, and read back as it was.
func TestLineForCell(t *testing.T) {
	for _, n := range []int{0, 1, 3} {
		r := newReport("0123456789ab", smoke)
		r.Cells = []cell{}
		for i := range n {
			r.Cells = append(r.Cells, cell{Row: 1, What: "lookup <\n>", Params: map[string]string{"g": "1"}, Who: "ours", Unit: "×",
				Summary: stat.Summary{Rounds: 10, Median: float64(i), Lower: 0, Upper: 4}, Bound: atMost(2)})
		}
		var b bytes.Buffer
		if err := r.write(&b); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(b.String(), "\n {") + strings.Count(b.String(), "\n{"); lines != n {
			t.Errorf("%d lines for %d cells:\n%s", lines, n, b.String())
		}
		got, err := readReport(&b)
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("%d cells: %v, %+v, want %+v", n, err, got, r)
		}
	}
}

// The table of Markdown has a line for each cell with a target, and says how many are met.
func TestMarkdown(t *testing.T) {
	r := newReport("0123456789ab", smoke)
	r.Cells = []cell{
		{Row: 1, What: "lookup", Params: map[string]string{"g": "2", "n": "100"}, Who: "ours/rwmutex", Unit: "×",
			Summary: stat.Summary{Rounds: 10, Median: 0.25, Lower: 0.2, Upper: 0.3}, Bound: atMost(0.28)},
		{Row: 1, What: "lookup", Who: "ours", Unit: "ns", Summary: stat.Summary{Rounds: 10, Median: 60}},
		{Row: 15, What: "a pass", Who: "ours", Unit: "ns", Summary: stat.Summary{Rounds: 1, Median: 150}, Bound: atMost(100)},
	}
	var b bytes.Buffer
	if err := markdown(&b, r); err != nil {
		t.Fatal(err)
	}
	want := `1 of 2 cells meet their target.

| row | what | contender | median (quartiles) | target | verdict |
|---:|---|---|---|---|---|
| 1 | lookup n=100 g=2 | ours/rwmutex | 0.25 (0.20 – 0.30) | ≤ 0.28 | met, in the spread |
| 15 | a pass | ours | 150 ns | ≤ 100 | missed by 50.0 % |
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// smallest is smoke, smaller.
func smallest() scale {
	sc := smoke
	sc.slice = 20 * time.Microsecond
	sc.window = 500 * time.Microsecond
	sc.sizes = []int{100, 200}
	sc.growth = sc.sizes
	sc.crowd = []int{1, 2}
	sc.wait = 2 * time.Millisecond
	return sc
}

// measured is all rows at the smallest scale, measured once for all tests.
var measured = sync.OnceValue(func() *report {
	return measure(rows, smallest(), "0123456789ab", io.Discard)
})

// Every row of the targets is there, in order, and has cells with a target. Its cells have the
// rivals that the row is about.
func TestEveryRow(t *testing.T) {
	if len(rows) != 18 {
		t.Fatalf("%d rows, want 18", len(rows))
	}
	r := measured()
	for i, row := range rows {
		if row.number != i+1 {
			t.Errorf("row %d has the number %d", i+1, row.number)
		}
		cells, targets := 0, 0
		for _, c := range r.Cells {
			if c.Row != row.number {
				continue
			}
			cells++
			if c.Bound != nil {
				targets++
			}
			if c.Rounds < 1 || c.What == "" || c.Who == "" || c.Unit == "" || !(c.Lower <= c.Median && c.Median <= c.Upper) {
				t.Errorf("row %d: %+v", row.number, c)
			}
		}
		if row.number == 11 && !canTellProcessorTime {
			continue
		}
		if cells == 0 || targets == 0 {
			t.Errorf("row %d: %d cells, %d with a target", row.number, cells, targets)
		}
	}
	for _, row := range []int{1, 4, 5, 6, 7, 8, 12} {
		for _, name := range storeNames {
			if !slices.ContainsFunc(r.Cells, func(c cell) bool { return c.Row == row && c.Who == name }) {
				t.Errorf("row %d has no %s", row, name)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	r := measured()
	var b bytes.Buffer
	if err := r.write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := readReport(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r, got) {
		t.Error("what was read is not what was written")
	}
	var fields map[string]any
	if err := json.Unmarshal(b.Bytes(), &fields); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"commit", "go", "goos", "goarch", "cpu", "cores", "command", "date", "cells"} {
		if fields[f] == nil || fields[f] == "" {
			t.Errorf("the report has no %s", f)
		}
	}
	if _, err := readReport(strings.NewReader(`{"cells": 3}`)); err == nil {
		t.Error("read a report from a file that has none")
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	table(&b, measured())
	for _, want := range []string{"0123456789ab", "\n1. lookup", "\n16. consumer", "≤ 0.50", "rmw2", "summary"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q", want)
		}
	}
}

func TestMerge(t *testing.T) {
	one := func(row int, x float64) cell { return cell{Row: row, Summary: stat.Summary{Median: x}} }
	a := &report{Commit: "a", Cells: []cell{one(1, 1), one(2, 2)}, Parallel: 2}
	if err := a.merge(&report{Commit: "a", Cells: []cell{one(2, 20), one(3, 30)}, Parallel: 1.5}); err != nil {
		t.Fatal(err)
	}
	if want := []cell{one(1, 1), one(2, 20), one(3, 30)}; !reflect.DeepEqual(a.Cells, want) || a.Parallel != 1.5 {
		t.Errorf("%+v", a)
	}
	if err := a.merge(&report{Commit: "b"}); err == nil {
		t.Error("merged the reports of two commits")
	}
}

// Every picture is well-formed and has a line or a bar for every contender.
func TestPictures(t *testing.T) {
	ps := pictures(measured())
	if len(ps) != 5 {
		t.Errorf("%d pictures, want 5", len(ps))
	}
	for _, p := range ps {
		var b bytes.Buffer
		if err := p.write(&b); err != nil {
			t.Fatal(err)
		}
		series := seriesIn(t, b.Bytes())
		for _, name := range storeNames {
			if !slices.Contains(series, shown(name)) {
				t.Errorf("%s has no %s, but %v", p.file, shown(name), series)
			}
		}
		for _, bad := range []string{"NaN", "Inf"} {
			if strings.Contains(b.String(), bad) {
				t.Errorf("%s has a %s", p.file, bad)
			}
		}
	}
	if ps := pictures(&report{}); len(ps) != 0 {
		t.Errorf("%d pictures of nothing", len(ps))
	}
}

// seriesIn returns the names of what is drawn, and fails the test if svg is not XML.
func seriesIn(t *testing.T, svg []byte) (names []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			for _, a := range e.Attr {
				if a.Name.Local == "data-series" {
					names = append(names, a.Value)
				}
			}
		}
	}
}

// Every goroutine starts, none twice, and the time is that of the slowest.
func TestSideBySide(t *testing.T) {
	for _, g := range []int{1, 2, 3, 16} {
		var runs [16]atomic.Int32
		d := sideBySide(g, 5*time.Millisecond, func(worker int) {
			runs[worker].Add(1)
			if worker == g-1 {
				time.Sleep(2 * time.Millisecond)
			}
		})
		for worker := range runs {
			want := int32(0)
			if worker < g {
				want = 1
			}
			if got := runs[worker].Load(); got != want {
				t.Errorf("g=%d: worker %d ran %d times", g, worker, got)
			}
		}
		if d < time.Millisecond {
			t.Errorf("g=%d: took %v", g, d)
		}
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "cells.json")
	var first, again, stderr bytes.Buffer
	if err := run([]string{"-smoke", "-row", "2|epoch", "-rounds", "3", "-commit", "c0ffee", "-json", file}, &first, &stderr); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"c0ffee", "\n2. ", "\n10. epoch"} {
		if !strings.Contains(first.String(), want) {
			t.Errorf("no %q in\n%s", want, first.String())
		}
	}
	if strings.Contains(first.String(), "\n1. ") {
		t.Error("row 1 has been measured, too")
	}
	if err := run([]string{"-from", file, "-svg", dir}, &again, &stderr); err != nil {
		t.Fatal(err)
	}
	if first.String() != again.String() {
		t.Errorf("from the file:\n%s\nmeasured:\n%s", again.String(), first.String())
	}
	for _, args := range [][]string{{"-row", "99"}, {"-row", "("}, {"-from", filepath.Join(dir, "none")}, {"what"}, {"-nonsense"}, {"-full", "-smoke"}} {
		if err := run(args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}
