package rangetree

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// TestChangesDoNotCompare reads the source: code that changes a tree compares no keys,
// neither itself nor in the functions that it calls, so it cannot fail in the middle.
// Cursors and slots say where to change.
func TestChangesDoNotCompare(t *testing.T) {
	calls := map[string]map[string]bool{} // the names that a function calls, by its name
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
			t.Errorf("%s seems to compare no keys, so this test does not work", f)
		}
	}
	// "Insert" and "Remove" share the names insert and remove with methods of nodes, which
	// are checked too. Both nodes and trees have a method named child.
	for _, f := range []string{"Insert", "MakeRoom", "Remove", "Replace", "Split", "Move", "Overlay", "Clear", "Add", "Publish", "Append"} {
		if calls[f] == nil {
			t.Errorf("no function %s any more", f)
		}
		if tainted[f] {
			t.Errorf("%s changes the tree, and may compare", f)
		}
	}
}
