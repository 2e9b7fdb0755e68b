package checks

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// survey goes through the package once. It records which calls make the maps in its fields
// and variables, and for which kinds of map the package waits for guards.
func (p *pkg) survey() {
	p.made, p.waiting = map[any][]*ssa.Call{}, map[string]bool{}
	for _, f := range p.funcs {
		for _, b := range f.Blocks {
			for _, in := range b.Instrs {
				switch in := in.(type) {
				case *ssa.Store:
					p.noteStore(in)
				case ssa.CallInstruction:
					p.noteCall(in.Common())
				case *ssa.MakeClosure: // a method value
					if m, ok := in.Fn.(*ssa.Function).Object().(*types.Func); ok && len(in.Bindings) == 1 {
						_, args := ourType(in.Bindings[0].Type())
						p.noteWaiting(m, args)
					}
				}
			}
		}
	}
	if init := p.initializer(); init != nil {
		for _, b := range init.Blocks {
			for _, in := range b.Instrs {
				if s, ok := in.(*ssa.Store); ok {
					p.noteStore(s)
				}
			}
		}
	}
}

// initializer returns the function that sets the package's variables.
func (p *pkg) initializer() *ssa.Function {
	if len(p.funcs) == 0 || p.funcs[0].Pkg == nil {
		return nil
	}
	return p.funcs[0].Pkg.Func("init")
}

// noteStore records the map that is stored to a field or a variable of the package; nil
// stands for a map that this package does not make.
func (p *pkg) noteStore(in *ssa.Store) {
	if !isMap(in.Val.Type()) {
		return
	}
	made := p.origin(in.Val)
	switch a := in.Addr.(type) {
	case *ssa.FieldAddr:
		p.made[fieldOf(a)] = append(p.made[fieldOf(a)], made)
	case *ssa.Global:
		p.made[a] = append(p.made[a], made)
	}
}

// isMap reports whether t is a map of ranges, or a type that contains one.
func isMap(t types.Type) bool {
	name, _ := ourType(t)
	return name == "Map" || name == "Allocator"
}

func (p *pkg) noteCall(c *ssa.CallCommon) {
	if a, ok := calleeOf(c); ok && a.ours() && waitsForGuards[a.name] {
		p.waiting[a.args] = true
	}
}

func (p *pkg) noteWaiting(m *types.Func, args string) {
	if ours(m.Pkg()) && waitsForGuards[m.Name()] {
		p.waiting[args] = true
	}
}

// origin returns the call of New that has made the map v. If several calls may have made it, it
// returns one of them, provided that all are seen and agree on whether there is an OnRetire that
// uses its value.
func (p *pkg) origin(v ssa.Value) *ssa.Call {
	switch v := v.(type) {
	case *ssa.Call:
		a, ok := calleeOf(v.Common())
		switch {
		case !ok || !a.ours():
		case a.recv == "" && (a.name == "New" || a.name == "NewFunc"):
			return v
		case a.recv == "Allocator" && a.name == "Map":
			return p.origin(v.Call.Args[0])
		}
	case *ssa.UnOp:
		if v.Op == token.MUL {
			return p.originAt(v.X)
		}
	}
	return nil
}

// originAt is origin for a map that is loaded from an address.
func (p *pkg) originAt(addr ssa.Value) *ssa.Call {
	var all []*ssa.Call
	switch a := addr.(type) {
	case *ssa.FieldAddr:
		f := fieldOf(a)
		if f.Exported() && !p.internalTo(f.Pkg()) {
			return nil
		}
		all = p.made[f]
	case *ssa.Global:
		if a.Object() != nil && a.Object().Exported() && !p.internalTo(a.Object().Pkg()) {
			return nil
		}
		all = p.made[a]
	case *ssa.FreeVar:
		return p.captured(a)
	case *ssa.Alloc:
		if stores(a) != 1 {
			return nil
		}
		for _, r := range *a.Referrers() {
			if s, ok := r.(*ssa.Store); ok && s.Addr == a {
				return p.origin(s.Val)
			}
		}
	}
	for _, made := range all { // any one will do, because they agree
		if made == nil || retires(made) != retires(all[0]) {
			return nil
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// internalTo reports whether no other package sees what q exports, because q is a command.
func (p *pkg) internalTo(q *types.Package) bool { return q == p.pass.Pkg && q.Name() == "main" }

// captured is originAt for a variable of the function around a closure.
func (p *pkg) captured(v *ssa.FreeVar) *ssa.Call {
	f := v.Parent()
	if f.Parent() == nil {
		return nil
	}
	for _, b := range f.Parent().Blocks {
		for _, in := range b.Instrs {
			c, ok := in.(*ssa.MakeClosure)
			if !ok || c.Fn != f {
				continue
			}
			for i, o := range f.FreeVars {
				if o == v {
					return p.originAt(c.Bindings[i])
				}
			}
		}
	}
	return nil
}

// calm reports whether no code waits for the guards of the map that the call in uses: this
// package makes the map, and does not wait for the guards of any such map.
func (w *walk) calm(in *ssa.Call) bool {
	if len(in.Call.Args) == 0 {
		return false
	}
	m := in.Call.Args[0]
	_, args := ourType(m.Type())
	return w.pkg.origin(m) != nil && !w.pkg.waiting[args]
}

// isTuple reports whether a call has more than one result.
func isTuple(in *ssa.Call) bool {
	_, ok := in.Type().(*types.Tuple)
	return ok
}
