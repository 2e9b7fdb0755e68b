package spanlock_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocsNameFiles checks that the links of the documents lead to files that are there, and that
// docs/design.md, which names the places of a change, names no file that has moved.
func TestDocsNameFiles(t *testing.T) {
	top, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Glob("docs/*.md")
	if err != nil || len(docs) == 0 {
		t.Fatal(docs, err)
	}
	if !there("verify") {
		t.Skip("this is a download of the module, without the nested ones")
	}
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	link := regexp.MustCompile(`\]\(([^)#\s]+)[^)]*\)`)
	for _, doc := range slices.Concat(top, docs) {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), "code"), -1) {
			if !strings.Contains(m[1], "://") && !there(filepath.Join(filepath.Dir(doc), m[1])) {
				t.Errorf("%s has a link to %s, which is not there", doc, m[1])
			}
		}
	}
	names, err := goFiles(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([\\w/]+\\.(?:go|md))`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 20 {
		t.Errorf("docs/design.md names %d files, so this test reads it wrongly", len(named))
	}
	for _, m := range named {
		if !there(m[1]) && !slices.Contains(names, m[1]) && !there(filepath.Join("verify/models", m[1])) {
			t.Errorf("docs/design.md names %s, which is not there", m[1])
		}
	}
}

func there(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// goFiles returns the names, without directories, of all Go files of the module and the nested ones.
func goFiles(tree fs.FS) (names []string, err error) {
	err = fs.WalkDir(tree, ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".go") {
			names = append(names, path.Base(name))
		}
		return err
	})
	return names, err
}
