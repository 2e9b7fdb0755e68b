package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spanlock/spanlock/benchmarks/internal/stat"
)

// bench is what a row measures with and what it reports to.
type bench struct {
	scale    scale
	row      int
	cells    []cell
	progress io.Writer // one line for each subject; never nil
}

// subject is what the next cells are about.
type subject struct {
	b      *bench
	what   string
	params map[string]string
}

// about begins a subject; p holds names and values of parameters in turns. It also frees
// what the previous subject has left.
func (b *bench) about(what string, p ...any) *subject {
	s := &subject{b: b, what: what}
	if len(p) > 0 {
		s.params = make(map[string]string)
	}
	for i := 0; i < len(p); i += 2 {
		s.params[p[i].(string)] = fmt.Sprint(p[i+1])
	}
	runtime.GC()
	c := cell{What: what, Params: s.params}
	fmt.Fprintf(b.progress, "%d %s\n", b.row, c.label())
	return s
}

// add reports the values of one cell, one for each round; no target if bd is nil.
func (s *subject) add(who, unit string, xs []float64, bd *bound) {
	s.b.cells = append(s.b.cells, cell{
		Row: s.b.row, What: s.what, Params: s.params,
		Who: who, Unit: unit, Summary: stat.Summarize(xs), Bound: bd,
	})
}

// one reports a cell that has been measured once.
func (s *subject) one(who, unit string, x float64, bd *bound) {
	s.add(who, unit, []float64{x}, bd)
}

// compare reports the times of all contenders of a bout, and the ratio of the first to
// each of the others, with its target if there is one.
func (s *subject) compare(o *bout, targets map[string]*bound) {
	s.times(o)
	for _, name := range o.names[1:] {
		s.add(o.names[0]+"/"+name, "×", o.ratios(o.names[0], name), targets[name])
	}
}

// times reports the times of all contenders of a bout.
func (s *subject) times(o *bout) {
	for _, name := range o.names {
		s.add(name, "ns", o.times[name], nil)
	}
}
