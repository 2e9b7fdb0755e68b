package main

import (
	"os"
	"path/filepath"
	"testing"
)

const unpruned = `package toy_test

import (
	"fmt"
	"math/rand/v2"
	oslike "os"
	"testing"
)

// unneeded goes, with this comment.
func unneeded() { fmt.Println(rand.Int()) }

type kept struct{ other int }

func (k *kept) method() { helper() }

func TestOne(t *testing.T) { new(kept).method() }

func FuzzOne(f *testing.F) {}

func FuzzTwo(f *testing.F) {}

func TestTwo(t *testing.T) {
	unneeded()
	oslike.Exit(1)
}
`

const pruned = `package toy_test

import (
	_ "fmt"
	_ "math/rand/v2"
	_ "os"
	"testing"
)




type kept struct{ other int }

func (k *kept) method() { helper() }

func TestOne(t *testing.T) { new(kept).method() }

func FuzzOne(f *testing.F) {}







`

const helpers = `package toy_test

var other = 1

func helper() {
	const unneeded = 1 // not the function
	_ = unneeded
}
`

const prunedHelpers = `package toy_test



func helper() {
	const unneeded = 1 // not the function
	_ = unneeded
}
`

// TestPrune checks that what a test needs stays, in any file and in the same lines, and
// that the rest is removed. The name of a local declaration or of a field is no mention.
func TestPrune(t *testing.T) {
	const export = "package toy\n\nfunc Unneeded() {}\n"
	dir := writeTree(t, map[string]string{
		"a_test.go": unpruned, "b_test.go": helpers, "export_test.go": export,
		"c_test.go": "package toy_test\n\nimport \"testing\"\n\nfunc BenchmarkOne(b *testing.B) {}\n",
	})
	if err := prune(dir, "^(Test|Fuzz)One$/sub"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a_test.go": pruned, "b_test.go": prunedHelpers, "export_test.go": export} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); string(got) != want {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "c_test.go")); !os.IsNotExist(err) {
		t.Errorf("the file of a benchmark: %v", err)
	}
}
