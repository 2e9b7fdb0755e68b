package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The toy module has one function, and tests each of which notices a fault in a
// different way.
const toyCode = `package toy

// Add returns the sum of a and b.
func Add(a, b int) int {
	return a + b
}
`

const toyTest = `package toy

import (
	"flag"
	"os"
	"testing"
)

var late = flag.Bool("late", false, "panic before the first test")

func TestMain(m *testing.M) {
	flag.Parse()
	if *late && Add(1, 2) != 3 {
		panic("outside of any test")
	}
	os.Exit(m.Run())
}

func TestAdd(t *testing.T) {
	if Add(1, 2) != 3 {
		t.Error("1+2 is not 3")
	}
}

func TestOther(t *testing.T) {}

func TestPanic(t *testing.T) {
	if Add(1, 2) != 3 {
		done := make(chan bool)
		go func() { panic("not on the test's goroutine") }()
		<-done
	}
}

func TestSleep(t *testing.T) {
	if Add(1, 2) != 3 {
		select {}
	}
}

func TestEnv(t *testing.T) {
	if os.Getenv("TOY") == "on" && Add(1, 2) != 3 {
		t.Error("1+2 is not 3")
	}
}

// TestThird fails on the third try of the same tree.
func TestThird(t *testing.T) {
	if Add(1, 2) == 3 {
		return
	}
	f, err := os.OpenFile("tries", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		t.Skip(err)
	}
	f.WriteString("x")
	f.Close()
	if text, _ := os.ReadFile("tries"); len(text) == 3 {
		t.Error("third time")
	}
}

func TestBroken(t *testing.T)  { t.Error("always") }
func TestSkipped(t *testing.T) { t.Skip("never") }
func TestExit(t *testing.T) {
	if Add(1, 2) != 3 {
		os.Exit(3)
	}
}
`

// No other file needs toyParts, so prune removes it unless one of its tests is run.
const toyParts = `package toy_test

import (
	"testing"

	"toy"
)

func TestParts(t *testing.T) {
	t.Run("sum", func(t *testing.T) {
		if toy.Add(1, 2) != 3 {
			t.Error("1+2 is not 3")
		}
	})
	t.Run("other", func(t *testing.T) {})
}
`

// toyDiff replaces the line of toyCode that does the work.
func toyDiff(old, new string) string {
	return "diff --git a/toy.go b/toy.go\n--- a/toy.go\n+++ b/toy.go\n" +
		"@@ -2,5 +2,5 @@\n \n // Add returns the sum of a and b.\n func Add(a, b int) int {\n" +
		"-\t" + old + "\n+\t" + new + "\n }\n"
}

var (
	minus    = toyDiff("return a + b", "return a - b")
	nonsense = toyDiff("return a + b", "return a + c")
	stale    = toyDiff("return a * b", "return a - b")
	vetted   = toyDiff("return a + b", "a = a; return a - b")
)

func toyPatch(command, diff string) string {
	return "# what: Add subtracts\n# a remark\n# killed by: " + command + "\n\n" + diff
}

// writeTree writes the files below a new directory and returns it.
func writeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// toy writes the toy module with the patches, by file name.
func toy(t *testing.T, patches map[string]string) string {
	t.Helper()
	files := map[string]string{
		"go.mod":                  "module toy\n\ngo 1.25\n",
		"toy.go":                  toyCode,
		"toy_test.go":             toyTest,
		"parts_test.go":           toyParts,
		".git/HEAD":               "stays behind",
		"verify/faults/some.text": "no patch",
	}
	for name, text := range patches {
		files["verify/faults/"+name] = text
	}
	return writeTree(t, files)
}

const flags = " -count=1 -timeout 60s"

