package checks

import (
	"fmt"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// Kept reports values that are used without a guard next to OnRetire.
var Kept = check("kept", `report values that are used without a guard next to OnRetire

Get, GetRange, GetMany, First, Last, All, AllIn, Backward and Overlapping return no guard.
When the caller uses the value, the range may have left the map, and OnRetire may have
unmapped, closed or freed what the value refers to. Acquire and View protect it while it
is used.

The check reports a value that came from one of them and is then kept (returned, stored,
sent, captured), passed to a call, also as a method's receiver, or followed as a pointer,
a slice or a map. Comparing the value, taking its length, and reading the fields of a
struct value do not count as uses. For Find and Overlapping of a Writer or Reader it
reports only values that are kept, because the value stays until Unlock. In tests, too,
it reports only values that are kept, because tests look at values after OnRetire on
purpose.

The check knows that a map has an OnRetire if it sees how the map is made: by New, with
a literal of Options, or a variable of this function, in which OnRetire is set. That map
must be the only one that is assigned to the variable or the unexported field through
which the map is used. An OnRetire that does not name its value
(func(r Range[int], _ *file)) cannot free the value and does not count; maps for which
the check does not see an OnRetire do not count either. A function that only walks over
the map and closes it is assumed to be its last user.`)

// looks are the methods that return no guard. The number says which of their results, or of
// the parameters of the function that they call or yield to, is the value.
var looks = map[string]int{"Get": 0, "GetRange": 1, "GetMany": 1, "All": 1, "AllIn": 1, "Backward": 1, "Overlapping": 1, "First": 1, "Last": 1}

// kept returns the uses of values without guard in f.
func (p *pkg) kept(f *ssa.Function) (found []finding) {
	for _, b := range f.Blocks {
		for _, in := range b.Instrs {
			c, ok := in.(*ssa.Call)
			if !ok {
				continue
			}
			a, ok := calleeOf(c.Common())
			if !ok || !a.ours() || len(c.Call.Args) == 0 {
				continue
			}
			stays := a.recv == "Reader" || a.recv == "Writer"
			m := c.Call.Args[0]
			if stays {
				m = lockedOf(m)
			}
			if _, look := looks[a.name]; !look && !(stays && a.name == "Find") || m == nil || !isMap(m.Type()) {
				continue
			}
			made := p.origin(m)
			if made == nil || !retires(made) || p.closes(f, made, a.name) {
				continue
			}
			for _, v := range valuesOf(c, a) {
				if pos, what := used(v, stays || p.inTest(c.Pos()), map[ssa.Value]bool{}); what != "" {
					found = append(found, finding{"kept", p.at(pos, c), fmt.Sprintf(
						"value from %s at line %d is %s without a guard, and the map has an OnRetire that may free it: use Acquire or View",
						a.name, p.line(c.Pos()), what)})
				}
			}
		}
	}
	return found
}

// at returns pos, or the position of c if pos is not valid.
func (p *pkg) at(pos token.Pos, c *ssa.Call) token.Pos {
	if pos.IsValid() {
		return pos
	}
	return c.Pos()
}

// lockedOf returns the map of a Writer or Reader, if it can be seen.
func lockedOf(v ssa.Value) ssa.Value {
	if x, ok := v.(*ssa.Extract); ok {
		v = x.Tuple
	}
	if c, ok := v.(*ssa.Call); ok && len(c.Call.Args) > 0 {
		if a, ok := calleeOf(c.Common()); ok && a.of("Map") {
			return c.Call.Args[0]
		}
	}
	return nil
}

// valuesOf returns the registers that have the values that c looks up.
func valuesOf(c *ssa.Call, a callee) (values []ssa.Value) {
	n := looks[a.name]
	switch a.name {
	case "Find":
		n = 1
		fallthrough
	case "Get", "GetRange", "First", "Last":
		for _, r := range *c.Referrers() {
			if x, ok := r.(*ssa.Extract); ok && x.Index == n {
				values = append(values, x)
			}
		}
	case "GetMany":
		values = parameter(c.Call.Args[len(c.Call.Args)-1], n)
	default: // an iterator, which is called with the body of the loop
		for _, r := range *c.Referrers() {
			if loop, ok := r.(*ssa.Call); ok && loop.Call.Value == c && len(loop.Call.Args) == 1 {
				values = append(values, parameter(loop.Call.Args[0], n)...)
			}
		}
	}
	return values
}

// parameter returns the n-th parameter of the function literal f.
func parameter(f ssa.Value, n int) []ssa.Value {
	if c, ok := f.(*ssa.MakeClosure); ok {
		f = c.Fn
	}
	if fn, ok := f.(*ssa.Function); ok && n < len(fn.Params) && len(fn.Blocks) > 0 {
		return []ssa.Value{fn.Params[n]}
	}
	return nil
}

// used returns how v is used, and where; if stays is set, only how it is kept. It follows
// copies.
func used(v ssa.Value, stays bool, seen map[ssa.Value]bool) (token.Pos, string) {
	if seen[v] || v.Referrers() == nil {
		return token.NoPos, ""
	}
	seen[v] = true
	for _, r := range *v.Referrers() {
		if pos, what := usedIn(v, r, stays, seen); what != "" {
			return pos, what
		}
	}
	return token.NoPos, ""
}

func usedIn(v ssa.Value, r ssa.Instruction, stays bool, seen map[ssa.Value]bool) (token.Pos, string) {
	switch r := r.(type) {
	case *ssa.Return:
		return r.Pos(), "returned"
	case *ssa.Send:
		return r.Pos(), "sent"
	case *ssa.MapUpdate:
		return r.Pos(), "stored"
	case *ssa.Go:
		return r.Pos(), "passed to a goroutine"
	case *ssa.Store:
		if r.Val != v {
			return followed(r, stays)
		}
		if a, ok := r.Addr.(*ssa.Alloc); ok {
			return usedVariable(a, stays, seen)
		}
		if f, ok := r.Addr.(*ssa.FieldAddr); ok {
			if a, ok := f.X.(*ssa.Alloc); ok && !a.Heap { // a field of a struct that stays in this function
				return token.NoPos, ""
			}
		}
		if e, ok := r.Addr.(*ssa.IndexAddr); ok {
			if a, ok := e.X.(*ssa.Alloc); ok { // the variadic arguments of a call
				return usedVariable(a, stays, seen)
			}
		}
		return r.Pos(), "stored"
	case *ssa.MakeClosure:
		return r.Fn.Pos(), "captured"
	case *ssa.Call:
		return usedByCall(r, stays)
	case *ssa.Defer:
		return r.Pos(), "passed to a deferred call"
	case *ssa.MakeInterface, *ssa.ChangeType, *ssa.ChangeInterface, *ssa.Convert, *ssa.Phi, *ssa.Field, *ssa.TypeAssert, *ssa.Extract:
		o := r.(ssa.Value)
		if _, basic := o.Type().Underlying().(*types.Basic); basic && isField(r) {
			return token.NoPos, ""
		}
		return used(o, stays, seen)
	case *ssa.UnOp:
		if r.Op == token.MUL && r.X == v {
			return followed(r, stays)
		}
	case *ssa.FieldAddr, *ssa.IndexAddr, *ssa.Slice, *ssa.Lookup, *ssa.Range:
		if *r.Operands(nil)[0] == v { // the container, not the index
			return followed(r, stays)
		}
	}
	return token.NoPos, ""
}

// followed returns a use that reads what the value refers to.
func followed(r ssa.Instruction, stays bool) (token.Pos, string) {
	if stays {
		return token.NoPos, ""
	}
	return r.Pos(), "used"
}

// isField reports whether r reads a field of a struct.
func isField(r ssa.Instruction) bool {
	_, ok := r.(*ssa.Field)
	return ok
}

// usedByCall returns the use of a value as an argument.
func usedByCall(c *ssa.Call, stays bool) (token.Pos, string) {
	a, ok := calleeOf(c.Common())
	if ok && a.pkg == nil { // a builtin
		switch a.name {
		case "len", "cap":
			return token.NoPos, ""
		case "append":
			return c.Pos(), "stored"
		}
	}
	if ok && a.test || stays {
		return token.NoPos, ""
	}
	return c.Pos(), "used"
}

// usedVariable returns the use of a variable to which the value was stored.
func usedVariable(addr *ssa.Alloc, stays bool, seen map[ssa.Value]bool) (token.Pos, string) {
	for _, r := range *addr.Referrers() {
		switch r := r.(type) {
		case *ssa.UnOp:
			if pos, what := used(r, stays, seen); what != "" {
				return pos, what
			}
		case *ssa.FieldAddr: // a field of a struct that is the value
			for _, load := range *r.Referrers() {
				u, ok := load.(*ssa.UnOp)
				if !ok || isBasic(u.Type()) {
					continue
				}
				if pos, what := used(u, stays, seen); what != "" {
					return pos, what
				}
			}
		case *ssa.Slice:
			for _, use := range *r.Referrers() {
				if c, ok := use.(*ssa.Call); ok {
					if pos, what := usedByCall(c, stays); what != "" {
						return pos, what
					}
				}
			}
		case *ssa.MakeClosure:
			return r.Fn.Pos(), "captured"
		}
	}
	return token.NoPos, ""
}

func isBasic(t types.Type) bool {
	_, ok := t.Underlying().(*types.Basic)
	return ok
}

// closes reports whether f only calls the method name and Close of the map that made has
// made. Then f is assumed to be the last user of the map.
func (p *pkg) closes(f *ssa.Function, made *ssa.Call, name string) (closes bool) {
	for _, b := range f.Blocks {
		for _, in := range b.Instrs {
			c, ok := in.(*ssa.Call)
			if !ok || len(c.Call.Args) == 0 || !isMap(c.Call.Args[0].Type()) || p.origin(c.Call.Args[0]) != made {
				continue
			}
			switch a, _ := calleeOf(c.Common()); a.name {
			case "Close":
				closes = true
			case name:
			default:
				return false
			}
		}
	}
	return closes
}

// retires reports whether the map that the call of New has made has an OnRetire that
// uses its value.
func retires(made *ssa.Call) bool {
	if len(made.Call.Args) == 0 {
		return false
	}
	o, ok := made.Call.Args[len(made.Call.Args)-1].(*ssa.Alloc)
	if !ok {
		return false
	}
	var set []ssa.Value
	for _, r := range *o.Referrers() {
		f, ok := r.(*ssa.FieldAddr)
		if !ok || fieldOf(f).Name() != "OnRetire" {
			continue
		}
		for _, use := range *f.Referrers() {
			if s, ok := use.(*ssa.Store); ok && s.Addr == f {
				set = append(set, s.Val)
			}
		}
	}
	for _, f := range set {
		if !namesValue(f) {
			return false
		}
	}
	return len(set) > 0
}

// namesValue reports whether a function for OnRetire may use its value. It is false only if
// the function is seen not to use it.
func namesValue(f ssa.Value) bool {
	if c, ok := f.(*ssa.Const); ok && c.IsNil() {
		return false
	}
	if c, ok := f.(*ssa.MakeClosure); ok {
		f = c.Fn
	}
	if c, ok := f.(*ssa.ChangeType); ok {
		f = c.X
	}
	fn, ok := f.(*ssa.Function)
	if !ok || len(fn.Params) == 0 || len(fn.Blocks) == 0 {
		return true
	}
	v := fn.Params[len(fn.Params)-1]
	return v.Referrers() == nil || len(*v.Referrers()) > 0
}
