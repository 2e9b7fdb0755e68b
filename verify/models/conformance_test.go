package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestConformanceNamesCode checks that each file.go:function that CONFORMANCE.md names
// exists, so that the tables stay right when the code changes. Renaming a function in
// only one of the two places makes this fail.
func TestConformanceNamesCode(t *testing.T) {
	text, err := os.ReadFile("CONFORMANCE.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`((?:[a-z]+/)+[a-z_]+\\.go):([A-Za-z]+)`").FindAllStringSubmatch(string(text), -1)
	if len(names) < 40 {
		t.Fatalf("only %d names found: the pattern or the file has changed", len(names))
	}
	for _, n := range names {
		if !declares(t, filepath.Join("..", "..", filepath.FromSlash(n[1])), n[2]) {
			t.Errorf("%s has no function %s", n[1], n[2])
		}
	}
}

// TestRunsNameModels checks that each macro of a run is known to its model: an unknown one
// changes nothing, so the run would verify something else than it says. It also checks that
// each model has a run and is described in CONFORMANCE.md.
func TestRunsNameModels(t *testing.T) {
	conformance, err := os.ReadFile("CONFORMANCE.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.pml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	texts := make(map[string]string) // of each model, with its parts
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		model, _, part := strings.Cut(strings.TrimSuffix(f, ".pml"), "_")
		texts[model] += string(b)
		if part && !strings.Contains(texts[model], `#include "`+f+`"`) {
			t.Errorf("%s is not part of any model", f)
		}
		if !strings.Contains(string(conformance), f) {
			t.Errorf("CONFORMANCE.md does not mention %s", f)
		}
	}
	ran := make(map[string]bool)
	for _, r := range slices.Concat(runs, longer) {
		ran[r.model] = true
		for _, d := range strings.Fields(r.defines) {
			name, _, _ := strings.Cut(d, "=")
			if !regexp.MustCompile(`\b` + name + `\b`).MatchString(texts[r.model]) {
				t.Errorf("%s, %s: the model does not know %s", r.model, r.variant, name)
			}
		}
		if r.refuted != strings.Contains(r.defines, "BROKEN_") {
			t.Errorf("%s, %s: broken twins must be refuted, and no other run", r.model, r.variant)
		}
	}
	for model := range texts {
		if !ran[model] {
			t.Errorf("%s has no run", model)
		}
	}
}

// declares reports whether the file has a function or method of that name.
func declares(t *testing.T, file, name string) bool {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Error(err)
		return true
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == name {
			return true
		}
	}
	return false
}

// TestVerdict checks that a search that was cut off, or that failed for another reason
// than a violated property, is neither verified nor refuted.
func TestVerdict(t *testing.T) {
	const whole = "State-vector 72 byte, depth reached 7, errors: 0\n  12 states, stored\n"
	const found = "pan:1: assertion violated (a==b) (at depth 3)\nWarning: Search not completed\n" +
		"State-vector 72 byte, depth reached 7, errors: 1\n  12 states, stored\n"
	for _, c := range []struct {
		name, out string
		refuted   bool
		ok        bool
	}{
		{"verified", whole, false, true},
		{"not refuted", whole, true, false},
		{"refuted", found, true, true},
		{"violated", found, false, false},
		{"cycle", strings.Replace(found, "assertion violated (a==b)", "acceptance cycle", 1), true, true},
		{"index", strings.Replace(found, "assertion violated (a==b)", "assertion violated - invalid array index", 1), true, false},
		{"depth", "error: max search depth too small\n" + whole, false, false},
		{"memory", "pan: reached -DMEMLIM bound\n" + whole, false, false},
		{"nothing", "", true, false},
		{"killed", "", false, false},
	} {
		if v, ok := parse(c.out).verdict(c.refuted); ok != c.ok {
			t.Errorf("%s: %q, %v", c.name, v, ok)
		}
	}
}