// TestVerdicts covers every case that the runner distinguishes, each with one fault in
// the toy module. It checks the verdict, and that only a kill is a success.
func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		patch   string
		verdict string
		how     string // in the row, or in the explanation of a failure
	}{
		{"failure", toyPatch("go test . -run '^TestAdd$'"+flags, minus), killed, "--- FAIL: TestAdd"},
		{"panic", toyPatch("go test . -run ^TestPanic$"+flags, minus), killed, "panic: not on the test's goroutine"},
		{"timeout", toyPatch("go test . -run '^TestSleep$' -count=1 -timeout=1s", minus), killed, "panic: test timed out after 1s"},
		{"environment", toyPatch("TOY=on go test . -run '^TestEnv$'"+flags, minus), killed, "--- FAIL: TestEnv"},
		{"no environment", toyPatch("go test . -run '^TestEnv$'"+flags, minus), survived, ""},
		{"subtest", toyPatch("go test . -run '^TestParts$/^sum$'"+flags, minus), killed, "--- FAIL: TestParts/sum"},
		{"other subtest", toyPatch("go test . -run '^TestParts$/^other$'"+flags, minus), survived, ""},
		{"third try", toyPatch("go test . -run '^TestThird$'"+flags, minus), killed, "  3  "},
		{"another test", toyPatch("go test . -run '^TestOther$'"+flags, minus), survived, "command: go test . -run '^TestOther$'"},
		{"compiler", toyPatch("go test . -run '^TestAdd$'"+flags, nonsense), notCompiled, "undefined: c"},
		{"vet", toyPatch("go test -vet=all . -run '^TestAdd$'"+flags, vetted), notCompiled, "self-assignment"},
		{"stale", toyPatch("go test . -run '^TestAdd$'"+flags, stale), notApplied, "patch does not apply"},
		{"broken before", toyPatch("go test . -run '^TestBroken$'"+flags, minus), badBaseline, "on the code as it is"},
		{"no such package", toyPatch("go test ./nowhere -run '^TestAdd$'"+flags, minus), badBaseline, "directory not found"},
		{"no such test", toyPatch("go test . -run '^TestNothing$'"+flags, minus), noTest, "no tests to run"},
		{"skipped", toyPatch("go test . -run '^TestSkipped$'"+flags, minus), noTest, "on the code as it is"},
		{"exit", toyPatch("go test . -run '^TestExit$'"+flags, minus), unclear, "no test did"},
		{"outside", toyPatch("go test . -run '^TestOther$' -late"+flags, minus), unclear, "no test did"},
		{"no what", strings.Replace(toyPatch("go test . -run '^TestAdd$'"+flags, minus), "what", "why", 1), badPatch, "# what:"},
		{"no command", strings.Replace(toyPatch("go test . -run '^TestAdd$'"+flags, minus), "killed", "found", 1), badPatch, "# killed by:"},
		{"no diff", toyPatch("go test . -run '^TestAdd$'"+flags, ""), badPatch, "no diff"},
		{"no run", toyPatch("go test ."+flags, minus), badPatch, "no -run"},
		{"no timeout", toyPatch("go test . -run '^TestAdd$' -count=1", minus), badPatch, "no -timeout"},
		{"no count", toyPatch("go test . -run '^TestAdd$' -timeout 60s", minus), badPatch, "no -count"},
		{"not go", toyPatch("make test", minus), badPatch, "not a go command"},
		{"changes a test", toyPatch("go test . -run '^TestAdd$'"+flags, strings.ReplaceAll(minus, "toy.go", "toy_test.go")), badPatch, "changes the test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root := toy(t, map[string]string{"07_toy_fault.patch": tt.patch})
			var out strings.Builder
			err := faults(t.Context(), options{root: root, parallel: 1, tries: 3}, &out)
			if (err == nil) != (tt.verdict == killed) {
				t.Errorf("error %v with the verdict %s", err, tt.verdict)
			}
			row := regexp.MustCompile(`(?m)^07 toy_fault  ` + tt.verdict + `  .*$`)
			if !row.MatchString(out.String()) {
				t.Errorf("no row with the verdict %s", tt.verdict)
			}
			if !strings.Contains(out.String(), tt.how) {
				t.Errorf("no word of %q", tt.how)
			}
			if t.Failed() {
				t.Log("\n" + out.String())
			}
			if text, err := os.ReadFile(filepath.Join(root, "toy.go")); err != nil || string(text) != toyCode {
				t.Errorf("the original has been touched: %v\n%s", err, text)
			}
		})
	}
}

