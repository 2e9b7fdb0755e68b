package spanlock_test

import (
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

const (
	maxReadme = 150  // lines of the README: what a stranger reads in five minutes
	maxWords  = 1200 // words of the documentation of package rangelock, before its index
)

// TestReadme holds the README to its length, and its program to the one that is compiled.
func TestReadme(t *testing.T) {
	readme := read(t, "README.md")
	if n := strings.Count(readme, "\n"); n > maxReadme {
		t.Errorf("README.md has %d lines, more than %d", n, maxReadme)
	}
	_, after, ok := strings.Cut(readme, "```go\n")
	program, _, closed := strings.Cut(after, "```\n")
	if !ok || !closed {
		t.Fatal("README.md has no program")
	}
	if want := read(t, "examples/first/main.go"); program != want {
		t.Errorf("the first program of README.md is not examples/first/main.go:\n%s", program)
	}
	for _, command := range []string{"go run ./examples/mmapstore", "go test ./..."} {
		if !strings.Contains(readme, "```\n"+command+"\n```\n") {
			t.Errorf("README.md does not have the command %q in a block of its own", command)
		}
	}
}

// TestPackageDocs holds the documentation of package rangelock to its length.
func TestPackageDocs(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "rangelock/doc.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(strings.Fields(f.Doc.Text())); n == 0 || n > maxWords {
		t.Errorf("the documentation of package rangelock has %d words, more than %d", n, maxWords)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}
