package rangelock_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/spanlock/spanlock/"

// cannotBe is the errors that the source of an operation reaches but that the operation never
// returns, each with the reason.
var cannotBe = map[string]map[string]string{
	"rangelock.Map.Close": {
		"rangelock.ErrClosed":  "it goes on when it sees that the map is closed",
		"rangelock.ErrBacklog": "it weighs the ranges without a bound",
	},
	"rangelock.Map.Swap":       noOverlap,
	"rangelock.Writer.Put":     noOverlap,
	"rangelock.Writer.Replace": noOverlap,
	"rangelock.Writer.Retire":  noWait,
	"rangelock.Writer.Swap":    {"rangelock.ErrOverlap": noOverlap["rangelock.ErrOverlap"], "rangelock.WaitError": noWait["rangelock.WaitError"]},

	"rangealloc.Allocator.Alloc":     onlyGaps,
	"rangealloc.Allocator.AllocBest": onlyGaps,
	"rangealloc.Allocator.AllocEvict": {
		"rangelock.ErrOverlap":  onlyGaps["rangelock.ErrOverlap"],
		"rangelock.ErrBadRange": onlyGaps["rangelock.ErrBadRange"],
		"rangelock.ErrNotFound": "it extracts what it has found",
	},
	"rangealloc.Allocator.AllocFunc": onlyGaps,
	"rangealloc.Allocator.AllocIn":   {"rangelock.ErrOverlap": onlyGaps["rangelock.ErrOverlap"]},
	"rangealloc.Allocator.AllocTop":  onlyGaps,
	"rangealloc.Allocator.Close":     {"rangelock.ErrClosed": "see rangelock.Map.Close", "rangelock.ErrBacklog": "see rangelock.Map.Close"},
	"rangealloc.Allocator.Free":      onlyWhole,
	"rangealloc.Allocator.FreeLater": onlyWhole,
	"rangealloc.Allocator.TryFree": {
		"rangelock.ErrNotFound": onlyWhole["rangelock.ErrNotFound"],
		"rangelock.WaitError":   "what it extracts is excluded, so that does not wait",
	},
}

var (
	noOverlap = map[string]string{"rangelock.ErrOverlap": "it inserts where it has found that no range overlaps"}
	noWait    = map[string]string{"rangelock.WaitError": "it does not wait for guards"}
	onlyGaps  = map[string]string{
		"rangelock.ErrOverlap":  "it inserts in a gap",
		"rangelock.ErrBadRange": "a part of a gap is a valid range",
	}
	onlyWhole = map[string]string{
		"rangelock.ErrPartial":  "it takes out exactly the range that it has found",
		"rangelock.ErrBadRange": "a range of the map is valid",
		"rangelock.ErrNotFound": "it takes out exactly the range that it has found",
	}
)

// TestErrorLists reads the source and compares three things: the errors that an operation reaches
// through the functions that it calls, those that its doc comment names, and those whose own
// comments name the operation.
//
// A comment names an error by a link, as [ErrClosed], or refers to the errors of another
// operation: "Its errors are those of [Writer.Retire]".
func TestErrorLists(t *testing.T) {
	s := readSource(t, "rangelock", "rangealloc")
	for _, pkg := range []string{"rangelock", "rangealloc"} {
		listed := map[string][]string{} // operations by error, from the comments of the errors
		for name, text := range s.errors {
			if !strings.HasPrefix(name, pkg+".") {
				continue
			}
			list := returnedBy.FindStringSubmatch(text)
			if list == nil {
				t.Errorf("the comment of %s does not say “Returned by: …”", name)
				continue
			}
			for op := range strings.SplitSeq(list[1], ", ") {
				listed[name] = append(listed[name], pkg+"."+op)
			}
			if l := listed[name]; !slices.IsSorted(l) || len(slices.Compact(slices.Clone(l))) != len(l) {
				t.Errorf("the list of %s is not sorted, or has a name twice", name)
			}
		}
		if len(listed) < 5 {
			t.Errorf("%s has only %d errors: is this the right source?", pkg, len(listed))
		}
		operations := 0
		for _, op := range slices.Sorted(maps.Keys(s.operations)) {
			if !strings.HasPrefix(op, pkg+".") {
				continue
			}
			operations++
			reached := s.reached(s.operations[op])
			for name, why := range cannotBe[op] {
				if !reached[name] {
					t.Errorf("%s does not reach %s any more: the exception (%s) is of no use", op, name, why)
				}
				delete(reached, name)
			}
			said := map[string]bool{}
			if err := s.said(said, op, 0); err != nil {
				t.Error(err)
			}
			for _, name := range slices.Sorted(maps.Keys(s.errors)) {
				if reached[name] != said[name] {
					t.Errorf("%s returns %s: %t; its comment says %t", op, name, reached[name], said[name])
				}
				if in := slices.Contains(listed[name], op); strings.HasPrefix(name, pkg+".") && in != reached[name] {
					t.Errorf("%s returns %s: %t; it is in the list of %[2]s: %[4]t", op, name, reached[name], in)
				}
			}
		}
		if operations < 10 {
			t.Errorf("%s has only %d operations that return an error: is this the right source?", pkg, operations)
		}
		for name, list := range listed {
			for _, op := range list {
				if s.operations[op] == nil {
					t.Errorf("the list of %s has %s, which is no operation that returns an error", name, op)
				}
			}
		}
	}
	for op := range cannotBe {
		if s.operations[op] == nil {
			t.Errorf("%s has exceptions and is no operation", op)
		}
	}
}

