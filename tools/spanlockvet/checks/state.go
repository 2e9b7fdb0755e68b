package checks

import (
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// A hold is one guard that a function has got, by the call or in the parameter from. If a
// loop has several of them at once, n is the number of the copy.
type hold struct {
	from ssa.Value
	n    int
}

// A standing is the state of a hold at one point of a path.
type standing struct {
	owed     bool      // the function must release it
	deferred bool      // a deferred call will release it
	around   bool      // the caller of the function holds it
	released token.Pos // where it was released; NoPos while it is held
	by       ssa.Value // the variable that it was released by
	from     place     // the map
	known    bool      // from is valid
}

// A state is what is known at one point of one path through a function. All of it is
// definite, because a separate path is followed for each outcome of an acquire.
type state struct {
	holds map[hold]standing
	in    map[ssa.Value]hold  // by register, and by the address of a variable
	true  map[ssa.Value]bool  // bools that are known, and whether errors are not nil
	ints  map[ssa.Value]int64 // the counters of loops, in their first round
	conds map[string]bool     // conditions that were met before, by their text
	defs  []*ssa.Defer
	read  bool // the goroutine may have a Reader
}

func newState() *state {
	return &state{
		holds: map[hold]standing{},
		in:    map[ssa.Value]hold{},
		true:  map[ssa.Value]bool{},
		ints:  map[ssa.Value]int64{},
		conds: map[string]bool{},
	}
}

func (s *state) clone() *state {
	return &state{maps.Clone(s.holds), maps.Clone(s.in), maps.Clone(s.true), maps.Clone(s.ints), maps.Clone(s.conds), slices.Clone(s.defs), s.read}
}

// put records that a register or a variable has h, or no guard if ok is false.
func (s *state) put(v ssa.Value, h hold, ok bool) {
	if ok {
		s.in[v] = h
	} else {
		delete(s.in, v)
	}
}

// know records the value of a bool or an error, if that is known.
func (s *state) know(v ssa.Value, is, ok bool) {
	if ok {
		s.true[v] = is
	} else {
		delete(s.true, v)
	}
}

// escape forgets a guard that other code can reach from now on.
func (s *state) escape(h hold) {
	delete(s.holds, h)
	maps.DeleteFunc(s.in, func(_ ssa.Value, o hold) bool { return o == h })
}

// reachable reports whether a register or a variable has h.
func (s *state) reachable(h hold) bool {
	for _, o := range s.in {
		if o == h {
			return true
		}
	}
	return false
}

// prune drops what the path can no longer use from block b on, so that paths that differ
// only in that are followed once.
func (s *state) prune(fn *function, b *ssa.BasicBlock) {
	dead := func(v ssa.Value) bool { return !fn.live(v, b) }
	maps.DeleteFunc(s.in, func(v ssa.Value, _ hold) bool { return dead(v) })
	maps.DeleteFunc(s.true, func(v ssa.Value, _ bool) bool { return dead(v) })
	maps.DeleteFunc(s.ints, func(v ssa.Value, _ int64) bool { return dead(v) })
	maps.DeleteFunc(s.holds, func(h hold, st standing) bool {
		return (st.released.IsValid() || !st.owed && !st.around) && !s.reachable(h)
	})
}

// key returns a text that is the same for equal states.
func (s *state) key(fn *function, at *ssa.BasicBlock) string {
	var all []string
	for h, st := range s.holds {
		all = append(all, fmt.Sprintf("h%d.%d %t%t%d %d %d%s", fn.number(h.from), h.n, st.owed, st.deferred,
			st.released, fn.number(st.by), fn.number(st.from.root), st.from.way))
	}
	for v, h := range s.in {
		all = append(all, fmt.Sprintf("i%d %d.%d", fn.number(v), fn.number(h.from), h.n))
	}
	for v, is := range s.true {
		all = append(all, fmt.Sprintf("t%d %t", fn.number(v), is))
	}
	for v, n := range s.ints {
		all = append(all, fmt.Sprintf("n%d %d", fn.number(v), n))
	}
	for c, is := range s.conds {
		all = append(all, fmt.Sprintf("c%s %t", c, is))
	}
	slices.Sort(all)
	for _, d := range s.defs {
		all = append(all, fmt.Sprintf("d%d", d.Pos()))
	}
	return fmt.Sprintf("%d %t %s", at.Index, s.read, strings.Join(all, ";"))
}
