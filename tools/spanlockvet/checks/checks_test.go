package checks_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/spanlock/spanlock/tools/spanlockvet/checks"
)

// corpus copies testdata/src to a module of its own that requires this repository's
// rangelock, so that the checks are tried on the API as it is, and returns its folder.
func corpus(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "src"))); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/spanlock/spanlock"
	mod = bytes.Replace(mod, []byte("module "+module+"\n"), []byte("module "+module+"/corpus\n"), 1)
	mod = append(mod, "\nrequire "+module+" v0.0.0-00010101000000-000000000000\n\nreplace "+module+" => "+root+"\n"...)
	for name, text := range map[string][]byte{"go.mod": mod, "go.sum": sum} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// The corpus requires fewer modules than the main module, so its go.mod differs.
	if out, err := command(dir, "go", "mod", "tidy"); err != nil {
		t.Fatalf("go mod tidy: %v\n%s", err, out)
	}
	return dir
}

func command(dir, name string, args ...string) ([]byte, error) {
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOWORK=off")
	return c.CombinedOutput()
}

// all combines the checks into one analyzer, so that a package can expect reports of several
// checks. It counts the reports of each.
func all(said map[string]int) *analysis.Analyzer {
	a := &analysis.Analyzer{Name: "all", Doc: "run all checks", Requires: checks.All()[0].Requires}
	a.Run = func(pass *analysis.Pass) (any, error) {
		for _, c := range checks.All() {
			counting := *pass
			counting.Report = func(d analysis.Diagnostic) {
				said[c.Name]++
				pass.Report(d)
			}
			if _, err := c.Run(&counting); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	return a
}

// TestCorpus checks that each fault of the corpus is found, that each check finds something,
// and that nothing else is reported.
func TestCorpus(t *testing.T) {
	said := map[string]int{}
	analysistest.Run(t, corpus(t), all(said), "./...")
	for _, c := range checks.All() {
		if said[c.Name] == 0 {
			t.Errorf("check %s has found nothing", c.Name)
		}
	}
}

// TestVettool checks that go vet runs the checks, finds the faults, and accepts a package
// without faults.
func TestVettool(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the command")
	}
	dir := corpus(t)
	tool := filepath.Join(t.TempDir(), "spanlockvet.exe")
	if out, err := command("..", "go", "build", "-o", tool, "."); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := command(dir, "go", "vet", "-vettool="+tool, "./clean"); err != nil {
		t.Errorf("in package clean: %v\n%s", err, out)
	}
	out, err := command(dir, "go", "vet", "-vettool="+tool, "./copies")
	if err == nil || !strings.Contains(string(out), "copies.go:17:12: Release of a guard whose copy was released") {
		t.Errorf("in package copies: %v\n%s", err, out)
	}
	out, err = command(dir, "go", "vet", "-vettool="+tool, "-leak", "./copies")
	if err != nil {
		t.Errorf("in package copies with -leak alone: %v\n%s", err, out)
	}
}
