package rangetree

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// TestChangesDoNotCompare reads the source: what changes a tree compares no keys, directly or
// by what it calls, so that it cannot fail in the middle. Cursors and slots say where.
func TestChangesDoNotCompare(t *testing.T) {
	calls := map[string]map[string]bool{} // what a function calls, by its name
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			name := f.Name.Name
			if calls[name] == nil {
				calls[name] = map[string]bool{}
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if c, ok := n.(*ast.CallExpr); ok {
					switch x := c.Fun.(type) {
					case *ast.SelectorExpr:
						calls[name][x.Sel.Name] = true
					case *ast.Ident:
						calls[name][x.Name] = true
					}
				}
				return true
			})
		}
	}
	tainted := map[string]bool{"compare": true, "find": true, "atMost": true}
	for again := true; again; {
		again = false
		for f, called := range calls {
			for c := range called {
				if tainted[c] && !tainted[f] {
					tainted[f], again = true, true
				}
			}
		}
	}
	for _, f := range []string{"Place", "Collect", "Supplant", "Seek", "PlanOverlay"} {
		if !tainted[f] {
			t.Errorf("%s compares nothing? Then this test sees nothing", f)
		}
	}
	// "Insert" and "Remove" share the names insert and remove with methods of nodes, which
	// are looked at, too. A method named child is of nodes and of trees.
	for _, f := range []string{"Insert", "MakeRoom", "Remove", "Replace", "Split", "Move", "Overlay", "Clear", "Add", "Publish", "Append"} {
		if calls[f] == nil {
			t.Errorf("no function %s any more", f)
		}
		if tainted[f] {
			t.Errorf("%s changes the tree, and may compare", f)
		}
	}
}
