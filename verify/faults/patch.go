package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A patch is one file NN_name.patch.
type patch struct {
	number   int
	name     string     // as in the file name: grant_lost
	file     string     // 12_grant_lost.patch
	path     string     // absolute
	what     string     // the fault, in one sentence
	commands []*command // each of them must notice the fault
	err      error      // why the file cannot be used, or nil
}

func (p *patch) title() string { return fmt.Sprintf("%02d %s", p.number, p.name) }

var patchName = regexp.MustCompile(`^(\d+)_([a-z0-9_]+)\.patch$`)

// readPatches reads the patches of the module in root, in the order of their
// numbers. A patch whose text is wrong is returned with its err set, so that the
// table shows it with the others. A file whose name is wrong is an error at once,
// because it would never be run.
func readPatches(root string) ([]*patch, error) {
	dir := filepath.Join(root, "verify", "faults")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var patches []*patch
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".patch") && !strings.HasSuffix(e.Name(), ".diff") {
			continue
		}
		m := patchName.FindStringSubmatch(e.Name())
		if m == nil {
			return nil, fmt.Errorf("%s: the name of a patch is NN_lower_case.patch", e.Name())
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		p := &patch{name: m[2], file: e.Name(), path: filepath.Join(dir, e.Name())}
		p.number, _ = strconv.Atoi(m[1]) // the expression allows only digits
		p.err = p.parse(string(text))
		patches = append(patches, p)
	}
	slices.SortStableFunc(patches, func(a, b *patch) int { return a.number - b.number })
	return patches, nil
}

// parse reads the lines before the diff, and the names of the files in it.
func (p *patch) parse(text string) error {
	inDiff, files := false, 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if !inDiff {
			if header, ok := strings.CutPrefix(line, "#"); ok {
				if err := p.header(strings.TrimSpace(header)); err != nil {
					return err
				}
			}
			inDiff = strings.HasPrefix(line, "diff ") || strings.HasPrefix(line, "--- ")
		}
		// An added line that begins with "++ " looks like a file name too, but it does
		// harm here only if it names a test.
		name, ok := strings.CutPrefix(line, "+++ ")
		if !ok || !inDiff {
			continue
		}
		files++
		if strings.HasSuffix(name, "_test.go") {
			return fmt.Errorf("the patch changes the test %s; a fault must be in the product's code", name)
		}
	}
	switch {
	case p.what == "":
		return fmt.Errorf(`no line "# what: …" before the diff`)
	case len(p.commands) == 0:
		return fmt.Errorf(`no line "# killed by: go test …" before the diff`)
	case files == 0:
		return fmt.Errorf("no diff")
	}
	return nil
}

// header reads one line of the head; lines of neither kind are remarks.
func (p *patch) header(line string) error {
	if what, ok := strings.CutPrefix(line, "what:"); ok {
		p.what = strings.TrimSpace(what)
	}
	if text, ok := strings.CutPrefix(line, "killed by:"); ok {
		c, err := parseCommand(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("killed by: %w", err)
		}
		p.commands = append(p.commands, c)
	}
	return nil
}
