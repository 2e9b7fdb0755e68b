package checks

import (
	"fmt"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// A place names what an expression denotes: where it starts, and the path from there
// through fields, as in x.store.m. Two expressions of one function with the same place
// denote the same map, as long as their start is not computed again and the fields are not
// stored to.
type place struct {
	root ssa.Value // nil for the map that rangelock.Default returns
	way  string
}

// theDefault is the place of the map of rangelock.Default and of the functions that use it.
var theDefault = place{nil, "default"}

// placeOf returns the place of v, and false if v has none, because the function stores
// to it.
func (fn *function) placeOf(v ssa.Value) (place, bool) {
	switch v := v.(type) {
	case *ssa.UnOp:
		if v.Op != token.MUL {
			break
		}
		return fn.placeAt(v.X, v)
	case *ssa.Field:
		p, ok := fn.placeOf(v.X)
		p.way += fmt.Sprint(".", v.Field)
		return p, ok
	case *ssa.ChangeType:
		return fn.placeOf(v.X)
	case *ssa.MakeInterface:
		return fn.placeOf(v.X)
	case *ssa.Call:
		a, ok := calleeOf(v.Common())
		switch {
		case !ok || !a.ours():
		case a.recv == "" && a.name == "Default":
			return theDefault, true
		case a.recv == "Allocator" && a.name == "Map":
			return fn.mapOf(v.Call.Args[0])
		}
	}
	return place{v, ""}, true
}

// mapOf returns the place of the map of the allocator v.
func (fn *function) mapOf(v ssa.Value) (place, bool) {
	p, ok := fn.placeOf(v)
	p.way += ".Map()"
	return p, ok
}

// placeAt returns the place of the value that the instruction load loads from an address.
func (fn *function) placeAt(addr, load ssa.Value) (place, bool) {
	switch a := addr.(type) {
	case *ssa.FieldAddr:
		f := fieldOf(a)
		if fn.storesTo[f] {
			return place{}, false
		}
		p, ok := fn.placeAddr(a.X)
		p.way += "." + f.Name()
		return p, ok
	case *ssa.Alloc:
		if stores(a) > 1 {
			return place{load, ""}, true
		}
		return place{a, "*"}, true
	case *ssa.FreeVar, *ssa.Global:
		return place{addr, "*"}, true
	}
	return place{load, ""}, true
}

// placeAddr returns the place of the struct that a pointer points to.
func (fn *function) placeAddr(x ssa.Value) (place, bool) {
	switch x := x.(type) {
	case *ssa.FieldAddr: // a struct in a struct
		f := fieldOf(x)
		p, ok := fn.placeAddr(x.X)
		p.way += "." + f.Name()
		return p, ok
	case *ssa.Alloc, *ssa.FreeVar, *ssa.Global:
		return place{x, ""}, true
	}
	return fn.placeOf(x)
}

// unknownField is the field of a struct whose type is a type parameter.
var unknownField = types.NewField(token.NoPos, nil, "?", types.Typ[types.Invalid], false)

// fieldOf returns the field whose address a is.
func fieldOf(a *ssa.FieldAddr) *types.Var {
	p, ok := a.X.Type().Underlying().(*types.Pointer)
	if !ok {
		return unknownField
	}
	s, ok := p.Elem().Underlying().(*types.Struct)
	if !ok {
		return unknownField
	}
	return s.Field(a.Field).Origin()
}

// stores returns how many instructions store to a variable, closures included.
func stores(addr ssa.Value) (n int) {
	if addr.Referrers() == nil {
		return 2
	}
	for _, r := range *addr.Referrers() {
		switch r := r.(type) {
		case *ssa.Store:
			if r.Addr == addr {
				n++
			}
		case *ssa.MakeClosure:
			for i, b := range r.Bindings {
				if b == addr {
					n += stores(r.Fn.(*ssa.Function).FreeVars[i])
				}
			}
		}
	}
	return n
}

// receiver returns the place of the map that a call of the module uses.
func (fn *function) receiver(c *ssa.CallCommon, a callee) (place, bool) {
	if a.recv == "" {
		return theDefault, a.name != "New" && a.name != "NewFunc"
	}
	if c.Method != nil || len(c.Args) == 0 {
		return place{}, false
	}
	switch a.recv {
	case "Map", "File":
		return fn.placeOf(c.Args[0])
	case "Allocator":
		return fn.mapOf(c.Args[0])
	case "Reader", "Writer":
		return fn.lockedMap(c.Args[0])
	}
	return place{}, false
}

// lockedMap returns the place of the map of a Writer or a Reader, if the function has got
// it by Lock or a similar method.
func (fn *function) lockedMap(v ssa.Value) (place, bool) {
	if x, ok := v.(*ssa.Extract); ok {
		v = x.Tuple
	}
	c, ok := v.(*ssa.Call)
	if !ok {
		return place{}, false
	}
	a, ok := calleeOf(c.Common())
	if !ok || !a.ours() {
		return place{}, false
	}
	switch a.name {
	case "Lock", "LockContext", "TryLock", "RLock", "RLockContext", "Downgrade":
		return fn.receiver(c.Common(), a)
	}
	return place{}, false
}
