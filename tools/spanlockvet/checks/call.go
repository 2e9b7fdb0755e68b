package checks

import (
	"go/token"
	"go/types"
	"maps"

	"golang.org/x/tools/go/ssa"
)

// call applies the effect of a call to s. If the call has two outcomes, s becomes the state
// after one of them, and other is the state after the other. It reports whether the path
// ends here.
func (w *walk) call(s *state, in *ssa.Call) (other *state, end bool) {
	a, ok := calleeOf(in.Common())
	if !ok {
		w.unknown(s, in)
		return nil, false
	}
	if a.ends() && (!a.test || w.pkg.inTest(in.Pos())) {
		return nil, true
	}
	fresh, optional := acquires(in.Common(), a)
	if !fresh && w.pkg.wrapper(in.Call.StaticCallee()) {
		w.unknown(s, in)
		return w.branch(s, in, in.Call.Signature().Results().Len() == 2), false
	}
	if !a.ours() {
		w.unknown(s, in)
		return nil, false
	}
	switch a.name {
	case "RLock", "RLockContext", "Downgrade":
		s.read = s.read || a.recv != "Guard"
	}
	w.mayWait(s, in, a)
	if a.recv == "Guard" {
		return nil, w.method(s, in, a)
	}
	if !fresh {
		w.unknown(s, in)
		return nil, false
	}
	return w.branch(s, in, optional), false
}

// branch makes s the state in which in has returned a guard. If in may return none, other is
// the state without a guard.
func (w *walk) branch(s *state, in *ssa.Call, optional bool) (other *state) {
	if optional {
		other = s.clone()
		w.forget(other, in)
		other.know(in, outcome(in, false), true)
	}
	w.acquire(s, in)
	if optional {
		s.know(in, outcome(in, true), true)
	}
	return other
}

// outcome returns what state.true has for the second result of an acquire with or without a
// guard: with a guard a bool is true, and an error is nil.
func outcome(in *ssa.Call, guard bool) bool {
	return guard != isError(in.Call.Signature().Results().At(1).Type())
}

// acquire gives the function a new guard, the result of in.
func (w *walk) acquire(s *state, in *ssa.Call) {
	w.forget(s, in)
	for n := range maxHolds {
		h := hold{in, n}
		if _, used := s.holds[h]; used || s.reachable(h) {
			continue
		}
		st := standing{owed: !w.dropped(in)}
		a, _ := calleeOf(in.Common())
		if a.recv == "Guard" { // Clone or Take of it
			if of, ok := s.in[in.Call.Args[0]]; ok {
				st.from, st.known = s.holds[of].from, s.holds[of].known
			}
		} else if a.ours() {
			st.from, st.known = w.receiver(in.Common(), a)
		}
		s.holds[h] = st
		s.in[in] = h
		return
	}
	w.giveUp = true
}

// forget drops the guards that an earlier call of in has left in its results. A guard that
// is in no register or variable any more will never be released.
func (w *walk) forget(s *state, in *ssa.Call) {
	delete(s.in, in)
	for _, r := range *in.Referrers() {
		if x, ok := r.(*ssa.Extract); ok {
			delete(s.in, x)
			delete(s.true, x)
		}
	}
	for h := range maps.Clone(s.holds) {
		if h.from == in && !s.reachable(h) {
			w.lost(s, h, in)
			delete(s.holds, h)
		}
	}
}

// method applies a call of a method of a guard. It reports whether the path ends here.
func (w *walk) method(s *state, in *ssa.Call, a callee) (end bool) {
	if in.Call.Method != nil || len(in.Call.Args) == 0 {
		return false
	}
	g := in.Call.Args[0]
	h, ok := s.in[g]
	if ok && a.name != "Release" {
		w.used(s, h, in.Pos(), a.name)
	}
	switch a.name {
	case "Release":
		if ok {
			w.release(s, g, in.Pos())
		}
	case "Clone":
		w.acquire(s, in)
	case "Take":
		if from, call := h.from.(*ssa.Call); ok && call && from != in {
			delete(s.in, g) // moved
			s.in[in] = h
			break
		}
		w.acquire(s, in)
		if ok {
			s.escape(h)
		}
	}
	return false
}

// release releases the guard of the variable at addr.
func (w *walk) release(s *state, addr ssa.Value, pos token.Pos) {
	h := s.in[addr]
	st := s.holds[h]
	if st.released.IsValid() {
		w.releasedTwice(st, addr, pos)
		return
	}
	st.released, st.by = pos, addr
	s.holds[h] = st
}

// unknown applies a call of a function that may do anything with its arguments.
func (w *walk) unknown(s *state, in *ssa.Call) {
	for _, arg := range in.Call.Args {
		w.escapes(s, arg)
	}
	if in.Call.Method == nil {
		w.escapes(s, in.Call.Value)
	}
	w.asked(s, in)
	for v := range s.true {
		if isShared(v) {
			delete(s.true, v)
		}
	}
}

// asked applies a call that is given the result that says whether an acquire has succeeded.
// An error made from a nil error is assumed to be nil. The meaning of a bool result is not
// known, so the release of the guard is not checked any further.
func (w *walk) asked(s *state, in *ssa.Call) {
	for _, arg := range in.Call.Args {
		failed, known := s.true[arg]
		if !known || !isError(arg.Type()) || failed {
			continue
		}
		if isError(in.Type()) {
			s.true[in] = false
			continue
		}
		if !isFlag(in.Type()) {
			continue
		}
		if a, ok := calleeOf(in.Common()); ok && a.is("errors", "Is", "As") {
			continue
		}
		for h, st := range s.holds {
			st.owed = false
			s.holds[h] = st
		}
	}
}

// isShared reports whether v is the address of a variable that a closure may change.
func isShared(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.FreeVar:
		return true
	case *ssa.Alloc:
		for _, r := range *v.Referrers() {
			switch r := r.(type) {
			case *ssa.Store, *ssa.UnOp, *ssa.DebugRef:
			case *ssa.MakeClosure:
				if !onlyDeferred(r) {
					return true
				}
			default:
				return true
			}
		}
	}
	return false
}

// isFlag reports whether t is a type that says whether there is a guard.
func isFlag(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsBoolean != 0 || isError(t)
}
