package main

import (
	"go/ast"
	"slices"
)

// named is for identifiers with the name.
func named(name string) func(ast.Node) bool {
	return func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		return ok && id.Name == name
	}
}

// selected is for fields and methods with the name, of any type.
func selected(name string) func(ast.Node) bool {
	return func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		return ok && s.Sel.Name == name
	}
}

// selects is for fields with one of the names, of the database itself.
func selects(names ...string) func(ast.Node) bool {
	return func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		return ok && slices.Contains(names, s.Sel.Name) && isDB(s.X)
	}
}

// calls is for calls of a method with the name.
func calls(name string) func(ast.Node) bool {
	return func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return false
		}
		s, ok := c.Fun.(*ast.SelectorExpr)
		return ok && s.Sel.Name == name
	}
}

// isDB reports whether e is db, tx.db, or the like.
func isDB(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "db"
	case *ast.SelectorExpr:
		return e.Sel.Name == "db"
	}
	return false
}
