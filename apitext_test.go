package spanlock_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A target is a build of the module.
type target struct{ os, arch, tag string }

func (t target) String() string { return strings.TrimSuffix(t.os+"/"+t.arch+" "+t.tag, " ") }

// declared returns the exported declarations of the packages in the tree for one target, one
// in a line, sorted, in the form of the files api/*.txt of Go:
//
//	pkg rangelock, method (*Map[K, V]) Acquire(K) (Guard[K, V], bool)
//	pkg rangelock, type Options[K, V any] struct, MaxPending int64
//
// It reads the syntax and checks no types. A declaration that the syntax alone does not describe
// is an error: an exported variable whose type has to be inferred, or an embedded type that is not
// exported and may promote something. Unexported fields, the methods that an exported embedded
// type promotes, tags and doc comments are left out. Of a constant the expression is given.
func declared(tree fs.FS, packages []string, t target) ([]string, error) {
	context := build.Context{
		GOOS: t.os, GOARCH: t.arch, Compiler: "gc", ReleaseTags: build.Default.ReleaseTags,
		JoinPath: path.Join,
		OpenFile: func(name string) (io.ReadCloser, error) { return tree.Open(name) },
	}
	if t.tag != "" {
		context.BuildTags = []string{t.tag}
	}
	w := &apiWriter{}
	for _, pkg := range packages {
		names, err := fs.Glob(tree, pkg+"/*.go")
		if err != nil {
			return nil, err
		}
		w.pkg, w.types = pkg, map[string]ast.Expr{}
		var files []*ast.File
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			if ok, err := context.MatchFile(path.Dir(name), path.Base(name)); !ok || err != nil {
				if err != nil {
					return nil, err
				}
				continue
			}
			text, err := fs.ReadFile(tree, name)
			if err != nil {
				return nil, err
			}
			w.set = token.NewFileSet()
			file, err := parser.ParseFile(w.set, name, text, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			files = append(files, file)
			for _, d := range file.Decls {
				if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.TYPE {
					for _, s := range d.Specs {
						w.types[s.(*ast.TypeSpec).Name.Name] = s.(*ast.TypeSpec).Type
					}
				}
			}
		}
		for _, file := range files {
			w.file(file)
		}
	}
	slices.Sort(w.lines)
	return w.lines, w.err
}

// An apiWriter gathers the lines of declared.
type apiWriter struct {
	pkg   string
	types map[string]ast.Expr // the package's own, by their names
	set   *token.FileSet
	lines []string
	err   error // the first
}

func (w *apiWriter) line(format string, args ...any) {
	w.lines = append(w.lines, "pkg "+w.pkg+", "+fmt.Sprintf(format, args...))
}

func (w *apiWriter) fail(at ast.Node, format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("%s: %s", w.set.Position(at.Pos()), fmt.Sprintf(format, args...))
	}
}

func (w *apiWriter) file(file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			w.function(d)
		case *ast.GenDecl:
			var last *ast.ValueSpec // the last constant with an expression of its own
			for i, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					w.typ(s)
				case *ast.ValueSpec:
					if d.Tok == token.VAR {
						w.variables(s)
						continue
					}
					if len(s.Values) > 0 {
						last = s
					}
					w.constants(s, last, i)
				}
			}
		}
	}
}

func (w *apiWriter) function(d *ast.FuncDecl) {
	if !d.Name.IsExported() {
		return
	}
	signature := d.Name.Name + parameters(d.Type.TypeParams) + strings.TrimPrefix(typeText(d.Type), "func")
	if d.Recv == nil {
		w.line("func %s", signature)
		return
	}
	receiver := typeText(d.Recv.List[0].Type)
	if ast.IsExported(strings.TrimPrefix(receiver, "*")) {
		w.line("method (%s) %s", receiver, signature)
	}
}

func (w *apiWriter) typ(s *ast.TypeSpec) {
	if !s.Name.IsExported() {
		return
	}
	name := s.Name.Name + parameters(s.TypeParams)
	if s.Assign.IsValid() {
		name += " ="
	}
	structure, ok := s.Type.(*ast.StructType)
	if !ok {
		w.line("type %s %s", name, typeText(s.Type))
		return
	}
	w.line("type %s struct", name)
	for _, f := range structure.Fields.List {
		for _, n := range f.Names {
			if n.IsExported() {
				w.line("type %s struct, %s %s", name, n.Name, typeText(f.Type))
			}
		}
		if len(f.Names) > 0 || w.promotesNothing(f.Type) {
			continue
		}
		text := typeText(f.Type)
		base := strings.TrimPrefix(text, "*")
		if _, selected, ok := strings.Cut(base, "."); ok {
			base = selected
		}
		if !ast.IsExported(base) {
			w.fail(f, "%s embeds %s: the snapshot cannot say what that promotes", s.Name.Name, text)
		}
		w.line("type %s struct, embedded %s", name, text)
	}
}

