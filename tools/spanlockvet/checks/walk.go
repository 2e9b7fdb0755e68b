package checks

import (
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// maxSteps is how many blocks are walked in one function. If that is not enough, nothing is
// reported for the function: it has too many paths.
const maxSteps = 20_000

// maxHolds is how many guards of one acquire are distinguished.
const maxHolds = 4

// A walk goes through the paths of one function.
type walk struct {
	*function
	found  []finding
	todo   []pending
	seen   map[string]bool
	giveUp bool
}

// A pending is where a path continues: at an instruction of a block.
type pending struct {
	at   *ssa.BasicBlock
	next int
	s    *state
}

// walkFunction returns what is found in f.
func walkFunction(p *pkg, f *ssa.Function) []finding {
	if len(f.Blocks) == 0 || !p.hasGuards(f) {
		return nil
	}
	w := &walk{function: newFunction(p, f), seen: map[string]bool{}}
	s := newState()
	for _, param := range f.Params {
		if isGuard(param.Type()) || isGuardPointer(param.Type()) && !w.wild[param] {
			h := hold{param, 0}
			s.holds[h] = standing{}
			s.in[param] = h
		}
	}
	w.around(s)
	w.todo = append(w.todo, pending{f.Blocks[0], 0, s})
	for steps := 0; len(w.todo) > 0; steps++ {
		if w.giveUp || steps > maxSteps {
			return nil
		}
		p := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		w.block(p)
	}
	return w.found
}

// block follows a path to the end of its block, and adds to todo where it continues.
func (w *walk) block(p pending) {
	for i := p.next; i < len(p.at.Instrs); i++ {
		in := p.at.Instrs[i]
		if v, ok := in.(ssa.Value); ok {
			if _, phi := in.(*ssa.Phi); !phi {
				w.recompute(p.s, v)
			}
		}
		switch in := in.(type) {
		case *ssa.Phi:
		case *ssa.If:
			is, known := w.eval(p.s, in.Cond)
			for n, outcome := range []bool{true, false} {
				if !known || is == outcome {
					s := p.s.clone()
					w.assume(s, in.Cond, outcome)
					w.enter(p.at, p.at.Succs[n], s)
				}
			}
			return
		case *ssa.Jump:
			w.enter(p.at, p.at.Succs[0], p.s)
			return
		case *ssa.Panic:
			return
		case *ssa.Return:
			for _, r := range in.Results {
				w.escapes(p.s, r)
			}
			w.leave(p.s, in)
			return
		case *ssa.Call:
			other, end := w.call(p.s, in)
			if end {
				return
			}
			if other != nil {
				w.todo = append(w.todo, pending{p.at, i + 1, other})
			}
		default:
			w.step(p.s, in)
		}
	}
}

// enter goes from one block to another: it gives the phis their values, and ends the
// path if another one came here in the same state.
func (w *walk) enter(from, to *ssa.BasicBlock, s *state) {
	edge := 0
	for i, p := range to.Preds {
		if p == from {
			edge = i
		}
	}
	type value struct {
		phi      *ssa.Phi
		h        hold
		has      bool
		is, know bool
		n        int64
		first    bool
	}
	var all []value
	for _, in := range to.Instrs {
		phi, ok := in.(*ssa.Phi)
		if !ok {
			break
		}
		v := value{phi: phi}
		v.h, v.has = s.in[phi.Edges[edge]]
		v.is, v.know = w.evalEdge(s, phi, edge)
		if c, ok := phi.Edges[edge].(*ssa.Const); ok {
			v.n, v.first = s.intOf(c)
		}
		all = append(all, v)
	}
	for _, v := range all {
		w.recompute(s, v.phi)
		s.put(v.phi, v.h, v.has)
		s.know(v.phi, v.is, v.know)
		if v.first {
			s.ints[v.phi] = v.n
		}
	}
	s.prune(w.function, to)
	key := s.key(w.function, to)
	if !w.seen[key] {
		w.seen[key] = true
		w.todo = append(w.todo, pending{to, 0, s})
	}
}

// evalEdge is eval of the value that a phi of a bool or an error gets from an edge.
func (w *walk) evalEdge(s *state, phi *ssa.Phi, edge int) (is, ok bool) {
	if !isFlag(phi.Type()) {
		return false, false
	}
	return w.eval(s, phi.Edges[edge])
}

// step applies an instruction that is not a call and does not end its block.
func (w *walk) step(s *state, in ssa.Instruction) {
	switch in := in.(type) {
	case *ssa.Alloc:
		delete(s.in, in)
		delete(s.true, in)
	case *ssa.Store:
		w.store(s, in)
	case *ssa.UnOp:
		if in.Op == token.MUL {
			h, ok := s.in[in.X]
			s.put(in, h, ok && isGuard(in.Type()))
			is, ok := s.true[in.X]
			s.know(in, is, ok && isFlag(in.Type()))
		}
	case *ssa.Extract:
		if in.Index == 0 {
			h, ok := s.in[in.Tuple]
			s.put(in, h, ok)
		} else {
			is, ok := s.true[in.Tuple]
			s.know(in, is, ok && isFlag(in.Type()))
		}
	case *ssa.Defer:
		w.postpone(s, in)
	case *ssa.RunDefers:
		for i := len(s.defs) - 1; i >= 0; i-- {
			w.runDeferred(s, s.defs[i])
		}
		s.defs = nil
	case *ssa.DebugRef:
	default:
		for _, op := range in.Operands(nil) {
			if *op != nil {
				w.escapes(s, *op)
			}
		}
	}
}

// store applies *addr = val.
func (w *walk) store(s *state, in *ssa.Store) {
	if isFlag(in.Val.Type()) {
		is, ok := w.eval(s, in.Val)
		s.know(in.Addr, is, ok && isVariable(in.Addr))
		return
	}
	if _, tracked := w.wild[in.Addr]; !tracked || w.wild[in.Addr] {
		w.escapes(s, in.Val)
		return
	}
	if _, param := in.Addr.(*ssa.Parameter); param {
		w.escapes(s, in.Val)
		delete(s.in, in.Addr)
		return
	}
	h, ok := s.in[in.Val]
	s.put(in.Addr, h, ok)
}

// isVariable reports whether addr is that of a variable, whose contents are followed.
func isVariable(addr ssa.Value) bool {
	switch addr.(type) {
	case *ssa.Alloc, *ssa.FreeVar:
		return true
	}
	return false
}

// escapes forgets the guard in v, if there is one: other code has it now.
func (w *walk) escapes(s *state, v ssa.Value) {
	if !isGuard(v.Type()) {
		return
	}
	if h, ok := s.in[v]; ok {
		s.escape(h)
	}
}

// postpone applies a defer statement.
func (w *walk) postpone(s *state, in *ssa.Defer) {
	if in.DeferStack != nil { // run by the function around this loop's body
		for _, op := range in.Operands(nil) {
			w.escapes(s, *op)
		}
		return
	}
	for _, addr := range releasedBy(in) {
		if h, ok := s.in[addr]; ok {
			st := s.holds[h]
			st.deferred = true
			s.holds[h] = st
		}
	}
	for _, d := range s.defs {
		if d == in {
			return // in a loop
		}
	}
	s.defs = append(s.defs, in)
	for _, arg := range in.Call.Args {
		w.escapes(s, arg)
	}
}

// releasedBy returns the variables of the guards that a deferred call releases or may release.
func releasedBy(in *ssa.Defer) (addrs []ssa.Value) {
	if c, ok := in.Call.Value.(*ssa.MakeClosure); ok {
		for _, b := range c.Bindings {
			if isGuardPointer(b.Type()) && !onlyReads(c, b) {
				addrs = append(addrs, b)
			}
		}
		return addrs
	}
	if a, ok := calleeOf(&in.Call); ok && a.of("Guard") && a.name == "Release" {
		return in.Call.Args[:1]
	}
	return nil
}

// runDeferred applies a deferred call, at the end of the function.
func (w *walk) runDeferred(s *state, in *ssa.Defer) {
	for _, addr := range releasedBy(in) {
		h, ok := s.in[addr]
		if !ok {
			continue
		}
		if _, closure := in.Call.Value.(*ssa.MakeClosure); closure {
			s.escape(h) // the call may release it only if it is held
			continue
		}
		w.release(s, addr, in.Pos())
	}
}
