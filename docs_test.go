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
	link := regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]+))?[^)]*\)`)
	for _, doc := range slices.Concat(top, docs) {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(read(t, doc), "code"), -1) {
			to := doc
			if m[1] != "" {
				to = filepath.Join(filepath.Dir(doc), m[1])
			}
			switch {
			case strings.Contains(m[1], "://"):
			case !there(to):
				t.Errorf("%s has a link to %s, which is not there", doc, m[1])
			case m[2] != "" && !hasHeading(read(t, to), m[2]):
				t.Errorf("%s has a link to the heading %s of %s, which has none like it", doc, m[2], to)
			}
		}
	}
	names, err := goFiles(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([\\w/]+\\.(?:go|md))`").FindAllStringSubmatch(read(t, "docs/design.md"), -1)
	if len(named) < 20 {
		t.Errorf("docs/design.md names %d files, so this test reads it wrongly", len(named))
	}
	for _, m := range named {
		if !there(m[1]) && !slices.Contains(names, m[1]) && !there(filepath.Join("verify/models", m[1])) {
			t.Errorf("docs/design.md names %s, which is not there", m[1])
		}
	}
}

// hasHeading reports whether a Markdown text has a heading that GitHub links as fragment.
func hasHeading(text, fragment string) bool {
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, h := range regexp.MustCompile(`(?m)^#+ +(.*)$`).FindAllStringSubmatch(text, -1) {
		if strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-") == fragment {
			return true
		}
	}
	return false
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
