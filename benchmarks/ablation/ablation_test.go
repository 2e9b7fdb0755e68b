package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each patch applies to the module as it is, after the patch named in its line "on", and
// changes only product code.
func TestPatchesApply(t *testing.T) {
	root, patches := testPatches(t)
	for _, p := range patches {
		t.Run(p.name, func(t *testing.T) {
			dir := t.TempDir()
			w := workshop{root: root, dir: dir}
			if err := w.tree(t.Context(), filepath.Join(dir, "tree"), append(slices.Clone(p.on), p)...); err != nil {
				t.Error(err)
			}
			text, err := os.ReadFile(p.path)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(text)) {
				name, ok := strings.CutPrefix(line, "+++ b/")
				if !ok {
					continue
				}
				if dir, _ := filepath.Split(name); !slices.Contains([]string{"rangelock/", "epoch/", "internal/rangetree/"}, dir) {
					t.Errorf("changes %s", name)
				}
			}
		})
	}
}

// Each patch is measured, the probe knows every cell, and both sides of each comparison build
// and answer.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the module a dozen times")
	}
	root, patches := testPatches(t)
	var out bytes.Buffer
	o := options{root: root, rounds: 1, turns: 1, slice: time.Millisecond}
	if err := ablate(t.Context(), o, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	table := out.String()
	for _, p := range patches {
		for _, c := range p.cells {
			if !strings.Contains(table, "| "+p.name+" | "+c.String()+" |") {
				t.Errorf("%s: no row for %s", p.name, c)
			}
		}
		if !strings.Contains(table, p.so) {
			t.Errorf("%s: the table does not say what is lost", p.name)
		}
	}
	if t.Failed() {
		t.Log(table)
	}
}

func testPatches(t *testing.T) (root string, patches []*patch) {
	t.Helper()
	root, err := moduleRoot("")
	if err != nil {
		t.Fatal(err)
	}
	patches, err = readPatches(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(patches) < 13 {
		t.Fatalf("%d patches: have some been lost?", len(patches))
	}
	return root, patches
}

func TestParse(t *testing.T) {
	var p patch
	on, err := p.parse("# out: a\n# so: b: c\n# on: d\n# cells: get n=3; one g=2\n--- a/x\n# no header\n")
	want := []cell{{"get", 3, 1}, {"one", 1, 2}}
	if err != nil || on != "d" || p.out != "a" || p.so != "b: c" || !slices.Equal(p.cells, want) {
		t.Errorf("parsed as %+v, %q, %v", p, on, err)
	}
	for _, text := range []string{
		"",
		"# out: a\n# cells: get\n--- a/x\n",
		"# out: a\n# so: b\n--- a/x\n",
		"# out: a\n# so: b\n# cells: get n=x\n",
		"# out: a\n# so: b\n# cells: get n=0\n",
		"# out: a\n# so: b\n# cells: get m=1\n",
		"# out: a\n# so: b\n# cells: get;\n",
		"# out: a\n# so: b\n# cells: get\n# else: c\n",
	} {
		if _, err := new(patch).parse(text); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}

func TestQuantile(t *testing.T) {
	xs := []float64{5, 1, 4, 2, 3}
	for q, want := range map[float64]float64{0: 1, 0.25: 2, 0.5: 3, 0.75: 4, 1: 5} {
		if got := quantile(xs, q, func(x float64) float64 { return x }); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

// A probe that dies causes an error and not a hang.
func TestProbeThatDies(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// The test's own program does not know the flag -do, and exits.
	if _, err := duel(ctx, options{turns: 1, slice: time.Millisecond}, cell{"get", 1, 1}, []string{program, program}); err == nil || ctx.Err() != nil {
		t.Errorf("duel returned %v", err)
	}
}
