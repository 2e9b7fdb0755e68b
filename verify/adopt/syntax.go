package main

import (
	"go/ast"
	"go/token"
	"reflect"
	"slices"
)

// dropComments removes the comments within n: they are about code that is removed, and would
// be printed in the wrong place.
func dropComments(f *ast.File, n ast.Node) {
	f.Comments = slices.DeleteFunc(f.Comments, func(c *ast.CommentGroup) bool {
		return n.Pos() <= c.Pos() && c.End() <= n.End()
	})
}

// place gives every part of n the position pos, so that the printer puts n in the place of the
// code that it replaces, and other comments stay where they are.
func place(n reflect.Value, pos token.Pos) {
	switch n.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !n.IsNil() {
			place(n.Elem(), pos)
		}
	case reflect.Slice:
		for i := range n.Len() {
			place(n.Index(i), pos)
		}
	case reflect.Struct:
		for i := range n.NumField() {
			if f, ok := n.Field(i).Interface().(token.Pos); ok && f.IsValid() {
				n.Field(i).Set(reflect.ValueOf(pos))
				continue
			}
			place(n.Field(i), pos)
		}
	}
}

// same reports whether two pieces of syntax are equal, apart from their positions. An empty
// block in pattern equals any block.
func same(pattern, n ast.Node) bool {
	return sameValue(reflect.ValueOf(pattern), reflect.ValueOf(n))
}

func sameValue(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() {
		return false
	}
	if !a.IsValid() {
		return true
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Interface().(type) {
	case token.Pos, *ast.CommentGroup:
		return true
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		if block, ok := a.Interface().(*ast.BlockStmt); ok && len(block.List) == 0 {
			return true
		}
		return sameValue(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !sameValue(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range a.NumField() {
			if !sameValue(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}
