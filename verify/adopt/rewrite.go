package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/astutil"
)

// A program is the parsed Go source of one package, whose syntax trees the rewrites change.
// After the first rewrite that does not find what it expects, later rewrites do nothing, and
// write returns the error of the first.
type program struct {
	dir   string
	fset  *token.FileSet
	files map[string]*ast.File // by name in dir
	err   error
}

// parse reads the Go files in dir, except tests.
func parse(dir string) (*program, error) {
	p := &program{dir: dir, fset: token.NewFileSet(), files: make(map[string]*ast.File)}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		path := filepath.Join(dir, name)
		f, err := parser.ParseFile(p.fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		p.files[name] = f
	}
	return p, nil
}

func (p *program) failf(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// write stores the named files, formatted.
func (p *program) write(names ...string) error {
	for _, name := range names {
		if p.err != nil {
			return p.err
		}
		var text bytes.Buffer
		if err := format.Node(&text, p.fset, p.files[name]); err != nil {
			return fmt.Errorf("%s cannot be printed after the rewriting: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(p.dir, name), text.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return p.err
}

// A function is a function of the program that is to be rewritten.
type function struct {
	p    *program
	name string // with the name of its file
	file *ast.File
	decl *ast.FuncDecl
}

// function finds a function, "name" or "Type.name", in a file.
func (p *program) function(file, name string) *function {
	fn := &function{p: p, name: file + ": " + name}
	f := p.files[file]
	if f == nil {
		p.failf("there is no file %s", file)
		return fn
	}
	for _, d := range f.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && declName(d) == name {
			fn.file, fn.decl = f, d
			return fn
		}
	}
	p.failf("%s: there is no such function", fn.name)
	return fn
}

// declName returns the name of a function, with the type of its receiver.
func declName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if id, ok := typ.(*ast.Ident); ok {
		return id.Name + "." + d.Name.Name
	}
	return d.Name.Name
}

// replace replaces each statement that equals want by the statements with. There must be n of
// them. In want an empty block stands for any block.
func (fn *function) replace(n int, want, with string) *function {
	return fn.statements(n, want, with, instead)
}

// before inserts the statements with before the one that equals want.
func (fn *function) before(want, with string) *function {
	return fn.statements(1, want, with, ahead)
}

// after inserts the statements with after the one that equals want.
func (fn *function) after(want, with string) *function {
	return fn.statements(1, want, with, behind)
}

// where says where statements go.
type where int

const (
	instead where = iota
	ahead
	behind
)

func (fn *function) statements(n int, want, with string, at where) *function {
	pattern := fn.parseStatements(want, token.NoPos)
	fn.parseStatements(with, token.NoPos) // reports errors even if nothing is replaced
	if fn.p.err != nil {
		return fn
	}
	found := 0
	astutil.Apply(fn.decl.Body, func(c *astutil.Cursor) bool {
		s, ok := c.Node().(ast.Stmt)
		if !ok || c.Index() < 0 || !same(pattern[0], s) {
			return true
		}
		found++
		switch at {
		case behind:
			for _, s := range slices.Backward(fn.parseStatements(with, s.End())) {
				c.InsertAfter(s)
			}
			return false
		case instead:
			dropComments(fn.file, s)
		}
		for _, s := range fn.parseStatements(with, s.Pos()) {
			c.InsertBefore(s)
		}
		if at == instead {
			c.Delete()
		}
		return false
	}, nil)
	return fn.expect(n, found, want)
}

// expression replaces each expression that equals want by with. There must be n of them.
func (fn *function) expression(n int, want, with string) *function {
	pattern := fn.parseExpression(want, token.NoPos)
	fn.parseExpression(with, token.NoPos) // reports errors even if nothing is replaced
	if fn.p.err != nil {
		return fn
	}
	found := 0
	astutil.Apply(fn.decl.Body, func(c *astutil.Cursor) bool {
		if e, ok := c.Node().(ast.Expr); ok && same(pattern, e) {
			found++
			c.Replace(fn.parseExpression(with, e.Pos()))
			return false
		}
		return true
	}, nil)
	return fn.expect(n, found, want)
}

// dropFunction removes a function that is no longer used.
func (p *program) dropFunction(file, name string) {
	fn := p.function(file, name)
	if p.err != nil {
		return
	}
	dropComments(fn.file, fn.decl)
	if fn.decl.Doc != nil {
		dropComments(fn.file, fn.decl.Doc)
	}
	fn.file.Decls = slices.DeleteFunc(fn.file.Decls, func(d ast.Decl) bool { return d == fn.decl })
}

// argument makes typ the type of the function's receiver, or of its only parameter if it has
// no receiver. The type must be want before.
func (fn *function) argument(want, typ string) *function {
	pattern := fn.parseExpression(want, token.NoPos)
	fn.parseExpression(typ, token.NoPos) // reports errors even if nothing is replaced
	if fn.p.err != nil {
		return fn
	}
	list := fn.decl.Recv
	if list == nil {
		list = fn.decl.Type.Params
	}
	if len(list.List) != 1 || !same(pattern, list.List[0].Type) {
		fn.p.failf("%s: its receiver or only parameter is not of the type %s", fn.name, want)
		return fn
	}
	list.List[0].Type = fn.parseExpression(typ, list.List[0].Type.Pos())
	return fn
}

func (fn *function) expect(n, found int, what string) *function {
	if found != n {
		fn.p.failf("%s: expected %q %d times, found it %d times", fn.name, what, n, found)
	}
	return fn
}

// parseStatements returns the statements in text, all at pos.
func (fn *function) parseStatements(text string, pos token.Pos) []ast.Stmt {
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc _() {\n"+text+"\n}\n", parser.SkipObjectResolution)
	if err != nil {
		fn.p.failf("%s: %q is not a statement: %w", fn.name, text, err)
		return nil
	}
	list := f.Decls[0].(*ast.FuncDecl).Body.List
	place(reflect.ValueOf(list), pos)
	return list
}

// parseExpression returns the expression in text, at pos.
func (fn *function) parseExpression(text string, pos token.Pos) ast.Expr {
	e, err := parser.ParseExpr(text)
	if err != nil {
		fn.p.failf("%s: %q is not an expression: %w", fn.name, text, err)
		return nil
	}
	place(reflect.ValueOf(e), pos)
	return e
}

// fields removes fields of a struct type, and adds others, written as in a declaration.
func (p *program) fields(file, typ string, drop []string, add string) {
	f := p.files[file]
	if f == nil {
		p.failf("there is no file %s", file)
		return
	}
	wanted, err := parser.ParseFile(token.NewFileSet(), "", "package p\ntype t struct {\n"+add+"\n}\n", parser.SkipObjectResolution)
	if err != nil {
		p.failf("%s: %q are not fields: %w", file, add, err)
		return
	}
	var st *ast.StructType
	ast.Inspect(f, func(n ast.Node) bool {
		if n, ok := n.(*ast.TypeSpec); ok && n.Name.Name == typ {
			st, _ = n.Type.(*ast.StructType)
		}
		return true
	})
	if st == nil {
		p.failf("%s: there is no struct type %s", file, typ)
		return
	}
	for _, name := range drop {
		found := false
		st.Fields.List = slices.DeleteFunc(st.Fields.List, func(field *ast.Field) bool {
			if len(field.Names) != 1 || field.Names[0].Name != name {
				return false
			}
			found = true
			for _, c := range []*ast.CommentGroup{field.Doc, field.Comment} {
				if c != nil {
					dropComments(f, c)
				}
			}
			return true
		})
		if !found {
			p.failf("%s: %s has no field %s on a line of its own", file, typ, name)
		}
	}
	added := wanted.Decls[0].(*ast.GenDecl).Specs[0].(*ast.TypeSpec).Type.(*ast.StructType).Fields.List
	place(reflect.ValueOf(added), st.Fields.Closing)
	st.Fields.List = append(st.Fields.List, added...)
}

// imports adds an import.
func (p *program) imports(file, path string) {
	if !astutil.AddImport(p.fset, p.files[file], path) {
		p.failf("%s: it imports %s already", file, path)
	}
}

// uses fails unless exactly the named functions have a node for which is reports true. A node
// outside of functions counts under the name of its file. what describes the node. So a use
// that was added to the program after the rewriting was written is not overlooked.
func (p *program) uses(what string, files []string, is func(ast.Node) bool, want ...string) {
	var got []string
	for _, name := range files {
		if p.files[name] == nil {
			p.failf("there is no file %s", name)
			return
		}
		for _, d := range p.files[name].Decls {
			in := name
			if d, ok := d.(*ast.FuncDecl); ok {
				in = declName(d)
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if n != nil && is(n) && !slices.Contains(got, in) {
					got = append(got, in)
				}
				return true
			})
		}
	}
	without := func(a, b []string) []string {
		return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
	}
	if more := without(got, want); len(more) > 0 {
		p.failf("%s is used also in %v: that has to be looked at", what, more)
	}
	if less := without(want, got); len(less) > 0 {
		p.failf("%s is not used any more in %v: that has to be looked at", what, less)
	}
}
