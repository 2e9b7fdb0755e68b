package spanlock_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// writeAPI makes TestAPI write the snapshot of a new release.
var writeAPI = flag.Bool("api.write", false, "write testdata/api for the newest release of CHANGELOG.md, where there is none")

// public are the packages of the main module that programs import.
var public = []string{"epoch", "guardprofile", "inspect", "mapfile", "rangealloc", "rangelock", "rangelocktest", "rwsem"}

// targets are the builds that must have the same API. The first one is what the snapshot shows.
var targets = []target{
	{"linux", "amd64", ""},
	{"linux", "amd64", "race"}, {"linux", "amd64", "invariants"}, {"linux", "amd64", "spanlockdebug"}, {"linux", "amd64", "schedule"},
	{"linux", "386", ""}, {"linux", "arm", ""}, {"linux", "arm64", ""}, {"linux", "s390x", ""},
	{"darwin", "arm64", ""}, {"freebsd", "amd64", ""}, {"netbsd", "amd64", ""}, {"windows", "amd64", ""}, {"plan9", "amd64", ""},
	{"darwin", "arm64", "spanlockdebug"}, {"windows", "amd64", "spanlockdebug"},
}

// TestAPI compares what the public packages export with the API of the newest release that
// CHANGELOG.md has, which stands in testdata/api. The section Unreleased has to name each
// difference:
//
//   - A new declaration is named in an entry under any heading.
//   - A changed or removed one is named in an entry under Changed or Removed.
//
// The entry begins with the package, as all do (- `rangelock`: ...), and the name stands between
// backquotes: `New` for what the package declares, `Map.Acquire` for a method or a field. The
// members of a type that is itself new or removed need no entry of their own.
//
// A release renames the section and writes the next snapshot:
//
//	go test . -run '^TestAPI$' -api.write
//
// This never overwrites a snapshot. To change the API of a release before its tag is set, delete
// the snapshot and write it again.
//
// The test reads the syntax. It does not see whether a type can be compared, the value of a
// constant whose expression stays the same, or what a declaration does.
func TestAPI(t *testing.T) {
	tree := os.DirFS(".")
	text, err := fs.ReadFile(tree, "CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	changes, err := parseChangelog(string(text))
	if err != nil {
		t.Fatal(err)
	}
	now, err := declared(tree, public, targets[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range targets[1:] {
		lines, err := declared(tree, public, other)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range without(lines, now) {
			t.Errorf("only with %v, not with %v: %s", other, targets[0], l)
		}
		for _, l := range without(now, lines) {
			t.Errorf("with %v, but not with %v: %s", targets[0], other, l)
		}
	}
	for dir := range mayImport {
		if dir != "." && !strings.HasSuffix(dir, "/...") && !strings.HasPrefix(dir, "internal/") && !slices.Contains(public, dir) {
			t.Errorf("package %s is not in the list public, so its API is not compared", dir)
		}
	}
	snapshot := filepath.Join("testdata", "api", "v"+changes.release+".txt")
	if *writeAPI {
		if len(changes.unreleased) > 0 {
			t.Fatal("CHANGELOG.md has entries under Unreleased: move them to the section of the release first")
		}
		if err := writeNew(snapshot, strings.Join(now, "\n")+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	then, err := os.ReadFile(snapshot)
	if err != nil {
		t.Fatalf("%v; for a new release: go test . -run '^TestAPI$' -api.write", err)
	}
	released := strings.Split(strings.TrimSuffix(string(then), "\n"), "\n")
	for _, complaint := range changes.unnamed(released, now) {
		t.Error(complaint)
	}
}

// writeNew writes a file that does not exist.
func writeNew(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err2 := f.Close(); err == nil {
		err = err2
	}
	return err
}

// without returns the strings of a that are not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// A changelog is what TestAPI needs of CHANGELOG.md.
type changelog struct {
	release    string // the newest, as in 0.1.0
	unreleased []note // what has changed since
}

// A note is an item of the changelog.
type note struct {
	heading  string   // Added, Changed, ...
	packages []string // of which it tells
	quoted   []string // what it has between backquotes
}

var (
	changelogHeading = regexp.MustCompile(`^## \[(.+?)\]`)
	quotation        = regexp.MustCompile("`[^`]*`")
)

func parseChangelog(text string) (c changelog, err error) {
	section, heading := "", ""
	var items []string // of Unreleased, each "heading\nitem"
	for line := range strings.Lines(text) {
		if m := changelogHeading.FindStringSubmatch(line); m != nil {
			section = m[1]
			if section != "Unreleased" {
				c.release = section
				break
			}
			continue
		}
		switch {
		case section == "": // what precedes the first section
		case strings.HasPrefix(line, "### "):
			heading = strings.TrimSpace(strings.TrimPrefix(line, "### "))
		case strings.HasPrefix(line, "- "):
			items = append(items, heading+"\n"+line)
		case len(items) > 0 && strings.HasPrefix(line, "  "):
			items[len(items)-1] += line
		}
	}
	if section == "" || c.release == "" {
		return c, fmt.Errorf("CHANGELOG.md has no section Unreleased with a release below it")
	}
	for _, item := range items {
		heading, item, _ := strings.Cut(item, "\n")
		packages, rest, _ := strings.Cut(item, ": ")
		c.unreleased = append(c.unreleased, note{heading, quotation.FindAllString(packages, -1), quotation.FindAllString(rest, -1)})
	}
	return c, nil
}

// names reports whether an entry under one of the headings, or under any if there are none,
// names the symbol of the package.
func (c changelog) names(s symbol, headings ...string) bool {
	whole := regexp.MustCompile(`(^|[^\w.])` + regexp.QuoteMeta(s.name) + `($|[^\w.])`)
	return slices.ContainsFunc(c.unreleased, func(e note) bool {
		return (len(headings) == 0 || slices.Contains(headings, e.heading)) &&
			slices.Contains(e.packages, "`"+s.pkg+"`") &&
			slices.ContainsFunc(e.quoted, whole.MatchString)
	})
}

// A symbol is what a line of the API declares.
type symbol struct {
	pkg  string
	typ  string // of a method or a field, else ""
	name string // as an entry has it: Map.Acquire
}

var apiLine = regexp.MustCompile(`^pkg (\w+), (?:` +
	`method \(\*?(\w+)(?:\[[^()]*\])?\) (\w+)|` +
	`type (\w+)(?:\[.*?\])? struct, (?:embedded \*?(?:\w+\.)?)?(\w+)|` +
	`(?:func|type|var|const) (\w+))`)

func symbolOf(line string) symbol {
	m := apiLine.FindStringSubmatch(line)
	if m == nil {
		return symbol{name: line} // no entry has that
	}
	s := symbol{pkg: m[1], typ: m[2] + m[4], name: m[3] + m[5] + m[6]}
	if s.typ != "" {
		s.name = s.typ + "." + s.name
	}
	return s
}

// unnamed returns a complaint for each symbol that differs between two APIs and that the
// changelog does not name.
func (c changelog) unnamed(released, now []string) (complaints []string) {
	symbols := func(lines []string) map[symbol][]string {
		by := make(map[symbol][]string)
		for _, l := range lines {
			s := symbolOf(l)
			by[s] = append(by[s], l)
		}
		return by
	}
	before, after := symbols(released), symbols(now)
	gone, added := symbols(without(released, now)), symbols(without(now, released))
	complain := func(s symbol, what, heading string) {
		complaints = append(complaints, fmt.Sprintf("%s\n\t%s\nCHANGELOG.md has no entry \"- `%s`: ... `%s` ...\" under Unreleased, %s",
			what, strings.Join(slices.Concat(gone[s], added[s]), "\n\t"), s.pkg, s.name, heading))
	}
	for s := range gone {
		owner := symbol{s.pkg, "", s.typ}
		_, removed := gone[owner]
		if len(after[owner]) == 0 && removed {
			continue
		}
		if !c.names(s, "Changed", "Removed") {
			complain(s, "changed or removed since the release:", "Changed or Removed")
		}
	}
	for s := range added {
		owner := symbol{s.pkg, "", s.typ}
		if len(gone[s]) > 0 || s.typ != "" && len(before[owner]) == 0 {
			continue
		}
		if !c.names(s) {
			complain(s, "new since the release:", "Added")
		}
	}
	slices.Sort(complaints)
	return complaints
}

// TestAPIChecker shows that the comparison sees each difference, and asks for it where it has to
// stand.
func TestAPIChecker(t *testing.T) {
	const released = `package epoch
type Map[K, V any] struct { Size, hidden int }
func New[K, V any](compare func(a, b K) int) *Map[K, V] { return nil }
func (m *Map[K, V]) Get(key K) (v V, ok bool) { return }
func (m Map[K, V]) inner() {}
type Source interface { Bounds() (lo, hi int); close() }
type Old struct { Size int }
func (Old) Close() {}
var ErrFull = errors.New("full")
type Kind int
const ( First Kind = iota; Second )`
	for _, tt := range []struct {
		old, new string // is replaced in released
		entry    string // under Unreleased
		want     string // a part of the only complaint; "" for none
	}{
		{"", "", "", ""},
		{"hidden int", "hidden, other int", "", ""},
		{"key K", "k K", "", ""},
		{"inner()", "outer()", "", ""},

		{"key K", "key *K", "", "method (*Map[K, V]) Get(*K) (V, bool)\nCHANGELOG.md has no entry \"- `epoch`: ... `Map.Get` ...\" under Unreleased, Changed or Removed"},
		{"key K", "key *K", "### Changed\n\n- `epoch`: `Map.Get` takes a pointer.\n", ""},
		{"key K", "key *K", "### Changed\n\n- `epoch`, `rwsem`: a long entry, in which\n  `m := Map.Get(k)` stands in the second line.\n", ""},
		{"key K", "key *K", "### Added\n\n- `epoch`: `Map.Get` takes a pointer.\n", "Changed or Removed"},
		{"key K", "key *K", "### Changed\n\n- `rwsem`: `Map.Get` takes a pointer.\n", "Changed or Removed"},
		{"key K", "key *K", "### Changed\n\n- `epoch`: `Map.GetAll`, Map.Get and `Get`.\n", "Changed or Removed"},
		{"m *Map[K, V]) Get", "m Map[K, V]) Get", "", "method (Map[K, V]) Get"},
		{"compare func(a, b K) int", "compare func(a, b K) bool", "", "`New`"},
		{"Size, hidden int", "Size int64", "", "`Map.Size`"},
		{"Size, hidden int", "hidden int", "", "`Map.Size`"},
		{"Size, hidden int", "hidden int", "### Removed\n\n- `epoch`: `Map.Size`.\n", ""},
		{"lo, hi int", "lo, hi int64", "", "`Source`"},
		{"close()", "close() error", "", "`Source`"},
		{"First Kind = iota; Second", "Second Kind = iota; First", "### Changed\n\n- `epoch`: `First`.\n", "`Second`"},
		{"type Kind int", "type Kind uint", "", "`Kind`"},

		{"func (Old) Close() {}", "func (Old) Close() {}; func (Old) Open() {}", "", "`Old.Open` ...\" under Unreleased, Added"},
		{"func (Old) Close() {}", "func (Old) Close() {}; func (Old) Open() {}", "### Added\n\n- `epoch`: `Old.Open`.\n", ""},
		{"type Kind int", "type Kind int; type Young struct { Size int }; func (Young) Close() {}", "", "`Young` ...\" under Unreleased, Added"},
		{"type Kind int", "type Kind int; type Young struct { Size int }", "### Added\n\n- `epoch`: `Young`.\n", ""},
		{"type Old struct { Size int }\nfunc (Old) Close() {}", "", "", "`Old` ...\" under Unreleased, Changed or Removed"},
		{"type Old struct { Size int }\nfunc (Old) Close() {}", "", "### Removed\n\n- `epoch`: `Old`.\n", ""},
	} {
		lines := func(text string) []string {
			l, err := declared(fstest.MapFS{"epoch/a.go": {Data: []byte(text)}}, []string{"epoch"}, targets[0])
			if err != nil {
				t.Errorf("%q becomes %q: %v", tt.old, tt.new, err)
			}
			return l
		}
		c, err := parseChangelog("# Changelog\n\n## [Unreleased]\n\n" + tt.entry + "\n## [0.1.0] - 2026-11-28\n\n### Changed\n\n- `epoch`: `Map.Get`, `New`, `Kind`.\n")
		if err != nil || c.release != "0.1.0" {
			t.Fatal(c.release, err)
		}
		got := c.unnamed(lines(released), lines(strings.ReplaceAll(released, tt.old, tt.new)))
		switch {
		case tt.want == "" && len(got) > 0:
			t.Errorf("%q becomes %q: %q, want no complaint", tt.old, tt.new, got)
		case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)):
			t.Errorf("%q becomes %q: %q, want one complaint with %q", tt.old, tt.new, got, tt.want)
		}
	}
	for _, text := range []string{
		"package epoch\nvar Size = f()",
		"package epoch\ntype Map struct { inner }; type inner struct { Size int }",
		"package epoch\ntype Map struct { inner }; type inner interface { Size() int }",
		"package",
	} {
		if l, err := declared(fstest.MapFS{"epoch/a.go": {Data: []byte(text)}}, []string{"epoch"}, targets[0]); err == nil {
			t.Errorf("%q: %q, want an error", text, l)
		}
	}
	if _, err := parseChangelog("# Changelog\n\n## [Unreleased]\n"); err == nil {
		t.Error("a changelog without a release is accepted")
	}
}
