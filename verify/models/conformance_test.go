package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Each file.go:function that CONFORMANCE.md names has to exist, so that the table does
// not rot when the code moves. Renaming one of them in either place makes this fail.
func TestConformanceNamesCode(t *testing.T) {
	text, err := os.ReadFile("CONFORMANCE.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`([a-z]+/[a-z_]+\\.go):([A-Za-z]+)`").FindAllStringSubmatch(string(text), -1)
	if len(names) < 40 {
		t.Fatalf("only %d names found: the pattern or the file is not what it was", len(names))
	}
	for _, n := range names {
		if !declares(t, filepath.Join("..", "..", filepath.FromSlash(n[1])), n[2]) {
			t.Errorf("%s has no function %s", n[1], n[2])
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
