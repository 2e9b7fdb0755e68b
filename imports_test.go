package spanlock_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const modulePath = "github.com/spanlock/spanlock"

// mayImport lists for each directory of the module the directories that its code may import;
// "x/..." is x and everything below it. A directory that matches no entry must not exist: add an
// entry for each new package.
//
// The test files of a package may import anything.
var mayImport = map[string][]string{
	".":                 nil,
	"internal/...":      {"internal/..."},
	"internal/schedule": nil,
	"epoch":             {"internal/..."},
	"rwsem":             {"internal/..."},
	"rangelock":         {"epoch", "rwsem", "internal/..."},
	"rangealloc":        {"rangelock", "internal/..."},
	"mapfile":           {"rangelock", "internal/..."},
	"inspect":           {"rangelock", "internal/..."},
	"rangelocktest":     {"rangelock", "internal/..."},
	"guardprofile":      {"internal/..."},
	"examples/...":      {"...", "internal/..."},
}

// dependencies are the modules that the main module requires.
var dependencies = []string{
	"github.com/google/btree",
	"go.uber.org/atomic",
	"golang.org/x/sync",
}

// behindSeam lists the packages that use shared memory, locks, goroutines and timers only through
// internal/seam, so that a build tag can put a scheduler there.
var behindSeam = []string{"epoch", "rwsem", "rangelock", "rangealloc", "inspect"}

// A selection says which names of a package may be used: those in only or, if only is empty, all
// except those in never.
type selection struct{ only, never []string }

func (s selection) allows(name string) bool {
	if len(s.only) > 0 {
		return slices.Contains(s.only, name)
	}
	return !slices.Contains(s.never, name)
}

// besideSeam says which names of the standard library may be used in packages that internal/seam
// replaces in part. sync.Locker is an interface, and its implementation decides what it does.
var besideSeam = map[string]selection{
	"sync":    {only: []string{"Locker"}},
	"runtime": {never: []string{"Gosched"}},
	"time":    {never: []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Sleep", "Tick"}},
}

// TestImports checks the directions of imports between the packages, the dependencies, and the
// seam.
func TestImports(t *testing.T) {
	broken, visited, err := checkImports(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range broken {
		t.Error(b)
	}
	for _, dir := range slices.Concat([]string{".", "internal/seam", "examples/mmapstore"}, behindSeam) {
		if !slices.Contains(visited, dir) {
			t.Errorf("no Go file in %s has been looked at", dir)
		}
	}
}

// checkImports returns the violations in the tree of the module, as "file:line: what", and the
// directories with a file that it has checked. It skips nested modules, testdata and test files.
// It ignores build constraints: the rules hold for every build.
func checkImports(tree fs.FS) (broken, visited []string, err error) {
	err = fs.WalkDir(tree, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if e.IsDir() {
			if name == "." {
				return nil
			}
			if _, err := fs.Stat(tree, path.Join(name, "go.mod")); err == nil || base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if !slices.Contains(visited, dir) {
			visited = append(visited, dir)
		}
		c := &importChecker{dir: dir, fset: fset}
		c.imports(file)
		if slices.Contains(behindSeam, dir) {
			c.seam(file)
		}
		broken = append(broken, c.broken...)
		return nil
	})
	return broken, visited, err
}

// An importChecker checks one file.
type importChecker struct {
	dir    string // of the package, below the module
	fset   *token.FileSet
	broken []string
}

func (c *importChecker) errorf(at ast.Node, format string, args ...any) {
	c.broken = append(c.broken, fmt.Sprintf("%s: %s", c.fset.Position(at.Pos()), fmt.Sprintf(format, args...)))
}

// imports checks the imports of the file.
func (c *importChecker) imports(file *ast.File) {
	allowed, ok := allowedIn(c.dir)
	if !ok {
		c.errorf(file.Name, "%s is a new package: say in mayImport what it may import", c.dir)
	}
	for _, spec := range file.Imports {
		imported := importPath(spec)
		first, _, _ := strings.Cut(imported, "/")
		switch below, own := strings.CutPrefix(imported+"/", modulePath+"/"); {
		case own:
			below = path.Clean(below)
			if below != "." && c.dir != below && !slices.ContainsFunc(allowed, func(a string) bool { return covers(a, below) }) {
				c.errorf(spec, "%s must not import %s", c.dir, below)
			}
			if below == "." {
				c.errorf(spec, "%s must not import the root package", c.dir)
			}
		case imported == "C":
			c.errorf(spec, "cgo")
		case strings.Contains(first, "."):
			if !slices.ContainsFunc(dependencies, func(d string) bool { return covers(d+"/...", imported) }) {
				c.errorf(spec, "%s belongs to no module that may be required", imported)
			}
		}
	}
}

// seam checks that the file uses shared memory, locks, goroutines and timers only through
// internal/seam.
func (c *importChecker) seam(file *ast.File) {
	local := make(map[string]string) // the file's name of a package → its path
	for _, spec := range file.Imports {
		imported := importPath(spec)
		if imported == "sync/atomic" || covers("go.uber.org/atomic/...", imported) || covers("golang.org/x/sync/...", imported) {
			c.errorf(spec, "%s is for internal/seam", imported)
		}
		if _, ok := besideSeam[imported]; !ok {
			continue
		}
		name := imported
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "." {
			c.errorf(spec, "%s must not be imported with a dot", imported)
		}
		local[name] = imported
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			c.errorf(n, "a go statement: use seam.Go")
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "make" && len(n.Args) > 0 {
				if _, ok := n.Args[0].(*ast.ChanType); ok {
					c.errorf(n, "a channel: park on a seam.Parker")
				}
			}
		case *ast.SelectorExpr:
			// A variable may have the package's name; then this is a false alarm, whose text says
			// so.
			x, ok := n.X.(*ast.Ident)
			if !ok {
				break
			}
			if pkg := local[x.Name]; pkg != "" && !besideSeam[pkg].allows(n.Sel.Name) {
				c.errorf(n, "%s.%s is for internal/seam", pkg, n.Sel.Name)
			}
		}
		return true
	})
}

