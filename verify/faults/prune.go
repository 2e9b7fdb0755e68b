package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// prune removes from the test files in the package directory dir what the tests named
// by run do not need. Compiling the tests of a generic package takes most of the time
// of a fault, and a fault needs one test.
//
// A declaration at the top level is needed if it is one of the tests, if a needed
// declaration mentions it, or if it is a method of a needed type. A file that belongs to
// the package itself, an export_test.go, stays as it is. Removed declarations leave empty
// lines behind, so that the other lines keep their numbers.
func prune(dir, run string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return err
	}
	test, _, _ := strings.Cut(run, "/") // the rest selects subtests
	match, err := regexp.Compile(test)
	if err != nil {
		return err
	}
	files := make([]*testFile, 0, len(paths))
	for _, path := range paths {
		f, err := parseTestFile(path)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	declared := make(map[string][]*declaration)
	for _, f := range files {
		for _, d := range f.decls {
			for _, name := range d.names {
				declared[name] = append(declared[name], d)
			}
		}
	}
	var need func(d *declaration)
	need = func(d *declaration) {
		if d.needed {
			return
		}
		d.needed = true
		for name := range d.mentions {
			for _, other := range declared[name] {
				need(other)
			}
		}
	}
	for _, f := range files {
		for _, d := range f.decls {
			if f.whole || d.root(match) {
				need(d)
			}
		}
	}
	for _, f := range files {
		if err := f.rewrite(); err != nil {
			return err
		}
	}
	return nil
}

// prune removes from the tree the tests that c does not need.
func (c *command) prune(tree string) error {
	for _, dir := range c.dirs {
		if strings.HasSuffix(dir, "...") {
			continue // many packages: keep all their tests
		}
		if err := prune(filepath.Join(tree, dir), c.tests); err != nil {
			return err
		}
	}
	return nil
}

// A testFile is a file of tests with its declarations at the top level.
type testFile struct {
	path  string
	text  []byte
	tree  *ast.File
	whole bool // it stays as it is
	decls []*declaration
	at    func(token.Pos) int // where in text
}

// A declaration is a function, a method, or everything after one var, const or type.
type declaration struct {
	node     ast.Decl
	names    []string // what it declares; for a method, its type
	function bool
	mentions map[string]bool // the names that it uses, those of packages too
	needed   bool
}

// root reports whether d is needed for its own sake.
func (d *declaration) root(tests *regexp.Regexp) bool {
	if !d.function {
		return false
	}
	name := d.names[0]
	test := strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz") // with its seeds
	return name == "TestMain" || name == "init" || test && tests.MatchString(name)
}

func parseTestFile(path string) (*testFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	f := &testFile{path: path, text: text, tree: tree, whole: !strings.HasSuffix(tree.Name.Name, "_test")}
	f.at = func(p token.Pos) int { return set.PositionFor(p, false).Offset }
	for _, node := range tree.Decls {
		d := &declaration{node: node}
		switch node := node.(type) {
		case *ast.FuncDecl:
			if d.function = node.Recv == nil; d.function {
				d.names = []string{node.Name.Name}
			} else {
				d.names = []string{receiver(node.Recv.List[0].Type)}
			}
		case *ast.GenDecl:
			if node.Tok == token.IMPORT {
				continue
			}
			for _, s := range node.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					d.names = append(d.names, s.Name.Name)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						d.names = append(d.names, name.Name)
					}
				}
			}
		}
		d.mentions = mentions(tree, node)
		f.decls = append(f.decls, d)
	}
	return f, nil
}

// mentions returns the names in node that are declared at the top level of this or another
// file, or that are names of packages.
func mentions(file *ast.File, node ast.Node) map[string]bool {
	names := make(map[string]bool)
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr: // the selected name is declared elsewhere
			ast.Inspect(n.X, visit)
			return false
		case *ast.Ident:
			if n.Obj == nil || n.Obj == file.Scope.Lookup(n.Name) {
				names[n.Name] = true
			}
		}
		return true
	}
	ast.Inspect(node, visit)
	delete(names, "_")
	return names
}

// receiver returns the name of a receiver's type.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// rewrite leaves in the file only what is needed, or removes the file. An import that is
// no longer needed becomes a blank one, which the compiler accepts.
func (f *testFile) rewrite() error {
	used := make(map[string]bool)
	some, all := false, true
	for _, d := range f.decls {
		some, all = some || d.needed, all && d.needed
		if d.needed {
			maps.Copy(used, d.mentions)
		}
	}
	switch {
	case f.whole || some && all:
		return nil
	case !some:
		return os.Remove(f.path)
	}
	var text []byte
	end := 0 // of the part that has been copied already
	replace := func(from, to token.Pos, by string) {
		text = append(append(text, f.text[end:f.at(from)]...), by...)
		end = f.at(to)
	}
	for _, spec := range f.tree.Imports {
		if !used[importName(spec)] {
			replace(spec.Pos(), spec.End(), "_ "+spec.Path.Value)
		}
	}
	for _, d := range f.decls {
		if !d.needed {
			from, to := d.extent()
			replace(from, to, strings.Repeat("\n", strings.Count(string(f.text[f.at(from):f.at(to)]), "\n")))
		}
	}
	return os.WriteFile(f.path, append(text, f.text[end:]...), 0o666)
}

// extent returns where d begins, with its comment, and where it ends.
func (d *declaration) extent() (from, to token.Pos) {
	var doc *ast.CommentGroup
	switch node := d.node.(type) {
	case *ast.FuncDecl:
		doc = node.Doc
	case *ast.GenDecl:
		doc = node.Doc
	}
	if doc != nil {
		return doc.Pos(), d.node.End()
	}
	return d.node.Pos(), d.node.End()
}

var version = regexp.MustCompile(`^v[0-9]+$`)

// importName returns the name that an import has in its file. If the import gives no name,
// that is assumed to be the last part of its path.
func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	name, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return ""
	}
	if version.MatchString(path.Base(name)) {
		name = path.Dir(name)
	}
	return path.Base(name)
}
