package checks

import (
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// Leak reports a guard that is not released on every path.
var Leak = check("leak", `report guards that are not released on every path

A guard that is never released keeps its range forever: OnRetire does not run for it,
and Remove never returns. The check follows each path of a function from the call
that returns the guard. If that call reports false or an error, there is no guard. The
function need not release a guard that it has returned, stored, sent, passed to a
function or captured in a closure, unless the closure is only deferred. Code after a
panic, os.Exit, log.Fatal or a test's Fatal and Error is not checked.`)

// leave is the end of a path: no guard that is still held will be released.
func (w *walk) leave(s *state, in *ssa.Return) {
	for h := range s.holds {
		w.lost(s, h, in)
	}
}

// lost reports h, if it is held and the function has to release it. in is where that
// becomes impossible.
func (w *walk) lost(s *state, h hold, in ssa.Instruction) {
	st := s.holds[h]
	if !st.owed || st.deferred || st.released.IsValid() {
		return
	}
	a, _ := calleeOf(h.from.(*ssa.Call).Common())
	switch at := w.pkg.line(w.endOf(in)); {
	case in == h.from.(*ssa.Call):
		w.report("leak", h.from.Pos(), "guard of %s is not released before the next one takes its place", a.name)
	case !w.hasGuard(h.from.(*ssa.Call)):
		w.report("leak", h.from.Pos(), "guard of %s is dropped and never released", a.name)
	default:
		w.report("leak", h.from.Pos(), "guard of %s is not released on the path that leaves at line %d", a.name, at)
	}
}

// endOf returns the position of a return, also of an implicit one.
func (w *walk) endOf(in ssa.Instruction) token.Pos {
	if in.Pos().IsValid() || w.Syntax() == nil {
		return in.Pos()
	}
	return w.Syntax().End()
}

// hasGuard reports whether anything is done with the guard that in returns.
func (w *walk) hasGuard(in *ssa.Call) bool {
	if !isTuple(in) {
		return len(*in.Referrers()) > 0
	}
	for _, r := range *in.Referrers() {
		if x, ok := r.(*ssa.Extract); !ok || x.Index == 0 && len(*x.Referrers()) > 0 {
			return true
		}
	}
	return false
}

// dropped reports whether a test does nothing with the guard that in returns: such a test
// expects that the call returns no guard, or panics.
func (w *walk) dropped(in *ssa.Call) bool { return w.pkg.inTest(in.Pos()) && !w.hasGuard(in) }