// allowedIn returns the entry of mayImport for a directory.
func allowedIn(dir string) (allowed []string, ok bool) {
	if allowed, ok = mayImport[dir]; ok {
		return allowed, true
	}
	for pattern, allowed := range mayImport {
		if strings.HasSuffix(pattern, "/...") && covers(pattern, dir) {
			return allowed, true
		}
	}
	return nil, false
}

// covers reports whether the pattern covers a path. A pattern is "x", "x/..." or "...", which is
// everything that is not internal.
func covers(pattern, name string) bool {
	if pattern == "..." {
		return !covers("internal/...", name)
	}
	if root, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == root || strings.HasPrefix(name, root+"/")
	}
	return name == pattern
}

func importPath(spec *ast.ImportSpec) string {
	p, _ := strconv.Unquote(spec.Path.Value) // the parser has accepted it
	return p
}

// TestImportsChecker checks that the checker reports each violation once, at its line, and
// nothing else.
func TestImportsChecker(t *testing.T) {
	own := func(pkg string) string { return strconv.Quote(path.Join(modulePath, pkg)) }
	for _, tt := range []struct {
		file, text string
		want       string // a part of the only complaint; "" for none
	}{
		{"doc.go", "package spanlock", ""},
		{"doc.go", "package spanlock\nimport _ " + own("epoch"), ". must not import epoch"},
		{"a_test.go", "package spanlock_test\nimport _ " + own("epoch"), ""},
		{"epoch/a.go", "package epoch\nimport _ " + own("internal/seam"), ""},
		{"epoch/a.go", "package epoch\nimport _ " + own("rwsem"), "epoch must not import rwsem"},
		{"rwsem/a.go", "package rwsem\nimport _ " + own("epoch"), "rwsem must not import epoch"},
		{"rwsem/a.go", "package rwsem\nimport _ " + own(""), "must not import the root"},
		{"rangelock/a.go", "package rangelock\nimport (_ " + own("epoch") + "; _ " + own("rwsem") + ")", ""},
		{"rangelock/a.go", "package rangelock\nimport _ " + own("rangealloc"), "rangelock must not import rangealloc"},
		{"rangealloc/a.go", "package rangealloc\nimport _ " + own("epoch"), "rangealloc must not import epoch"},
		{"mapfile/a.go", "package mapfile\nimport _ " + own("rangelock"), ""},
		{"mapfile/a.go", "package mapfile\nimport _ " + own("epoch"), "mapfile must not import epoch"},
		{"rangelock/a.go", "package rangelock\nimport _ " + own("mapfile"), "rangelock must not import mapfile"},
		{"inspect/a.go", "package inspect\nimport _ " + own("rangelock"), ""},
		{"inspect/a.go", "package inspect\nimport _ " + own("rwsem"), "inspect must not import rwsem"},
		{"rangelock/a.go", "package rangelock\nimport _ " + own("inspect"), "rangelock must not import inspect"},
		{"rangelocktest/a.go", "package rangelocktest\nimport (_ \"testing\"; _ " + own("rangelock") + ")", ""},
		{"rangelocktest/a.go", "package rangelocktest\nimport _ " + own("rangealloc"), "rangelocktest must not import rangealloc"},
		{"rangelock/a.go", "package rangelock\nimport _ " + own("rangelocktest"), "rangelock must not import rangelocktest"},
		{"guardprofile/a.go", "package guardprofile\nimport (_ \"runtime/pprof\"; _ " + own("internal/samples") + ")", ""},
		{"guardprofile/a.go", "package guardprofile\nimport _ " + own("rangelock"), "guardprofile must not import rangelock"},
		{"internal/x/a.go", "package x\nimport _ " + own("rwsem"), "internal/x must not import rwsem"},
		{"examples/x/a.go", "package main\nimport (_ " + own("rangelock") + "; _ " + own("epoch") + ")", ""},
		{"newcomer/a.go", "package newcomer", "newcomer is a new package"},
		{"rangelocks/a.go", "package rangelocks", "rangelocks is a new package"},
		{"verify/go.mod", "module verify", ""},
		{"rangelock/testdata/a.go", "package a\nimport _ \"example.com/x\"", ""},

		{"examples/x/a.go", "package main\nimport _ \"golang.org/x/sync/semaphore\"", ""},
		{"epoch/a.go", "package epoch\nimport _ \"golang.org/x/sync/semaphore\"", "golang.org/x/sync/semaphore is for internal/seam"},
		{"epoch/a.go", "package epoch\nimport _ \"golang.org/x/syncs\"", "no module that may be required"},
		{"examples/x/a.go", "package main\nimport _ \"example.com/x\"", "no module that may be required"},
		{"epoch/a.go", "package epoch\nimport \"C\"", "cgo"},
		{"epoch/a.go", "//go:build never\n\npackage epoch\nimport _ \"example.com/x\"", "no module that may be required"},

		{"epoch/a.go", "package epoch\nimport _ \"sync/atomic\"", "epoch/a.go:2:8: sync/atomic is for internal/seam"},
		{"rwsem/a.go", "package rwsem\nimport _ \"go.uber.org/atomic\"", "go.uber.org/atomic is for internal/seam"},
		{"internal/seam/a.go", "package seam\nimport (_ \"sync/atomic\"; _ \"go.uber.org/atomic\")", ""},
		{"rwsem/a.go", "package rwsem\nimport \"sync\"\nvar l sync.Locker", ""},
		{"rwsem/a.go", "package rwsem\nimport \"sync\"\nvar l sync.Mutex", "sync.Mutex is for internal/seam"},
		{"rwsem/a.go", "package rwsem\nimport s \"sync\"\nvar l s.Pool", "sync.Pool is for internal/seam"},
		{"rwsem/a.go", "package rwsem\nimport . \"sync\"\nvar l Mutex", "with a dot"},
		{"rangelock/a.go", "package rangelock\nfunc f() { go f() }", "a go statement"},
		{"rangelock/a.go", "package rangelock\nfunc f() { _ = make(chan int, 1); _ = make([]int, 1) }", "a channel"},
		{"rangelock/a.go", "package rangelock\nimport \"runtime\"\nfunc f() { runtime.Gosched(); runtime.GOMAXPROCS(0) }", "runtime.Gosched is for internal/seam"},
		{"epoch/a.go", "package epoch\nimport \"time\"\nfunc f() { _ = time.Now(); time.AfterFunc(0, f) }", "time.AfterFunc is for internal/seam"},
		{"rangealloc/a.go", "package rangealloc\nfunc f() { go f() }", "a go statement"},
	} {
		tree := fstest.MapFS{
			tt.file:          {Data: []byte(tt.text)},
			"verify/go.mod":  {Data: []byte("module verify")},
			"verify/main.go": {Data: []byte("package main\nimport _ \"example.com/x\"")},
		}
		broken, _, err := checkImports(tree)
		switch {
		case err != nil:
			t.Errorf("%s %q: %v", tt.file, tt.text, err)
		case tt.want == "" && len(broken) > 0:
			t.Errorf("%s %q: %q, want none", tt.file, tt.text, broken)
		case tt.want != "" && (len(broken) != 1 || !strings.Contains(broken[0], tt.want)):
			t.Errorf("%s %q: %q, want one with %q", tt.file, tt.text, broken, tt.want)
		}
	}
	if _, _, err := checkImports(fstest.MapFS{"epoch/a.go": {Data: []byte("package")}}); err == nil {
		t.Error("a file that does not parse is passed over")
	}
}
