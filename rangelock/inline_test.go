package rangelock_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/internal/invariants"
)

// decisions is what the compiler reported about inlining in this package, without the type
// parameters of names. The package instantiates its own generic code for the default map, so its
// own build shows the decisions.
type decisions struct {
	funcs map[string]string // by name: its decision with the cost or the reason
	calls map[string]string // by position of the opening parenthesis: what was inlined there
}

var (
	typeArguments = regexp.MustCompile(`\[[^\[\]]*\]`)
	decisionLine  = regexp.MustCompile(`^\S*?([^/\\\s]+\.go:\d+:\d+): (can inline|cannot inline|inlining call to) (.*)$`)
)

// compilerDecisions builds the package once more, as it is shipped. It needs only what the test
// itself needed: the go command and the modules.
func compilerDecisions(t *testing.T) decisions {
	t.Helper()
	if invariants.Enabled {
		t.Skip("checking builds are not inlined for speed, and this looks at a normal build anyway")
	}
	if strings.HasSuffix(runtime.GOARCH, "386") || runtime.GOARCH == "arm" {
		t.Skip("64-bit atomics are calls on " + runtime.GOARCH)
	}
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command: ", err)
	}
	cmd := exec.Command(goCommand, "build", "-buildvcs=false", "-gcflags=github.com/spanlock/spanlock/...=-m=2", ".")
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	d := decisions{map[string]string{}, map[string]string{}}
	for line := range strings.Lines(out.String()) {
		part := decisionLine.FindStringSubmatch(strings.TrimSpace(line))
		if part == nil {
			continue
		}
		at, verb, rest := part[1], part[2], part[3]
		if verb == "inlining call to" {
			d.calls[at] = rest
			continue
		}
		rest, _, _ = strings.Cut(rest, " as: ")
		// The instances for concrete types are wrappers around the instances for shapes.
		if strings.Contains(rest, "[") && !strings.Contains(rest, "[go.shape") {
			continue
		}
		for typeArguments.MatchString(rest) {
			rest = typeArguments.ReplaceAllString(rest, "")
		}
		name := strings.TrimPrefix(strings.TrimRight(strings.Fields(rest)[0], ":"), "rangetree.")
		d.funcs[name] = fmt.Sprintf("%s: %s %s", at, verb, rest)
	}
	if len(d.funcs) == 0 {
		t.Fatalf("the compiler decided nothing?\n%.2000s", out.String())
	}
	return d
}

// TestInlineFunctions checks that small functions on a fast path are inlined, and that slow paths
// are not, so that they do not make their callers larger. (Acquire, TryAcquire and Release are not
// inlined: a generic function that makes a call of its own is already near the compiler's budget.)
func TestInlineFunctions(t *testing.T) {
	d := compilerDecisions(t)
	for _, f := range []string{
		"Guard.Value", "(*header).bounds", // each use of a guard
		"(*Map).proveMiss", "(*Map).Len",
		"(*Map).publishing", "(*Map).touch", // each operation of a writer
		"(*Tree).Find", "headerOf", "order.slot", "order.n", "(*leaf).now", "(*leaf).entry", // each search
		"(*Cursor).Before", "(*Cursor).fork",
		"(*Lines).Own", "(*Lines).Announce", "(*Lines).Retract", "(*header).mark", // each announcement
	} {
		got, ok := d.funcs[f]
		switch {
		case !ok:
			t.Errorf("the compiler reports nothing about %s; has it been renamed?", f)
		case !strings.Contains(got, "can inline"):
			t.Errorf("%s is not inlined: %s", f, got)
		}
	}
	for _, f := range []string{
		"(*Map).releaseSlow", "(*Map).acquireSlow", "(*Map).getSlow", "(*Map).awaitSlow",
		"(*Map).enterBeside", "(*Map).enterRefused", "(*Map).enterCounted", "(*Map).announcing", "(*Map).takeBack", "(*Map).left", "(*Map).giveBackExclusive", "(*Map).releaseOther", "(*Map).undo", "(*Map).enterSampled", "(*Map).sample", "(*Map).finish", "(*retireQueue).enqueue", "zeroGuard", "staleWriter", "staleReader",
	} {
		got, ok := d.funcs[f]
		switch {
		case !ok:
			t.Errorf("the compiler reports nothing about %s; has it been renamed?", f)
		case !strings.Contains(got, "cannot inline"):
			t.Errorf("%s is inlined into its callers: %s", f, got)
		}
	}
}

// TestInlineAtomics checks that on the fast paths every atomic operation is an instruction and not a
// call. It finds the operations in the source and looks up the compiler's decision about each. An
// atomic type that the package does not refer to by the right name is not inlined, and costs a call
// for every load. That has happened.
func TestInlineAtomics(t *testing.T) {
	d := compilerDecisions(t)
	fast := map[string]int{ // how many operations there are at least
		"enter": 4, "enterPinned": 1, "admit": 3, "look": 1, "peek": 1, "lookPinned": 1, "proveMiss": 1, "Release": 2, "enterAnnounced": 2, "releaseAnnounced": 2,
		"Announce": 2, "Retract": 1, "shows": 4,
		"findInt": 3, "findFloat": 3, "descend": 2, "rank": 15, "now": 1, "entry": 1,
	}
	atomics := map[string]bool{"Load": true, "Store": true, "Add": true, "Or": true, "And": true, "CompareAndSwap": true}
	for _, file := range []string{"acquire.go", "get.go", "guard.go", "exclude.go", "announced.go", "../internal/announce/lines.go", "../internal/announce/size.go",
		"../internal/rangetree/find.go", "../internal/rangetree/rank.go", "../internal/rangetree/leaf.go"} {
		fset := token.NewFileSet()
		tree, err := parser.ParseFile(fset, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range tree.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || fast[f.Name.Name] == 0 {
				continue
			}
			found := 0
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				if !ok || !atomics[sel.Sel.Name] {
					return true
				}
				found++
				at := fset.Position(call.Lparen)
				key := fmt.Sprintf("%s:%d:%d", filepath.Base(file), at.Line, at.Column)
				if got := d.calls[key]; !strings.HasSuffix(got, "."+sel.Sel.Name) {
					t.Errorf("%s: %s in %s is a call (%q)", key, sel.Sel.Name, f.Name.Name, got)
				}
				return true
			})
			if found < fast[f.Name.Name] {
				t.Errorf("%s has %d atomic operations, want at least %d; has the test lost them?",
					f.Name.Name, found, fast[f.Name.Name])
			}
			delete(fast, f.Name.Name)
		}
	}
	for f := range fast {
		t.Errorf("there is no function %s", f)
	}
}
