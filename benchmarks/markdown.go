package main

import (
	"fmt"
	"io"
)

// markdown writes the cells that have a target as a table for docs/performance.md, and before
// it how many of them meet it.
func markdown(w io.Writer, r *report) error {
	met, all := 0, 0
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Bound != nil {
			all++
			if c.Bound.met(c.Median) {
				met++
			}
		}
	}
	fmt.Fprintf(w, "%d of %d cells meet their target.\n\n", met, all)
	fmt.Fprint(w, "| row | what | who | median (quartiles) | target | verdict |\n|---:|---|---|---|---|---|\n")
	for _, row := range rows {
		for i := range r.Cells {
			c := &r.Cells[i]
			if c.Row != row.number || c.Bound == nil {
				continue
			}
			value := number(c.Median)
			if c.Unit != "×" {
				value += " " + c.Unit
			}
			if c.Rounds > 1 {
				value += fmt.Sprintf(" (%s – %s)", number(c.Lower), number(c.Upper))
			}
			if _, err := fmt.Fprintf(w, "| %d | %s | %s | %s | %s | %s |\n", c.Row, c.label(), c.Who, value, c.Bound, c.verdict()); err != nil {
				return err
			}
		}
	}
	return nil
}
