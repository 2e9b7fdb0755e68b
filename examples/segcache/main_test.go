package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/mapfile"
)

// makeFiles writes files of up to four pages, and an empty one.
func makeFiles(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	rng := rand.NewChaCha8([32]byte{1})
	for i := range 12 {
		b := make([]byte, i*int(mapfile.Granularity())/3)
		rng.Read(b)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRun(t *testing.T) {
	page := int(mapfile.Granularity())
	for _, budget := range []int{0, 3 * page, 1 << 30} {
		var out bytes.Buffer
		args := []string{"-dir", makeFiles(t), "-duration", "200ms", "-segment", fmt.Sprint(page), "-budget", fmt.Sprint(budget)}
		if err := run(t.Context(), args, &out); err != nil {
			t.Fatalf("budget %d: %v\n%s", budget, err, &out)
		}
		words := strings.Join(strings.Fields(out.String()), " ")
		evicts := !strings.Contains(words, "evictions 0 ")
		if want := budget < 1<<30; evicts != want || !strings.Contains(words, "wrong bytes 0 Every") {
			t.Errorf("budget %d:\n%s", budget, &out)
		}
		if budget == 1<<30 && !strings.Contains(words, "loads 26 ") { // each once
			t.Errorf("not every segment is loaded once:\n%s", &out)
		}
	}
}

// TestWrong checks that a wrong byte, a file that has changed and a segment that was never
// unmapped are reported.
func TestWrong(t *testing.T) {
	dir := makeFiles(t)
	c, err := readCorpus(t.Context(), dir, uint64(mapfile.Granularity()), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	k := newCache(c, 1<<20)
	if wrong, err := k.read(t.Context(), 0); wrong != 0 || err != nil {
		t.Fatal(wrong, err)
	}
	if k.loads.Load() != 1 || k.unmaps.Load() != 0 || k.mapped.Load() != int64(c.files[0].hi) {
		t.Errorf("%d loads, %d unmaps, %d bytes", k.loads.Load(), k.unmaps.Load(), k.mapped.Load())
	}
	c.sums[0]++
	if wrong, err := k.read(t.Context(), 0); wrong != int(c.files[0].hi) || err != nil {
		t.Errorf("%d wrong bytes, %v", wrong, err)
	}
	last := c.files[len(c.files)-1]
	if err := os.Truncate(last.path, 10); err != nil {
		t.Fatal(err)
	}
	if _, err := k.read(t.Context(), last.lo); err == nil || !strings.Contains(err.Error(), last.path+" has changed") {
		t.Errorf("error is %v", err)
	}
	if err := k.m.Close(context.Background()); err != nil || k.unmaps.Load() != 1 || k.mapped.Load() != 0 {
		t.Errorf("%v, %d unmaps, %d bytes", err, k.unmaps.Load(), k.mapped.Load())
	}
}

func TestErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-duration 0s":           "-duration is 0s",
		"-segment 100":           "-segment is 100",
		"-readers 0":             "-readers 0",
		"-budget 2000000000000":  "-budget is",
		"x":                      "unexpected argument",
		"-dir /no/such/dir":      "cannot read the directory",
		"-dir . -corpus 1":       "no readable file",
		"-duration soon -dir .x": "soon",
	} {
		if err := run(t.Context(), strings.Fields(args), new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want one with %q", args, err, want)
		}
	}
}
