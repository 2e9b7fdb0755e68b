package checks

import (
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// A function is a function under examination, with facts that are true in all of it.
type function struct {
	*ssa.Function
	pkg      *pkg
	wild     map[ssa.Value]bool  // variables of guards that other code may reach
	storesTo map[*types.Var]bool // fields
	repeated map[string]bool     // texts of conditions that occur in it more than once
	reach    [][]bool            // reach[a][b]: b can come after a
	numbers  map[ssa.Value]int
}

func newFunction(p *pkg, f *ssa.Function) *function {
	fn := &function{Function: f, pkg: p, wild: map[ssa.Value]bool{}, storesTo: map[*types.Var]bool{},
		repeated: map[string]bool{}, numbers: map[ssa.Value]int{}}
	fn.reach = make([][]bool, len(f.Blocks))
	for _, b := range f.Blocks {
		fn.reach[b.Index] = make([]bool, len(f.Blocks))
		mark(b, fn.reach[b.Index])
	}
	for _, p := range f.Params {
		if isGuardPointer(p.Type()) {
			fn.wild[p] = fn.isWild(p)
		}
	}
	seen := map[string]bool{}
	for _, b := range f.Blocks {
		for _, i := range b.Instrs {
			switch i := i.(type) {
			case *ssa.Alloc:
				if isGuardPointer(i.Type()) {
					fn.wild[i] = fn.isWild(i)
				}
			case *ssa.Store:
				if a, ok := i.Addr.(*ssa.FieldAddr); ok {
					fn.storesTo[fieldOf(a)] = true
				}
			case *ssa.If:
				if text, _ := fn.text(i.Cond); text != "" {
					fn.repeated[text] = seen[text]
					seen[text] = true
				}
			}
		}
	}
	return fn
}

func mark(b *ssa.BasicBlock, seen []bool) {
	for _, s := range b.Succs {
		if !seen[s.Index] {
			seen[s.Index] = true
			mark(s, seen)
		}
	}
}

// number gives each value a number, for texts.
func (fn *function) number(v ssa.Value) int {
	if v == nil {
		return -1
	}
	n, ok := fn.numbers[v]
	if !ok {
		n = len(fn.numbers)
		fn.numbers[v] = n
	}
	return n
}

// live reports whether v may be used in block b or after it.
func (fn *function) live(v ssa.Value, b *ssa.BasicBlock) bool {
	if v.Referrers() == nil {
		return true
	}
	for _, r := range *v.Referrers() {
		if r.Block() == b || fn.reach[b.Index][r.Block().Index] {
			return true
		}
		// A deferred call uses it at the end.
		if _, ok := r.(*ssa.Defer); ok {
			return true
		}
		if c, ok := r.(*ssa.MakeClosure); ok && onlyDeferred(c) {
			return true
		}
	}
	return false
}

// isWild reports whether the variable at addr, which is a guard's, can be changed or
// released by something that is not an instruction of this function or of a closure
// that it defers.
func (fn *function) isWild(addr ssa.Value) bool {
	for _, r := range *addr.Referrers() {
		switch r := r.(type) {
		case *ssa.Store:
			if r.Val == addr {
				return true
			}
		case *ssa.UnOp:
		case *ssa.Call:
			if !isMethodOn(r.Common(), addr) {
				return true
			}
		case *ssa.Defer:
			if !isMethodOn(r.Common(), addr) || r.DeferStack != nil {
				return true
			}
		case *ssa.MakeClosure:
			if !onlyDeferred(r) && !onlyReads(r, addr) {
				return true
			}
		case *ssa.DebugRef:
		default:
			return true
		}
	}
	return false
}

// isMethodOn reports whether c calls a guard's method on the variable at addr.
func isMethodOn(c *ssa.CallCommon, addr ssa.Value) bool {
	a, ok := calleeOf(c)
	return ok && a.of("Guard") && len(c.Args) > 0 && c.Args[0] == addr
}

// onlyDeferred reports whether a closure is only used in a defer statement of the function
// that contains it.
func onlyDeferred(c *ssa.MakeClosure) bool {
	for _, r := range *c.Referrers() {
		if d, ok := r.(*ssa.Defer); !ok || d.Call.Value != c || d.DeferStack != nil {
			return false
		}
	}
	return true
}

// onlyReads reports whether the closure only loads the guard in the variable at addr and
// calls methods that do not change it.
func onlyReads(c *ssa.MakeClosure, addr ssa.Value) bool {
	f := c.Fn.(*ssa.Function)
	for i, b := range c.Bindings {
		if b != addr {
			continue
		}
		if i >= len(f.FreeVars) { // a method value
			return false
		}
		for _, r := range *f.FreeVars[i].Referrers() {
			switch r := r.(type) {
			case *ssa.UnOp:
				for _, use := range *r.Referrers() {
					call, ok := use.(*ssa.Call)
					if !ok || !isMethodOn(call.Common(), r) {
						return false
					}
				}
			case *ssa.MakeClosure:
				if !onlyReads(r, f.FreeVars[i]) {
					return false
				}
			case *ssa.DebugRef:
			default:
				return false
			}
		}
	}
	return true
}