var (
	returnedBy = regexp.MustCompile(`Returned by: ([\w.]+(?:, [\w.]+)*)\.(?: |$)`)
	linked     = regexp.MustCompile(`\[((?:\w+\.)?(?:Err\w+|WaitError))\]`)
	takenOver  = regexp.MustCompile(`errors are those of ((?:\[[\w.]+\](?:, | and )?)+)`)
	link       = regexp.MustCompile(`\[([\w.]+)\]`)
)

// source is the packages that were read, with their functions and errors. The names of errors
// and operations begin with the package: rangelock.ErrBusy, rangelock.Map.Drain.
type source struct {
	fset       *token.FileSet
	info       *types.Info
	packages   map[string]*types.Package // the packages of this module that were imported
	files      map[string][]*ast.File
	functions  map[*types.Func]*ast.FuncDecl
	operations map[string]*types.Func // the exported functions with an error among their results
	docs       map[string]string      // the operations' comments, each in one line
	errors     map[string]string      // the errors' comments
}

// readSource reads packages of this module, as they are built without tags.
func readSource(t *testing.T, packages ...string) *source {
	s := &source{
		fset: token.NewFileSet(), packages: map[string]*types.Package{}, files: map[string][]*ast.File{}, functions: map[*types.Func]*ast.FuncDecl{},
		info:       &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}},
		operations: map[string]*types.Func{}, docs: map[string]string{}, errors: map[string]string{},
	}
	for _, pkg := range packages {
		if _, err := s.Import(modulePath + pkg); err != nil {
			t.Fatal(err)
		}
		for _, file := range s.files[modulePath+pkg] {
			for _, d := range file.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					s.function(pkg, d)
				case *ast.GenDecl:
					s.declaration(pkg, d)
				}
			}
		}
	}
	return s
}

// Import implements types.Importer. Packages of other modules are empty: the type checker reports
// what it does not find in them, and resolves the rest.
func (s *source) Import(name string) (*types.Package, error) {
	pkg, ours := strings.CutPrefix(name, modulePath)
	if !ours {
		p := types.NewPackage(name, path.Base(name))
		p.MarkComplete()
		return p, nil
	}
	if p := s.packages[name]; p != nil {
		return p, nil
	}
	dir := path.Join("..", pkg)
	built, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	for _, file := range built.GoFiles {
		parsed, err := parser.ParseFile(s.fset, path.Join(dir, file), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.files[name] = append(s.files[name], parsed)
	}
	config := types.Config{Importer: s, Error: func(error) {}}
	s.packages[name], _ = config.Check(name, s.fset, s.files[name], s.info)
	return s.packages[name], nil
}

// function notes a function, and whether it is an operation.
func (s *source) function(pkg string, d *ast.FuncDecl) {
	f, ok := s.info.Defs[d.Name].(*types.Func)
	if !ok || d.Body == nil {
		return
	}
	s.functions[f] = d
	name := d.Name.Name
	if d.Recv != nil {
		of := receiver(d)
		if !ast.IsExported(of) {
			return
		}
		name = of + "." + name
	}
	if !d.Name.IsExported() || d.Type.Results == nil {
		return
	}
	ast.Inspect(d.Type.Results, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == "error" {
			s.operations[pkg+"."+name] = f
			s.docs[pkg+"."+name] = oneLine(d.Doc)
		}
		return true
	})
}

