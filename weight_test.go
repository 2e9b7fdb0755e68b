package spanlock_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxWeight is how large the zip file may be that every user of the module downloads, in bytes.
//
// It is what v0.1.0 has, 1012 kB, and about 4 % more. Tests are half of that, code with its
// comments is two fifths, and the rest is documents. Less than 400 kB, which was the aim, would
// mean a module without its tests, and the tests of a package have to lie beside it. Everything
// that users do not need and that can be a module of its own is one already, and is not
// downloaded: benchmarks with their figures, checkers, tools. The examples are 62 kB and the
// documents 43 kB: too little to take them away from readers who are offline.
const maxWeight = 1_050_000

// TestWeight checks that a download of the module stays small: all its files, without those of
// the nested modules, zipped as the go command does it.
func TestWeight(t *testing.T) {
	module, err := zipped(".")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(module))
	if len(module) <= maxWeight {
		return
	}
	heaviest, err := byDirectory(module)
	if err != nil {
		t.Fatal(err)
	}
	t.Errorf("the module is %d bytes zipped, more than %d; its heaviest directories:\n%s", len(module), maxWeight,
		strings.Join(heaviest[:min(10, len(heaviest))], "\n"))
}

// zipped returns the zip file of the module in dir.
func zipped(dir string) ([]byte, error) {
	ignored, err := readIgnored(dir)
	if err != nil {
		return nil, err
	}
	var module bytes.Buffer
	w := zip.NewWriter(&module)
	err = filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		below, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		below = filepath.ToSlash(below)
		_, nested := os.Stat(filepath.Join(name, "go.mod"))
		if e.IsDir() && (nested == nil || ignored.match(below)) {
			return filepath.SkipDir
		}
		if !e.Type().IsRegular() || ignored.match(below) {
			return nil
		}
		to, err := w.Create(modulePath + "@v0.0.0/" + below)
		if err != nil {
			return err
		}
		from, err := os.Open(name)
		if err != nil {
			return err
		}
		defer from.Close()
		_, err = io.Copy(to, from)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = w.Close()
	return module.Bytes(), err
}

// An ignored has the patterns of .gitignore, each of which is for a name or, with a slash before
// it, for a path.
type ignored []string

func (i ignored) match(name string) bool {
	return slices.ContainsFunc(i, func(pattern string) bool {
		whole, anchored := strings.CutPrefix(pattern, "/")
		if anchored {
			return name == whole
		}
		ok, _ := path.Match(pattern, path.Base(name))
		return ok
	})
}

func readIgnored(dir string) (ignored, error) {
	text, err := os.ReadFile(filepath.Join(dir, ".gitignore"))
	if err != nil {
		return nil, err
	}
	patterns := ignored{".git"}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSuffix(strings.TrimSpace(line), "/"); line != "" && line[0] != '#' {
			patterns = append(patterns, line)
		}
	}
	return patterns, nil
}

// byDirectory returns a line for each directory of a module's zip file, the heaviest first.
func byDirectory(module []byte) ([]string, error) {
	r, err := zip.NewReader(bytes.NewReader(module), int64(len(module)))
	if err != nil {
		return nil, err
	}
	weight := make(map[string]uint64)
	for _, f := range r.File {
		_, name, _ := strings.Cut(f.Name, "@v0.0.0/")
		weight[path.Dir(name)] += f.CompressedSize64
	}
	dirs := slices.SortedFunc(maps.Keys(weight), func(a, b string) int { return cmp.Compare(weight[b], weight[a]) })
	for i, d := range dirs {
		dirs[i] = fmt.Sprintf("%7d %s", weight[d], d)
	}
	return dirs, nil
}
