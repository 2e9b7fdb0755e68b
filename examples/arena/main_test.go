package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rangealloc"
)

func TestRun(t *testing.T) {
	for _, args := range []string{"", "-size 5000", "-slots 1 -owners 4", "-readers 1 -owners 1 -slots 100"} {
		var out bytes.Buffer
		// The lines of this module are enough.
		all := append(strings.Fields("-dir ../.. -lines 2000 -slots 300 -size 40000 -duration 150ms"), strings.Fields(args)...)
		if err := run(t.Context(), all, &out); err != nil {
			t.Fatalf("%s: %v\n%s", args, err, &out)
		}
		words := strings.Join(strings.Fields(out.String()), " ")
		if !strings.Contains(words, "spoiled 0 Every") {
			t.Errorf("%s: the report is\n%s", args, &out)
		}
	}
}

// TestRunWorks checks that everything has happened in a run, given time: how soon the
// readers have their turn is the scheduler's business.
func TestRunWorks(t *testing.T) {
	missing := "a run"
	for d := 150 * time.Millisecond; missing != "" && d < 20*time.Second; d *= 4 {
		var out bytes.Buffer
		args := strings.Fields("-dir ../.. -lines 2000 -slots 300 -size 40000 -duration " + d.String())
		if err := run(t.Context(), args, &out); err != nil {
			t.Fatalf("%v\n%s", err, &out)
		}
		words := strings.Join(strings.Fields(out.String()), " ")
		missing = ""
		for _, never := range []string{"reads 0 ", "allocs 0 ", "frees 0 ", "no space 0 ", "peak 0 "} {
			if strings.Contains(words, never) {
				missing = never + "\n" + out.String()
			}
		}
	}
	if missing != "" {
		t.Errorf("nothing has happened: %s", missing)
	}
}

// TestSpoiled checks that a wrong byte is seen wherever it stands, and that bytes
// under a guard stay until it is released.
func TestSpoiled(t *testing.T) {
	a, err := newArena(4096)
	if err != nil {
		t.Fatal(err)
	}
	put := func(s string, align int) int {
		t.Helper()
		at, err := a.put(t.Context(), []byte(s), align)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	spoiled := func(want int64, where string) {
		t.Helper()
		if got := a.spoiled.Swap(0); got != want {
			t.Errorf("%s: %d spoiled, want %d", where, got, want)
		}
	}
	free := func(at int) {
		t.Helper()
		if err := errors.Join(a.free(t.Context(), at), a.alloc.Map().Drain(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	one, two := put("one", 1), put("two", 64)
	if two%64 != 0 || !a.read(two+2, func() {}) || a.read(two+3, func() {}) {
		t.Errorf("two is at %d", two)
	}
	if !a.read(one, func() {
		if err := a.free(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}) {
		t.Error("one is not there")
	}
	spoiled(0, "freed under a reader")
	if _, err := a.put(t.Context(), make([]byte, 5000), 1); !errors.Is(err, rangealloc.ErrNoSpace) {
		t.Error(err)
	}
	if used, pieces, largest := a.gaps(); used != 4093 || pieces != 2 || largest != 4096-two-3 {
		t.Errorf("%d bytes in %d gaps, the largest of %d", used, pieces, largest)
	}

	a.read(two, func() { a.mem[two]++ })
	spoiled(1, "changed under a reader")
	free(two)
	spoiled(1, "changed when it is retired")
	a.mem[two]++
	put(strings.Repeat("x", 100), 1)
	spoiled(1, "changed while nobody had it")
	a.mem[4000]++
	if err := a.alloc.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	spoiled(1, "changed at the end")
	if a.used.Load() != 0 || a.peak.Load() != 100 || a.allocs.Load() != 3 || a.retired.Load() != 3 {
		t.Errorf("%d used, peak %d, %d allocs, %d retired", a.used.Load(), a.peak.Load(), a.allocs.Load(), a.retired.Load())
	}
}

func TestErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-duration 0s":          "-duration is 0s",
		"-slots 0":              "-slots 0",
		"-size 0":               "-size 0",
		"x":                     "unexpected argument",
		"-dir . -lines 1000000": "lines, not 1000000",
		"-dir /no/such":         "cannot read the directory",
	} {
		if err := run(t.Context(), strings.Fields(args), new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want one with %q", args, err, want)
		}
	}
}
