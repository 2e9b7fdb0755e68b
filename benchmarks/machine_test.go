package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMachine(t *testing.T) {
	var out bytes.Buffer
	if err := run([]string{"-machine", "-commit", "c0ffee"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	r := newReport("c0ffee", smoke)
	for _, want := range []string{r.CPU, r.Go, "c0ffee", "caches", "GOMAXPROCS"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestReadCaches(t *testing.T) {
	dir := t.TempDir()
	for i, c := range [][3]string{{"1", "Data", "48K"}, {"1", "Instruction", "32K"}, {"2", "Unified", "2048K"}} {
		at := filepath.Join(dir, "index"+string(rune('0'+i)))
		if err := os.Mkdir(at, 0o777); err != nil {
			t.Fatal(err)
		}
		for j, name := range []string{"level", "type", "size"} {
			if err := os.WriteFile(filepath.Join(at, name), []byte(c[j]+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, want := readCaches(dir), "L1d 48K, L1i 32K, L2 2048K"; got != want {
		t.Errorf("read %q, want %q", got, want)
	}
	if got := readCaches(t.TempDir()); got != "" {
		t.Errorf("read %q of nothing", got)
	}
}
