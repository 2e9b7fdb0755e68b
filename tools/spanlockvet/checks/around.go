package checks

import (
	"strings"

	"golang.org/x/tools/go/ssa"
)

// around adds to s the guard that is held while the function runs, if it is a literal
// that is passed to View, or the body of a loop over Guards.
func (w *walk) around(s *state) {
	parent := w.Parent()
	if parent == nil {
		return
	}
	for _, b := range parent.Blocks {
		for _, in := range b.Instrs {
			c, ok := in.(*ssa.Call)
			if !ok || len(c.Call.Args) == 0 {
				continue
			}
			closure, ok := c.Call.Args[len(c.Call.Args)-1].(*ssa.MakeClosure)
			if !ok || closure.Fn != w.Function {
				continue
			}
			of := c
			if loop, ok := c.Call.Value.(*ssa.Call); ok {
				of = loop
			}
			a, ok := calleeOf(of.Common())
			if !ok || !a.of("Map") || a.name != "View" && !strings.HasPrefix(a.name, "Guards") {
				continue
			}
			h := hold{w.Function, 0}
			if len(w.Params) > 0 && isGuardPointer(w.Params[0].Type()) {
				if h, ok = s.in[w.Params[0]]; !ok { // other code may release it
					return
				}
			}
			outer := newFunction(w.pkg, parent)
			m, ok := outer.receiver(of.Common(), a)
			from, inside := inner(m, closure)
			s.holds[h] = standing{around: true, from: from, known: ok && inside}
			return
		}
	}
}

// inner returns the place, in a closure, of the map that has the place m in the function around it.
func inner(m place, c *ssa.MakeClosure) (place, bool) {
	for i, b := range c.Bindings {
		if b == m.root {
			return place{c.Fn.(*ssa.Function).FreeVars[i], m.way}, true
		}
	}
	_, global := m.root.(*ssa.Global)
	return m, global || m.root == nil
}
