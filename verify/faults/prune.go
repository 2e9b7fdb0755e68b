package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// prune removes from the package directory dir the test files that the tests named by
// run do not need. Compiling the tests of a generic package takes most of the time of
// a fault, and a fault needs one test.
//
// A file is needed if it declares one of the tests, if a needed file mentions
// something that it declares at the top level, if it has methods of a type that is
// needed, or if it belongs to the package itself: an export_test.go.
func prune(dir, run string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return err
	}
	test, _, _ := strings.Cut(run, "/") // what follows is for its subtests
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
	declaredIn := make(map[string][]*testFile)
	for _, f := range files {
		for name := range f.declares {
			declaredIn[name] = append(declaredIn[name], f)
		}
	}
	var need func(f *testFile)
	need = func(f *testFile) {
		if f.needed {
			return
		}
		f.needed = true
		for name := range f.mentions {
			for _, other := range declaredIn[name] {
				need(other)
			}
		}
	}
	for _, f := range files {
		named := !strings.HasSuffix(f.pkg, "_test") || f.declares["TestMain"] || f.declares["init"]
		for name := range f.declares {
			named = named || strings.HasPrefix(name, "Test") && match.MatchString(name)
		}
		if named {
			need(f)
		}
	}
	for _, f := range files {
		if !f.needed {
			if err := os.Remove(f.path); err != nil {
				return err
			}
		}
	}
	return nil
}

// prune removes the test files that c does not need from the tree.
func (c *command) prune(tree string) error {
	for _, dir := range c.dirs {
		if strings.HasSuffix(dir, "...") {
			continue // many packages: all of all
		}
		if err := prune(filepath.Join(tree, dir), c.tests); err != nil {
			return err
		}
	}
	return nil
}

// A testFile is a file with what it declares at the top level, the types of its
// methods included, and the names that it takes from other files.
type testFile struct {
	path, pkg string
	declares  map[string]bool
	mentions  map[string]bool
	needed    bool
}

func parseTestFile(path string) (*testFile, error) {
	tree, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return nil, err
	}
	f := &testFile{path: path, pkg: tree.Name.Name, declares: map[string]bool{}, mentions: map[string]bool{}}
	for _, d := range tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				f.declares[d.Name.Name] = true
			} else {
				f.declares[receiver(d.Recv.List[0].Type)] = true
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					f.declares[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, name := range s.Names {
						f.declares[name.Name] = true
					}
				}
			}
		}
	}
	for _, id := range tree.Unresolved { // what this file does not declare itself
		f.mentions[id.Name] = true
	}
	delete(f.declares, "_")
	return f, nil
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
