package main

import (
	"fmt"
	"io"
)

// markdown writes the cells that have a target as a table for docs/performance.md. Before the
// table it writes how many of them meet their target.
func markdown(w io.Writer, r *report) error {
	var cells []*cell
	for _, row := range rows {
		cells = append(cells, r.cellsOf(row)...)
	}
	cells, met := targets(cells)
	fmt.Fprintf(w, "%d of %d cells meet their target.\n\n", met, len(cells))
	_, err := fmt.Fprint(w, "| row | what | contender | median (quartiles) | target | verdict |\n|---:|---|---|---|---|---|\n")
	for _, c := range cells {
		value := number(c.Median)
		if c.Unit != "×" {
			value = c.value()
		}
		if c.Rounds > 1 {
			value += " (" + c.quartiles() + ")"
		}
		_, err = fmt.Fprintf(w, "| %d | %s | %s | %s | %s | %s |\n", c.Row, c.label(), c.Who, value, c.Bound, c.verdict())
	}
	return err
}
