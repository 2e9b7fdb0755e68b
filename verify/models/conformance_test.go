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

// Each file.go:function that CONFORMANCE.md names has to exist, so that the table does
// not rot when the code moves. Renaming one of them in either place makes this fail.
func TestConformanceNamesCode(t *testing.T) {
	text, err := os.ReadFile("CONFORMANCE.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`((?:[a-z]+/)+[a-z_]+\\.go):([A-Za-z]+)`").FindAllStringSubmatch(string(text), -1)
	if len(names) < 40 {
		t.Fatalf("only %d names found: the pattern or the file is not what it was", len(names))
	}
	for _, n := range names {
		if !declares(t, filepath.Join("..", "..", filepath.FromSlash(n[1])), n[2]) {
			t.Errorf("%s has no function %s", n[1], n[2])
		}
	}
}

// A macro that a run defines and its model does not know changes nothing, so the run
// would verify something else than it says. And a model without a run, or that
// CONFORMANCE.md does not speak of, is one that nobody checks.
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
			t.Errorf("%s is a part of no model", f)
		}
		if !strings.Contains(string(conformance), f) {
			t.Errorf("CONFORMANCE.md says nothing of %s", f)
		}
	}
	ran := make(map[string]bool)
	for _, r := range slices.Concat(runs, longer) {
		ran[r.model] = true
		for _, d := range strings.Fields(r.defines) {
			name, _, _ := strings.Cut(d, "=")
			if !regexp.MustCompile(`\b` + name + `\b`).MatchString(texts[r.model]) {
				t.Errorf("%s, %s: the model knows no %s", r.model, r.variant, name)
			}
		}
		if r.refuted != strings.Contains(r.defines, "BROKEN_") {
			t.Errorf("%s, %s: a broken twin has to be refuted, and nothing else", r.model, r.variant)
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

// A search that was cut off, or that failed for another reason than a violated
// property, must not pass for an answer.
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
