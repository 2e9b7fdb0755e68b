// Package checks finds misuse of the guards of package rangelock in Go source. Each of
// its analyzers documents what it reports. The README of the command has the list, and
// says what none of them sees.
//
// A guard is a value of a type Guard of the module with a method Release, so the guards
// of the packages that are built on rangelock are checked as well. Each function is
// checked alone: a guard that it passes on is not followed.
package checks

import (
	"fmt"
	"go/token"
	"reflect"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/buildssa"
	"golang.org/x/tools/go/ssa"
)

// All returns the analyzers.
func All() []*analysis.Analyzer {
	return []*analysis.Analyzer{Leak, Reuse, Copies, Blocking, Kept, Ignore}
}

// A finding is what one check reports at one place.
type finding struct {
	check string // its name
	pos   token.Pos
	text  string
}

// findings examines a package once, for all the checks.
var findings = &analysis.Analyzer{
	Name:       "spanlockfindings",
	Doc:        "look for misuse of guards, for the checks of spanlockvet",
	Run:        find,
	Requires:   []*analysis.Analyzer{buildssa.Analyzer},
	ResultType: reflect.TypeFor[*pkg](),
}

// check returns an analyzer that reports the findings with its name.
func check(name, doc string) *analysis.Analyzer {
	a := &analysis.Analyzer{Name: name, Doc: doc, Requires: []*analysis.Analyzer{findings}}
	a.Run = func(pass *analysis.Pass) (any, error) {
		for _, f := range pass.ResultOf[findings].(*pkg).found {
			if f.check == name {
				pass.Reportf(f.pos, "%s", f.text)
			}
		}
		return nil, nil
	}
	return a
}

// A pkg is a package under examination.
type pkg struct {
	pass     *analysis.Pass
	funcs    []*ssa.Function
	made     map[any][]*ssa.Call    // the maps stored to a field or a package's variable, see origin
	waiting  map[string]bool        // the type arguments of maps for whose guards the package waits
	wrappers map[*ssa.Function]bool // the results of wrapper
	found    []finding
}

func find(pass *analysis.Pass) (any, error) {
	p := &pkg{pass: pass, funcs: pass.ResultOf[buildssa.Analyzer].(*buildssa.SSA).SrcFuncs,
		wrappers: map[*ssa.Function]bool{}}
	if !p.uses() {
		return p, nil
	}
	p.survey()
	var all []finding
	for _, f := range p.funcs {
		all = append(all, walkFunction(p, f)...)
		all = append(all, p.kept(f)...)
	}
	p.sift(all)
	return p, nil
}

// uses reports whether the package is one of the module's or imports one.
func (p *pkg) uses() bool {
	if ours(p.pass.Pkg) {
		return true
	}
	for _, i := range p.pass.Pkg.Imports() {
		if ours(i) {
			return true
		}
	}
	return false
}

func (p *pkg) line(pos token.Pos) int { return p.pass.Fset.Position(pos).Line }

// inTest reports whether pos is in the file of a test.
func (p *pkg) inTest(pos token.Pos) bool {
	return strings.HasSuffix(p.pass.Fset.Position(pos).Filename, "_test.go")
}

func (w *walk) report(check string, pos token.Pos, format string, args ...any) {
	w.found = append(w.found, finding{check, pos, fmt.Sprintf(format, args...)})
}