// declaration notes the sentinels and WaitError.
func (s *source) declaration(pkg string, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				if d.Tok == token.VAR && strings.HasPrefix(name.Name, "Err") {
					s.errors[pkg+"."+name.Name] = oneLine(spec.Doc)
				}
			}
		case *ast.TypeSpec:
			if spec.Name.Name == "WaitError" {
				s.errors[pkg+"."+spec.Name.Name] = oneLine(d.Doc)
			}
		}
	}
}

// oneLine returns a comment's text without line breaks.
func oneLine(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }

// reached returns the errors that f and the functions that it calls make or mention, except those
// that they only compare with.
func (s *source) reached(f *types.Func) map[string]bool {
	found := map[string]bool{}
	seen := map[*types.Func]bool{}
	var visit func(f *types.Func)
	visit = func(f *types.Func) {
		d := s.functions[f]
		if d == nil || seen[f] {
			return
		}
		seen[f] = true
		ast.Inspect(d.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				return n.Op != token.EQL && n.Op != token.NEQ || !s.isError(n.Y)
			case *ast.CompositeLit:
				made := n.Type
				if x, ok := made.(*ast.IndexExpr); ok {
					made = x.X
				}
				if id, ok := made.(*ast.Ident); ok {
					switch id.Name {
					case "WaitError":
						found["rangelock.WaitError"] = true
					case "BacklogError":
						found["rangelock.ErrBacklog"] = true
					case "NoSpaceError":
						found["rangealloc.ErrNoSpace"] = true
					case "NotAllocatedError":
						found["rangealloc.ErrNotAllocated"] = true
					}
				}
			case *ast.CallExpr:
				return !isErrorsIs(n.Fun)
			case *ast.Ident:
				switch o := s.info.Uses[n].(type) {
				case *types.Func:
					visit(o.Origin())
				case *types.Var:
					if o.Pkg() != nil && s.errors[o.Pkg().Name()+"."+o.Name()] != "" {
						found[o.Pkg().Name()+"."+o.Name()] = true
					}
				}
			}
			return true
		})
	}
	visit(f)
	return found
}

// isError reports whether x is a sentinel's name.
func (s *source) isError(x ast.Expr) bool {
	if sel, ok := x.(*ast.SelectorExpr); ok {
		x = sel.Sel
	}
	id, ok := x.(*ast.Ident)
	return ok && strings.HasPrefix(id.Name, "Err") && s.info.Uses[id] != nil
}

// isErrorsIs reports whether f is errors.Is.
func isErrorsIs(f ast.Expr) bool {
	sel, ok := f.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == "errors" && sel.Sel.Name == "Is"
}

// said adds the errors that the comment of an operation names, and those of the operations to
// which the comment refers.
func (s *source) said(to map[string]bool, op string, depth int) error {
	if s.operations[op] == nil {
		return fmt.Errorf("a comment refers to the errors of %s, which is no operation that returns an error", op)
	}
	if depth > 5 {
		return fmt.Errorf("%s refers to its own errors", op)
	}
	pkg, _, _ := strings.Cut(op, ".")
	doc := s.docs[op]
	for _, found := range linked.FindAllStringSubmatch(doc, -1) {
		name := found[1]
		if !strings.Contains(name, ".") {
			name = pkg + "." + name
		}
		if _, ok := s.errors[name]; !ok {
			return fmt.Errorf("the comment of %s names %s, which is no error", op, name)
		}
		to[name] = true
	}
	for _, list := range takenOver.FindAllStringSubmatch(doc, -1) {
		for _, found := range link.FindAllStringSubmatch(list[1], -1) {
			name := found[1]
			if first, _, _ := strings.Cut(name, "."); s.packages[modulePath+first] == nil {
				name = pkg + "." + name
			}
			if err := s.said(to, name, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
