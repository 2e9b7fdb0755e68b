package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// report is everything that a run has found.
type report struct {
	Commit  string `json:"commit"`
	Go      string `json:"go"`
	OS      string `json:"goos"`
	Arch    string `json:"goarch"`
	CPU     string `json:"cpu"`
	Caches  string `json:"caches,omitempty"` // "" if they are not known
	Cores   int    `json:"cores"`
	Procs   int    `json:"gomaxprocs"`
	Command string `json:"command"`
	Date    string `json:"date"`
	Mode    string `json:"mode"`
	Took    string `json:"took"`

	// Parallel is the throughput of the yardstick with two goroutines divided by that with
	// one, the lower of the values before and after: 2 if the program had two cores to itself.
	Parallel float64 `json:"parallel"`

	Cells []cell `json:"cells"`
}

// write writes r as JSON, with one line for each cell, so that two reports can be compared
// and a file of a thousand cells has about a thousand lines.
func (r *report) write(w io.Writer) error {
	head := *r
	head.Cells = []cell{}
	var top, cells bytes.Buffer
	e := json.NewEncoder(&top)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(head); err != nil {
		return err
	}
	e = json.NewEncoder(&cells) // writes a line for each
	e.SetEscapeHTML(false)
	for i := range r.Cells {
		if err := e.Encode(&r.Cells[i]); err != nil {
			return err
		}
	}
	if cells.Len() > 0 {
		const end = "]\n}\n" // of the cells, which are the last field
		top.Truncate(top.Len() - len(end))
		top.WriteByte('\n')
		top.Write(bytes.ReplaceAll(cells.Bytes(), []byte("}\n{"), []byte("},\n{")))
		top.WriteString(end)
	}
	_, err := top.WriteTo(w)
	return err
}

func readReport(rd io.Reader) (*report, error) {
	r := new(report)
	d := json.NewDecoder(rd)
	d.DisallowUnknownFields()
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("not a report: %w", err)
	}
	return r, nil
}

// heading says in one paragraph where the figures are from.
func (r *report) heading() string {
	caches := ""
	if r.Caches != "" {
		caches = " (" + r.Caches + ")"
	}
	s := fmt.Sprintf("commit %s, %s %s/%s, %s%s, %d cores, GOMAXPROCS %d\n%s: %s (%s, took %s)\n",
		r.Commit, r.Go, r.OS, r.Arch, r.CPU, caches, r.Cores, r.Procs, r.Date, r.Command, r.Mode, r.Took)
	s += fmt.Sprintf("The yardstick with 2 goroutines is %s times as fast as with 1.\n", number(r.Parallel))
	if r.Procs > 1 && r.Parallel < enoughParallel {
		s += "WARNING: that should be nearly 2. Something else was running, so figures with 2 or more goroutines mean little.\n"
	}
	return s
}

// enoughParallel is the least throughput with two goroutines, relative to one, at which they
// count as having run side by side.
const enoughParallel = 1.8

// merge adds the cells of another run on the same machine with the same program. If both have
// a row, it keeps the other's cells.
func (r *report) merge(other *report) error {
	if r.Commit != other.Commit || r.Go != other.Go || r.CPU != other.CPU || r.Procs != other.Procs || r.Mode != other.Mode {
		return fmt.Errorf("reports of different commits, machines or modes: %s and %s", r.Command, other.Command)
	}
	again := make(map[int]bool)
	for _, c := range other.Cells {
		again[c.Row] = true
	}
	r.Cells = slices.DeleteFunc(r.Cells, func(c cell) bool { return again[c.Row] })
	r.Cells = append(r.Cells, other.Cells...)
	r.Command += "; " + other.Command
	r.Took += " + " + other.Took
	r.Parallel = min(r.Parallel, other.Parallel)
	return nil
}

// find returns the cells that have the parameters, given as names and values in turns,
// and the unit.
func (r *report) find(row int, what, unit string, params ...string) []*cell {
	var found []*cell
next:
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Row != row || c.What != what || c.Unit != unit {
			continue
		}
		for p := 0; p < len(params); p += 2 {
			if c.Params[params[p]] != params[p+1] {
				continue next
			}
		}
		found = append(found, c)
	}
	return found
}
