package checks

import (
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// wrapper reports whether f, a function of this package, returns a guard that it has acquired
// and that its caller must release. On each path its first result must be the zero Guard, or a
// guard that it has got from an acquire and has passed to no other code. A second result, if
// any, must be a bool or an error, as that of an acquire.
func (p *pkg) wrapper(f *ssa.Function) bool {
	if f == nil {
		return false
	}
	if f.Origin() != nil {
		f = f.Origin()
	}
	is, known := p.wrappers[f]
	if !known {
		p.wrappers[f] = false // in case f calls itself
		is = p.wraps(f)
		p.wrappers[f] = is
	}
	return is
}

func (p *pkg) wraps(f *ssa.Function) bool {
	r := f.Signature.Results()
	if len(f.Blocks) == 0 || f.Pkg == nil || f.Pkg.Pkg != p.pass.Pkg || r.Len() == 0 || r.Len() > 2 ||
		!isGuard(r.At(0).Type()) || r.Len() == 2 && !isFlag(r.At(1).Type()) {
		return false
	}
	some := false
	for _, b := range f.Blocks {
		ret, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return)
		if !ok {
			continue
		}
		if b == f.Recover {
			continue
		}
		fresh, ok := p.fresh(ret.Results[0], map[ssa.Value]bool{})
		if !ok {
			return false
		}
		some = some || fresh
	}
	return some
}

// fresh reports whether v may be a guard that was just acquired. ok says whether it is certain
// that v is such a guard or no guard, and that no other code has it.
func (p *pkg) fresh(v ssa.Value, seen map[ssa.Value]bool) (fresh, ok bool) {
	if seen[v] {
		return false, true
	}
	seen[v] = true
	switch v := v.(type) {
	case *ssa.Const:
		return false, true
	case *ssa.Phi:
		return p.anyFresh(v.Edges, seen)
	case *ssa.Extract:
		c, ok := v.Tuple.(*ssa.Call)
		return true, ok && p.freshCall(c) && onlyReturned(v)
	case *ssa.Call:
		return true, p.freshCall(v) && onlyReturned(v)
	case *ssa.UnOp:
		a, ok := v.X.(*ssa.Alloc)
		if !ok || !onlyHere(a) {
			return false, false
		}
		var all []ssa.Value
		for _, r := range *a.Referrers() {
			if s, ok := r.(*ssa.Store); ok {
				all = append(all, s.Val)
			}
		}
		return p.anyFresh(all, seen)
	}
	return false, false
}

func (p *pkg) anyFresh(all []ssa.Value, seen map[ssa.Value]bool) (fresh, ok bool) {
	for _, v := range all {
		f, ok := p.fresh(v, seen)
		if !ok {
			return false, false
		}
		fresh = fresh || f
	}
	return fresh, true
}

func (p *pkg) freshCall(c *ssa.Call) bool {
	a, ok := calleeOf(c.Common())
	if !ok {
		return false
	}
	if is, _ := acquires(c.Common(), a); is {
		return a.recv != "Guard" || a.name == "Clone"
	}
	return p.wrapper(c.Common().StaticCallee())
}

// onlyReturned reports whether a guard in a register is only returned, stored in a variable of
// the function, or used to call its methods.
func onlyReturned(v ssa.Value) bool {
	for _, r := range *v.Referrers() {
		switch r := r.(type) {
		case *ssa.Return, *ssa.Phi, *ssa.DebugRef:
		case *ssa.Store:
			if a, ok := r.Addr.(*ssa.Alloc); !ok || !onlyHere(a) {
				return false
			}
		case *ssa.Call:
			if !isMethodOn(r.Common(), v) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// onlyHere is onlyReturned for a variable. A deferred call may release it on some path.
func onlyHere(a *ssa.Alloc) bool {
	if !isGuard(a.Type().Underlying().(*types.Pointer).Elem()) {
		return false
	}
	for _, r := range *a.Referrers() {
		switch r := r.(type) {
		case *ssa.Store, *ssa.DebugRef:
		case *ssa.Call:
			if !isMethodOn(r.Common(), a) {
				return false
			}
		case *ssa.UnOp:
			for _, use := range *r.Referrers() {
				switch use := use.(type) {
				case *ssa.Return, *ssa.DebugRef:
				case *ssa.Store:
					if use.Addr != a {
						return false
					}
				case *ssa.Call:
					if !isMethodOn(use.Common(), r) {
						return false
					}
				default:
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}
