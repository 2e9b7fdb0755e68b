package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// table prints the report: a line for each cell that has a target, and below it, in one
// line, the other cells of the same subject; then the result of each row.
func table(w io.Writer, r *report) {
	fmt.Fprint(w, r.heading())
	fmt.Fprintln(w, "Medians over the rounds; in brackets the quartiles. × is a ratio of times taken in the same round.")
	for _, row := range rows {
		cells := r.cellsOf(row)
		if len(cells) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%d. %s: %s\n   target: %s\n", row.number, row.name, row.workload, row.target)
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for len(cells) > 0 {
			n := 1
			for n < len(cells) && cells[n].label() == cells[0].label() {
				n++
			}
			subjectLines(tw, cells[:n])
			cells = cells[n:]
		}
		tw.Flush()
	}
	summary(w, r)
}

func subjectLines(w io.Writer, cells []*cell) {
	label := cells[0].label()
	for _, c := range cells {
		if c.Bound != nil {
			fmt.Fprintf(w, "   %s\t%s\t%s\t%s\t%s\t%s\n", label, c.Who, c.value(), c.spread(), c.Bound.String(), c.verdict())
		}
	}
	// The other cells have no columns. Otherwise the table would be as wide as its longest line.
	for _, beside := range besides(cells) {
		fmt.Fprintf(w, "   %s\t%s\n", label, beside)
		label = ""
	}
}

// value is the median with its unit.
func (c *cell) value() string { return number(c.Median) + " " + c.Unit }

// spread is the quartiles, if there was more than one round.
func (c *cell) spread() string {
	if c.Rounds < 2 {
		return ""
	}
	return "[" + c.quartiles() + "]"
}

func (c *cell) quartiles() string { return number(c.Lower) + " – " + number(c.Upper) }

// cellsOf returns the cells of one row.
func (r *report) cellsOf(row row) (cells []*cell) {
	for i := range r.Cells {
		if r.Cells[i].Row == row.number {
			cells = append(cells, &r.Cells[i])
		}
	}
	return cells
}

// targets returns the cells that have a target, and how many of them meet it.
func targets(cells []*cell) (with []*cell, met int) {
	for _, c := range cells {
		if c.Bound == nil {
			continue
		}
		with = append(with, c)
		if c.Bound.met(c.Median) {
			met++
		}
	}
	return with, met
}

// besides are the cells without a target, one line for each unit.
func besides(cells []*cell) []string {
	var units []string
	lines := make(map[string]string)
	for _, c := range cells {
		if c.Bound != nil {
			continue
		}
		if lines[c.Unit] == "" {
			units = append(units, c.Unit)
			lines[c.Unit] = "(" + c.Unit + ")"
		} else {
			lines[c.Unit] += ","
		}
		lines[c.Unit] += " " + c.Who + " " + number(c.Median)
		if s := c.spread(); s != "" {
			lines[c.Unit] += " " + s
		}
	}
	out := make([]string, len(units))
	for i, u := range units {
		out[i] = lines[u]
	}
	return out
}

// summary says for each row in how many cells the target is met, and which cell misses it
// by most.
func summary(w io.Writer, r *report) {
	fmt.Fprintf(w, "\nsummary\n")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		all, met := targets(r.cellsOf(row))
		if len(all) == 0 {
			continue
		}
		var worst *cell
		for _, c := range all {
			if !c.Bound.met(c.Median) && (worst == nil || c.excess() > worst.excess()) {
				worst = c
			}
		}
		fmt.Fprintf(tw, "   %d\t%s\t%d of %d met", row.number, row.name, met, len(all))
		if worst != nil {
			fmt.Fprintf(tw, "\tworst: %s %s: %s, target %s", worst.label(), worst.Who, worst.value(), worst.Bound)
		}
		fmt.Fprintln(tw)
	}
	tw.Flush()
}

// excess is by how much the target is missed, as a share of it.
func (c *cell) excess() float64 {
	if c.Bound.AtMost != nil {
		return (c.Median - *c.Bound.AtMost) / max(*c.Bound.AtMost, 1e-9)
	}
	return (*c.Bound.AtLeast - c.Median) / max(*c.Bound.AtLeast, 1e-9)
}