// promotesNothing reports whether an embedded type is an interface of the package's own that,
// as its methods, is not exported.
func (w *apiWriter) promotesNothing(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	if !ok || name.IsExported() {
		return false
	}
	i, ok := w.types[name.Name].(*ast.InterfaceType)
	return ok && !slices.ContainsFunc(i.Methods.List, func(f *ast.Field) bool {
		return len(f.Names) == 0 || f.Names[0].IsExported()
	})
}

func (w *apiWriter) variables(s *ast.ValueSpec) {
	for i, n := range s.Names {
		if !n.IsExported() {
			continue
		}
		typ := ""
		switch {
		case s.Type != nil:
			typ = typeText(s.Type)
		case i < len(s.Values):
			typ = inferred(s.Values[i])
		}
		if typ == "" {
			w.fail(n, "%s: write its type, so that the snapshot can say it", n.Name)
		}
		w.line("var %s %s", n.Name, typ)
	}
}

// inferred returns the type of an expression where the syntax says it, or "".
func inferred(e ast.Expr) string {
	switch text := types.ExprString(e); {
	case text == "true" || text == "false":
		return "bool"
	case strings.HasPrefix(text, "errors.New(") || strings.HasPrefix(text, "fmt.Errorf("):
		return "error"
	}
	return ""
}

// constants writes what stands at place i of a list of constants; last is the specification
// whose type and expressions count there.
func (w *apiWriter) constants(s, last *ast.ValueSpec, i int) {
	for j, n := range s.Names {
		if !n.IsExported() {
			continue
		}
		typ := ""
		if last.Type != nil {
			typ = typeText(last.Type) + " "
		}
		value := types.ExprString(last.Values[j])
		if value == "iota" {
			value = strconv.Itoa(i)
		}
		w.line("const %s %s= %s", n.Name, typ, value)
	}
}

// parameters returns type parameters in brackets, or "".
func parameters(list *ast.FieldList) string {
	if list == nil {
		return ""
	}
	var each []string
	for _, f := range list.List {
		for _, n := range f.Names {
			each = append(each, n.Name+" "+typeText(f.Type))
		}
	}
	return "[" + strings.Join(each, ", ") + "]"
}

// typeText returns a type in one line, without the names of parameters.
func typeText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.FuncType:
		text := "func(" + strings.Join(fieldTypes(e.Params), ", ") + ")"
		switch results := fieldTypes(e.Results); len(results) {
		case 0:
			return text
		case 1:
			return text + " " + results[0]
		default:
			return text + " (" + strings.Join(results, ", ") + ")"
		}
	case *ast.Ellipsis:
		return "..." + typeText(e.Elt)
	case *ast.StarExpr:
		return "*" + typeText(e.X)
	case *ast.ArrayType:
		if e.Len == nil {
			return "[]" + typeText(e.Elt)
		}
		return "[" + types.ExprString(e.Len) + "]" + typeText(e.Elt)
	case *ast.MapType:
		return "map[" + typeText(e.Key) + "]" + typeText(e.Value)
	case *ast.IndexExpr:
		return typeText(e.X) + "[" + typeText(e.Index) + "]"
	case *ast.IndexListExpr:
		var each []string
		for _, x := range e.Indices {
			each = append(each, typeText(x))
		}
		return typeText(e.X) + "[" + strings.Join(each, ", ") + "]"
	case *ast.InterfaceType:
		var each []string
		for _, f := range e.Methods.List {
			text := typeText(f.Type)
			if len(f.Names) > 0 {
				text = f.Names[0].Name + strings.TrimPrefix(text, "func")
			}
			each = append(each, text)
		}
		slices.Sort(each)
		return "interface{" + strings.Join(each, "; ") + "}"
	default: // names, and what no exported declaration has had so far
		return types.ExprString(e)
	}
}

// fieldTypes returns the type of each parameter or result.
func fieldTypes(list *ast.FieldList) []string {
	if list == nil {
		return nil
	}
	var each []string
	for _, f := range list.List {
		for range max(1, len(f.Names)) {
			each = append(each, typeText(f.Type))
		}
	}
	return each
}