// TestWithinRepository runs with the temporary directory inside a repository. There
// git apply would skip every file of the patch and report success.
func TestWithinRepository(t *testing.T) {
	root := toy(t, map[string]string{"1_a.patch": toyPatch("go test . -run '^TestAdd$'"+flags, minus)})
	outer := writeTree(t, map[string]string{
		".git/HEAD":           "ref: refs/heads/main\n",
		".git/config":         "[core]\n\trepositoryformatversion = 0\n",
		".git/objects/x":      "",
		".git/refs/x":         "",
		"scratch/placeholder": "",
	})
	t.Setenv("TMPDIR", filepath.Join(outer, "scratch"))
	var out strings.Builder
	if err := faults(t.Context(), options{root: root, parallel: 1, tries: 1}, &out); err != nil {
		t.Errorf("%v\n%s", err, &out)
	}
}

// TestSeveral runs several patches at a time. The rows must be in the order of the
// numbers, a patch with two commands must have two rows, and one failure must fail the run.
func TestSeveral(t *testing.T) {
	root := toy(t, map[string]string{
		"2_b.patch":  toyPatch("go test . -run '^TestAdd$'"+flags+"\n# killed by: go test . -run '^TestPanic$'"+flags, minus),
		"10_c.patch": toyPatch("go test . -run '^TestOther$'"+flags, minus),
		"1_a.patch":  toyPatch("go test . -run '^TestAdd$'"+flags, minus),
	})
	var out strings.Builder
	err := faults(t.Context(), options{root: root, parallel: 2, tries: 1}, &out)
	if err == nil || !strings.Contains(err.Error(), "1 of 4") {
		t.Errorf("error %v, want 1 of 4 not killed", err)
	}
	rows := regexp.MustCompile(`(?m)^\d\d [abc]`).FindAllString(out.String(), -1)
	if got := strings.Join(rows, ","); got != "01 a,02 b,02 b,10 c" {
		t.Errorf("rows %s\n%s", got, &out)
	}

	out.Reset()
	o := options{root: root, parallel: 1, tries: 1, run: regexp.MustCompile("^2_")}
	if err := faults(t.Context(), o, &out); err != nil {
		t.Errorf("-run ^2_: %v\n%s", err, &out)
	}
	out.Reset()
	if err := faults(t.Context(), options{root: root, list: true}, &out); err != nil || !strings.Contains(out.String(), "10 c: Add subtracts\n\tgo test . -run '^TestOther$'") {
		t.Errorf("-list: %v\n%s", err, &out)
	}
	o = options{root: root, parallel: 1, tries: 1, run: regexp.MustCompile("nothing")}
	if err := faults(t.Context(), o, &out); err == nil {
		t.Error("a -run that matches nothing succeeds")
	}
}

// TestRequired checks the list of required faults.
func TestRequired(t *testing.T) {
	patch := toyPatch("go test . -run '^TestAdd$'"+flags, minus)
	for _, tt := range []struct {
		name, require, expected, want string
	}{
		{"all there", "1-2", "", ""},
		{"one expected", "1-3", "# remark\n\n3 c: not built yet\n", ""},
		{"one missing", "1-3", "", "neither a patch nor a line in EXPECTED for 3"},
		{"stale line", "1-2", "2 b: not built yet\n", "a patch as well as a line in EXPECTED for 2"},
		{"no reason", "1-3", "3 c\n", "EXPECTED:1"},
		{"no numbers", "x", "", "-require"},
		{"backwards", "3-1", "", "-require"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := toy(t, map[string]string{"01_a.patch": patch, "02_b.patch": patch, "EXPECTED": tt.expected})
			var out strings.Builder
			err := faults(t.Context(), options{root: root, list: true, require: tt.require}, &out)
			if tt.want == "" && err != nil {
				t.Error(err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	root := toy(t, map[string]string{"Two words.patch": patch})
	if err := faults(t.Context(), options{root: root, list: true}, &strings.Builder{}); err == nil {
		t.Error("a patch with a wrong name is ignored")
	}
}

func TestSplitWords(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`go test  ./rwsem -run '^Test(A|B)$'`, `go|test|./rwsem|-run|^Test(A|B)$`},
		{`A="b c" d\ e '' "\"" 'x\'`, `A=b c|d e||"|x\`},
		{"", ""},
	} {
		got, err := splitWords(tt.in)
		if err != nil || strings.Join(got, "|") != tt.want {
			t.Errorf("splitWords(%q) = %q, %v", tt.in, got, err)
		}
	}
	for _, in := range []string{`'a`, `"a`, `a\`} {
		if _, err := splitWords(in); err == nil {
			t.Errorf("splitWords(%q) succeeds", in)
		}
	}
}
