package main

import (
	"fmt"
	"strings"

	"github.com/anishathalye/porcupine"
)

// A read is one operation of a reader on a neighbourhood, with its result.
type read struct {
	kind  string  // the method that was called; only for printing
	claim claim   // what the result says
	cell  int     // the key
	end   int     // for claim next: ranges from here on do not count
	found found   // for claims one and next
	all   []found // for claim all
}

// A claim is what a result says about the state at one instant.
type claim byte

const (
	nothing claim = iota // busy, or the context's error
	one                  // found covers the cell, or no range does
	value                // the same, without bounds
	next                 // found is the first that ends above the cell and starts before end
	all                  // these are all ranges
)

func (r *read) String() string {
	switch r.claim {
	case nothing:
		return fmt.Sprintf("%s(%d) = busy or context", r.kind, r.cell)
	case all:
		return fmt.Sprintf("%s = %v", r.kind, r.all)
	}
	return fmt.Sprintf("%s(%d) = %v", r.kind, r.cell, r.found)
}

// right reports whether the result is right in the state s.
func (r *read) right(s *state) bool {
	switch r.claim {
	case nothing:
		return true
	case one:
		return s.at(r.cell) == r.found
	case value:
		return s[r.cell] == r.found.id
	case next:
		f := s.next(r.cell)
		if f.lo >= r.end {
			f = found{}
		}
		return f == r.found
	case all:
		return s.shows(r.all, 0, cells)
	}
	panic("linear: unknown claim")
}

// A transaction is everything that a writer did between Lock and the end, as one operation.
type transaction struct {
	acts []act
	did  string // how it began and ended; only for printing
}

func (t *transaction) String() string {
	var b strings.Builder
	b.WriteString(t.did)
	for i := range t.acts {
		fmt.Fprintf(&b, " {%v}", &t.acts[i])
	}
	return b.String()
}

// mapModel is a neighbourhood that begins in the state init, as porcupine wants it.
func mapModel(init state) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return init },
		Step: func(st, input, _ any) (bool, any) {
			s := st.(state)
			switch op := input.(type) {
			case *read:
				return op.right(&s), st
			case *transaction:
				for i := range op.acts {
					if !s.apply(&op.acts[i]) {
						return false, st
					}
				}
				return true, s
			}
			panic("linear: unknown operation")
		},
		DescribeOperation: func(input, _ any) string { return fmt.Sprint(input) },
		DescribeState:     func(s any) string { return fmt.Sprint(s) },
	}
}
