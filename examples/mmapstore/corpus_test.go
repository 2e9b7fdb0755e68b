package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestCorpus(t *testing.T) {
	dir := t.TempDir()
	for name, size := range map[string]int{"a": 1, "b": 0, "c/d": 4096, "c/e": 4097, "f": 200_000, "g": 1} {
		writeFile(t, filepath.Join(dir, name), bytes.Repeat([]byte{1}, size))
	}
	if err := os.Symlink("a", filepath.Join(dir, "link")); err != nil {
		t.Log(err)
	}
	c, err := readCorpus(t.Context(), dir, limit{files: 4, bytes: 100_000}, func(n, of int) {})
	if err != nil {
		t.Fatal(err)
	}
	var want uint64
	for i, size := range []uint64{1, 4096, 4097, 1} {
		f := c.files[i]
		if f.index != i || f.lo != want || f.hi != want+size || len(f.sums) != int(size+blockSize-1)/blockSize {
			t.Errorf("file %d is %+v, want it at %d, %d bytes long", i, f, want, size)
		}
		for off := f.lo; off < f.hi; off++ {
			if c.at(off) != f {
				t.Fatalf("%d is in %s, want %s", off, c.at(off).path, f.path)
			}
		}
		want = f.hi
	}
	if len(c.files) != 4 || c.size != want || c.blocks != 5 || c.empty != 1 || c.beyond != 1 || c.unreadable != 0 {
		t.Errorf("corpus is %+v", c)
	}

	c, err = readCorpus(t.Context(), dir, limit{files: 2, bytes: 1 << 20}, func(n, of int) {})
	if err != nil || len(c.files) != 2 || c.beyond != 3 {
		t.Errorf("with a limit of two files, corpus is %+v, %v", c, err)
	}
}

func TestCorpusUnreadable(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "a"), []byte("a"))
	writeFile(t, filepath.Join(dir, "b"), []byte("b"))
	if err := os.Chmod(filepath.Join(dir, "b"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(filepath.Join(dir, "b")); err == nil {
		t.Skip("this user can read every file")
	}
	c, err := readCorpus(t.Context(), dir, defaultLimit(), func(n, of int) {})
	if err != nil || len(c.files) != 1 || c.unreadable != 1 {
		t.Errorf("corpus is %+v, %v", c, err)
	}
}
