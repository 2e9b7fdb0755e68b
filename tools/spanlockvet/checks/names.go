package checks

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// module is the module whose guards are checked.
const module = "github.com/spanlock/spanlock"

// ours reports whether a package is one of the module's.
func ours(p *types.Package) bool {
	return p != nil && (p.Path() == module || strings.HasPrefix(p.Path(), module+"/"))
}

// ourType returns the name of a type of the module and its type arguments, as in
// "Map" and "int, string", also of a pointer to it.
func ourType(t types.Type) (name, args string) {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || !ours(n.Obj().Pkg()) {
		return "", ""
	}
	for i := range n.TypeArgs().Len() {
		if i > 0 {
			args += ", "
		}
		args += types.TypeString(n.TypeArgs().At(i), nil)
	}
	return n.Obj().Name(), args
}

// isGuard reports whether t is a type Guard of the module that has a method Release.
func isGuard(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Name() != "Guard" || !ours(n.Obj().Pkg()) {
		return false
	}
	for i := range n.NumMethods() {
		if n.Method(i).Name() == "Release" {
			return true
		}
	}
	return false
}

// isGuardPointer reports whether t is a pointer to a guard, as the address of a
// variable is.
func isGuardPointer(t types.Type) bool {
	p, ok := types.Unalias(t).(*types.Pointer)
	return ok && isGuard(p.Elem())
}

// A callee is the function that a call is known to call.
type callee struct {
	pkg  *types.Package // nil for a builtin
	recv string         // the type of the receiver, without its package and its pointer
	args string         // the type arguments of a receiver that is the module's
	name string
	test bool // the receiver is of package testing
}

// calleeOf returns what c calls, and false if that is not known.
func calleeOf(c *ssa.CallCommon) (callee, bool) {
	if b, ok := c.Value.(*ssa.Builtin); ok {
		return callee{name: b.Name()}, true
	}
	f := c.Method
	if f == nil {
		s := c.StaticCallee()
		if s == nil {
			return callee{}, false
		}
		if s.Origin() != nil {
			s = s.Origin()
		}
		if f, _ = s.Object().(*types.Func); f == nil {
			return callee{}, false
		}
	}
	return calleeFor(f, c), true
}

func calleeFor(f *types.Func, c *ssa.CallCommon) callee {
	a := callee{pkg: f.Pkg(), name: f.Name()}
	r := f.Signature().Recv()
	if r == nil {
		return a
	}
	t := r.Type()
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		a.recv = n.Obj().Name()
		a.test = n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "testing"
	}
	if c.Method == nil && len(c.Args) > 0 {
		_, a.args = ourType(c.Args[0].Type())
	}
	return a
}

// ours reports whether the function is one of the module's.
func (a callee) ours() bool { return ours(a.pkg) }

// is reports whether the function is this one, of a package that is not the module's.
func (a callee) is(pkg string, names ...string) bool {
	if a.pkg == nil || a.pkg.Path() != pkg {
		return false
	}
	for _, n := range names {
		if a.name == n {
			return true
		}
	}
	return false
}

// of reports whether the function is a method of one of the module's types with this name.
func (a callee) of(recv string) bool { return a.ours() && a.recv == recv }

// acquires reports whether a call returns a guard that its caller must release, and
// whether a second result says if there is one.
func acquires(c *ssa.CallCommon, a callee) (guard, optional bool) {
	if !a.ours() {
		return false, false
	}
	switch {
	case strings.HasPrefix(a.name, "Acquire"), strings.HasPrefix(a.name, "TryAcquire"):
	case a.recv == "Guard" && (a.name == "Clone" || a.name == "Take"):
	default:
		return false, false
	}
	r := c.Signature().Results()
	if r.Len() == 0 || !isGuard(r.At(0).Type()) {
		return false, false
	}
	return true, r.Len() == 2
}

// ends reports whether the function does not return, or says that a test has failed. The
// code after it is not checked.
func (a callee) ends() bool {
	switch {
	case a.test:
		switch a.name {
		case "Fatal", "Fatalf", "FailNow", "Error", "Errorf", "Fail", "Skip", "Skipf", "SkipNow":
			return true
		}
		return false
	case a.is("os", "Exit"), a.is("runtime", "Goexit"):
		return true
	}
	return a.is("log", "Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln")
}

// hasGuards reports whether f has anything to check.
func (p *pkg) hasGuards(f *ssa.Function) bool {
	for _, b := range f.Blocks {
		for _, i := range b.Instrs {
			c, ok := i.(ssa.CallInstruction)
			if !ok {
				continue
			}
			a, ok := calleeOf(c.Common())
			if ok && (a.ours() || p.wrapper(c.Common().StaticCallee())) {
				return true
			}
		}
	}
	return false
}
