package main

import (
	"fmt"
	"slices"

	"github.com/spanlock/spanlock/benchmarks/internal/stat"
)

// cell is one thing that was measured.
type cell struct {
	Row    int               `json:"row"`
	What   string            `json:"what"`
	Params map[string]string `json:"params,omitempty"` // keys, n, g, …: whatever was varied
	Who    string            `json:"who"`              // a contender, or two and a slash between them
	Unit   string            `json:"unit"`
	stat.Summary
	Bound *bound `json:"bound,omitempty"` // absent if there is no target
}

// bound is a target: one of the two.
type bound struct {
	AtMost  *float64 `json:"at_most,omitempty"`
	AtLeast *float64 `json:"at_least,omitempty"`
}

func atMost(x float64) *bound  { return &bound{AtMost: &x} }
func atLeast(x float64) *bound { return &bound{AtLeast: &x} }

func (b *bound) String() string {
	switch {
	case b == nil:
		return ""
	case b.AtMost != nil:
		return "≤ " + number(*b.AtMost)
	default:
		return "≥ " + number(*b.AtLeast)
	}
}

// met reports whether x reaches the target.
func (b *bound) met(x float64) bool {
	if b.AtMost != nil {
		return x <= *b.AtMost
	}
	return x >= *b.AtLeast
}

// verdict says whether the median reaches the target, and if not by how much it is
// missed, in hundredths of the target. If the target lies between the quartiles, another
// run may give the opposite verdict.
func (c *cell) verdict() string {
	if c.Bound == nil {
		return ""
	}
	v := "met"
	if !c.Bound.met(c.Median) {
		if c.Bound.AtMost != nil {
			v = missed(c.Median-*c.Bound.AtMost, *c.Bound.AtMost)
		} else {
			v = missed(*c.Bound.AtLeast-c.Median, *c.Bound.AtLeast)
		}
	}
	if c.Bound.met(c.Lower) != c.Bound.met(c.Upper) {
		v += ", in the spread"
	}
	return v
}

func missed(by, of float64) string {
	if of == 0 {
		return "missed by " + number(by)
	}
	return fmt.Sprintf("missed by %s %%", number(100*by/of))
}

// number writes x with three digits.
func number(x float64) string {
	switch a := max(x, -x); {
	case a == 0:
		return "0"
	case a >= 99.95:
		return fmt.Sprintf("%.0f", x)
	case a >= 9.995:
		return fmt.Sprintf("%.1f", x)
	case a >= 0.0995:
		return fmt.Sprintf("%.2f", x)
	default:
		return fmt.Sprintf("%.2g", x)
	}
}

// paramOrder is the order in which parameters are shown; others follow by name.
var paramOrder = []string{"keys", "n", "g"}

// label names the cell without the contender.
func (c *cell) label() string {
	names := make([]string, 0, len(c.Params))
	for p := range c.Params {
		names = append(names, p)
	}
	rank := func(p string) int {
		if i := slices.Index(paramOrder, p); i >= 0 {
			return i
		}
		return len(paramOrder)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		if a < b {
			return -1
		}
		return 1
	})
	s := c.What
	for _, p := range names {
		s += " " + p + "=" + c.Params[p]
	}
	return s
}
