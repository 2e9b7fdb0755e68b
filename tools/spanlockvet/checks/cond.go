package checks

import (
	"fmt"
	"go/constant"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// eval returns the value of a bool on this path, or whether an error is not nil, and
// whether that is known.
func (fn *function) eval(s *state, v ssa.Value) (is, ok bool) {
	if is, ok = s.true[v]; ok {
		return is, true
	}
	switch v := v.(type) {
	case *ssa.Const:
		switch {
		case v.IsNil():
			return false, true
		case v.Value != nil && v.Value.Kind() == constant.Bool:
			return constant.BoolVal(v.Value), true
		}
	case *ssa.UnOp:
		if v.Op == token.NOT {
			is, ok = fn.eval(s, v.X)
			return !is, ok
		}
	case *ssa.BinOp:
		if v.Op == token.EQL || v.Op == token.NEQ {
			if same, ok := fn.same(s, v.X, v.Y); ok {
				return same == (v.Op == token.EQL), true
			}
		}
		if v.Op == token.LSS {
			if x, ok := s.intOf(v.X); ok {
				if y, ok := s.intOf(v.Y); ok {
					return x < y, true
				}
			}
		}
	case *ssa.MakeInterface:
		return true, isError(v.Type())
	case *ssa.Call:
		// A nil error is none of those that errors.Is and errors.As look for.
		if a, known := calleeOf(v.Common()); known && a.is("errors", "Is", "As") {
			if non, known := fn.eval(s, v.Call.Args[0]); known && !non {
				return false, true
			}
		}
	}
	if text, _ := fn.text(v); fn.repeated[text] {
		is, ok = s.conds[text]
		return is, ok
	}
	return false, false
}

// intOf returns the value of an integer, if it is a constant or the counter of a loop in its
// first round. So a loop of three rounds is not left before the first.
func (s *state) intOf(v ssa.Value) (int64, bool) {
	switch v := v.(type) {
	case *ssa.Const:
		if v.Value != nil && v.Value.Kind() == constant.Int {
			return constant.Int64Val(v.Value)
		}
	case *ssa.Phi:
		n, ok := s.ints[v]
		return n, ok
	case *ssa.BinOp:
		x, ok := s.intOf(v.X)
		y, too := s.intOf(v.Y)
		return x + y, ok && too && v.Op == token.ADD
	}
	return 0, false
}

// same reports whether two bools or two errors are equal, and whether that is known. Two
// errors are assumed to be different if one is nil and the other is not nil or is a
// package's variable.
func (fn *function) same(s *state, x, y ssa.Value) (same, ok bool) {
	a, known := fn.eval(s, x)
	b, known2 := fn.eval(s, y)
	if isError(x.Type()) {
		known = known || isSentinel(x)
		known2 = known2 || isSentinel(y)
		a = a || isSentinel(x)
		b = b || isSentinel(y)
		if a && b {
			return false, false
		}
		return a == b, known && known2
	}
	if t, isBool := x.Type().Underlying().(*types.Basic); !isBool || t.Info()&types.IsBoolean == 0 {
		return false, false
	}
	return a == b, known && known2
}

func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }

// isSentinel reports whether v is loaded from a package's variable, as ErrBusy is.
func isSentinel(v ssa.Value) bool {
	u, ok := v.(*ssa.UnOp)
	if !ok || u.Op != token.MUL {
		return false
	}
	_, ok = u.X.(*ssa.Global)
	return ok
}

// text returns a text that is the same for conditions that test the same thing, or "",
// and the registers and variables that the condition depends on.
func (fn *function) text(v ssa.Value) (string, []ssa.Value) {
	switch v := v.(type) {
	case *ssa.Const:
		return v.String(), nil
	case *ssa.UnOp:
		if v.Op == token.MUL {
			if p, ok := fn.placeAt(v.X, v); ok {
				return fmt.Sprintf("(%d%s)", fn.number(p.root), p.way), []ssa.Value{p.root}
			}
			return "", nil
		}
		if v.Op == token.NOT {
			return "", nil // the If of the negated condition is used instead
		}
	case *ssa.BinOp:
		x, on := fn.text(v.X)
		y, too := fn.text(v.Y)
		if x == "" || y == "" {
			return "", nil
		}
		return "(" + x + v.Op.String() + y + ")", append(on, too...)
	case *ssa.Call:
		if a, ok := calleeOf(v.Common()); ok && a.pkg == nil && a.name == "len" {
			x, on := fn.text(v.Call.Args[0])
			if x == "" {
				return "", nil
			}
			return "len" + x, on
		}
	}
	return fmt.Sprintf("(%d)", fn.number(v)), []ssa.Value{v}
}

// assume records which way the path has taken at the condition v.
func (fn *function) assume(s *state, v ssa.Value, is bool) {
	if u, ok := v.(*ssa.UnOp); ok && u.Op == token.NOT {
		fn.assume(s, u.X, !is)
		return
	}
	if isFlag(v.Type()) {
		fn.settle(s, v, is)
	}
	if b, ok := v.(*ssa.BinOp); ok && (b.Op == token.EQL || b.Op == token.NEQ) && isFlag(b.X.Type()) {
		fn.assumeSame(s, b, is == (b.Op == token.EQL))
	}
	if text, _ := fn.text(v); fn.repeated[text] {
		s.conds[text] = is
	}
}

// assumeSame records whether the two sides of b are equal, if one side is known and
// determines the other.
func (fn *function) assumeSame(s *state, b *ssa.BinOp, same bool) {
	x, y := b.X, b.Y
	if _, ok := fn.eval(s, x); ok {
		x, y = y, x
	}
	is, ok := fn.eval(s, y)
	if !ok || isError(y.Type()) && is {
		return // an error that is not nil says nothing about another one
	}
	if !isError(y.Type()) {
		fn.settle(s, x, is == same)
	} else {
		fn.settle(s, x, !same)
	}
}

// settle records the value of a register.
func (fn *function) settle(s *state, v ssa.Value, is bool) {
	switch v.(type) {
	case *ssa.Extract, *ssa.Call, *ssa.Phi, *ssa.Parameter, *ssa.UnOp:
		s.true[v] = is
	}
}

// recompute forgets what was known about v, which is about to be computed again.
func (fn *function) recompute(s *state, v ssa.Value) {
	delete(s.true, v)
	delete(s.ints, v)
	for h, st := range s.holds {
		if st.known && st.from.root == v {
			st.known, st.from = false, place{}
			s.holds[h] = st
		}
	}
	if len(s.conds) == 0 {
		return
	}
	mention := fmt.Sprintf("(%d", fn.number(v))
	for text := range s.conds {
		if mentions(text, mention) {
			delete(s.conds, text)
		}
	}
}

// mentions reports whether text has the number at the end of mention, and not a longer one.
func mentions(text, mention string) bool {
	for i := 0; i+len(mention) <= len(text); i++ {
		if text[i:i+len(mention)] != mention {
			continue
		}
		if end := i + len(mention); end == len(text) || text[end] < '0' || text[end] > '9' {
			return true
		}
	}
	return false
}
