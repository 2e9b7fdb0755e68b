package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// skipUnreachable skips the test if err says that the module proxy cannot be reached.
func skipUnreachable(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, errUnreachable) {
		t.Skipf("nothing was tested: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestShort runs everything in the short size. It checks the program's tests, those of the
// mapping, and that a write that grows waits for no reader. The other measurements depend on
// the machine, and are only printed.
func TestShort(t *testing.T) {
	var out bytes.Buffer
	err := run(context.Background(), t.TempDir(), ports[0], small, &out)
	skipUnreachable(t, err)
	t.Log(out.String())
}

// TestRefuses checks that a program that differs in a place that the rewriting checks is refused,
// and that the error names the place. If a check in rewriteBbolt or rewriteChunks is weakened, one
// of these programs is accepted.
func TestRefuses(t *testing.T) {
	bbolt, chunks := ports[0], ports[1]
	from := make(map[string]string)
	for _, p := range ports {
		dir, err := download(context.Background(), t.TempDir(), p)
		skipUnreachable(t, err)
		from[p.name] = filepath.Join(dir, p.pkg)
	}
	const head = "head_chunks.go"
	for _, tt := range []struct {
		port
		file, old, new, want string
	}{
		{bbolt, "db.go", "mmaplock", "maplock", "the lock is not used any more in [db.go DB.mmap DB.Close DB.beginTx DB.removeTx]"},
		{bbolt, "db.go", "func (db *DB) grow(", "func (db *DB) peek() int { return db.datasz }\n\nfunc (db *DB) grow(", "a field of the mapping is used also in [DB.peek]"},
		{bbolt, "tx.go", "func (tx *Tx) Page(", "func (tx *Tx) peek() bool { return tx.db.page(0) == nil }\n\nfunc (tx *Tx) Page(", "a page by its number is used also in [Tx.peek]"},
		{bbolt, "db.go", "func (db *DB) grow(", "func (db *DB) peek() { db.mmaplock.RLock() }\n\nfunc (db *DB) grow(", "the lock is used also in [DB.peek]"},
		{bbolt, "db.go", "\tdb.mmaplock.RLock()\n", "\tdb.mmaplock.RLock()\n\tdb.mmaplock.RLock()\n", `DB.beginTx: expected "db.mmaplock.RLock()" 1 times, found it 2 times`},
		{bbolt, "db.go", "func (db *DB) removeTx(", "func (db *DB) dropTx(", "the lock is used also in [DB.dropTx]"},
		{bbolt, "db.go", "\tdatasz   int\n", "\tdatasz, x int\n", "db.go: DB has no field datasz on a line of its own"},
		{bbolt, "bolt_unix.go", "func munmap(db *DB) error", "func munmap(db *DB, _ int) error", "bolt_unix.go: munmap: its receiver or only parameter is not of the type *DB"},
		{bbolt, "tx.go", "func (tx *Tx) init(", "func (tx *Tx) start(", "the current meta page is used also in [Tx.start]"},
		{bbolt, "tx.go", "type Tx struct", "type Txn struct", "tx.go: there is no struct type Tx"},
		{bbolt, "db.go", "(db *DB)", "(db *DB)", ""},
		{chunks, head, "readPathMtx", "readMtx", "the lock is not used any more in ["},
		{chunks, head, "func (cdm *ChunkDiskMapper) Size(", "func (cdm *ChunkDiskMapper) peek() int { return len(cdm.mmappedChunkFiles) }\n\nfunc (cdm *ChunkDiskMapper) Size(", "a mapped file is used also in [ChunkDiskMapper.peek]"},
		{chunks, head, "func (cdm *ChunkDiskMapper) Size(", "func (cdm *ChunkDiskMapper) peek() bool { return cdm.closed }\n\nfunc (cdm *ChunkDiskMapper) Size(", "closed is used also in [ChunkDiskMapper.peek]"},
		{chunks, head, "if cdm.closed {", "if cdm.closed || cdm.closed {", `Chunk: expected "cdm.closed" 1 times, found it 2 times`},
		{chunks, head, "closeAllFromMap", "closeAll", `expected "closeAllFromMap(cdm.closers)" 1 times, found it 0 times`},
		{chunks, head, "cdm", "cdm", ""},
	} {
		dir := t.TempDir()
		if err := copyFiles(dir, from[tt.name]); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, tt.file)
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.ReplaceAll(string(text), tt.old, tt.new)
		if changed == string(text) && tt.want != "" {
			t.Fatalf("%s has no %q", tt.file, tt.old)
		}
		if err := os.WriteFile(name, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		err = tt.rewrite(dir)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s as it is: %v", tt.name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s with %q: error %v, want one with %q", tt.file, tt.new, err, tt.want)
		}
		after, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(after) != changed {
			t.Errorf("%s with %q: refused, but rewritten all the same", tt.file, tt.new)
		}
	}
}

// copyFiles copies the files in a folder, without its subfolders.
func copyFiles(to, from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, e.Name()), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func TestWorse(t *testing.T) {
	stock := outcome{own: "TestRemap", ended: map[string]string{"p A": "pass", "p B": "fail", "p C": "skip", "p D": "pass"}}
	for _, tt := range []struct {
		ours map[string]string
		want string // a part of the error; "" for none
	}{
		{map[string]string{"p A": "pass", "p B": "fail", "p C": "skip", "p D": "pass"}, ""},
		{map[string]string{"p A": "pass", "p B": "pass", "p C": "skip", "p D": "pass", "p TestRemapX": "pass"}, ""},
		{map[string]string{"p A": "fail", "p B": "fail", "p C": "skip", "p D": "pass"}, `p A: pass on stock, "fail" on ours`},
		{map[string]string{"p A": "pass", "p B": "fail", "p C": "skip"}, `p D: pass on stock, "" on ours`},
		{map[string]string{"p A": "skip", "p B": "fail", "p C": "skip", "p D": "pass"}, `p A: pass on stock, "skip" on ours`},
	} {
		err := worse(stock, outcome{own: "TestRemap", ended: tt.ours})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%v: error %v, want one with %q", tt.ours, err, tt.want)
		}
	}
}

func TestAdded(t *testing.T) {
	for _, tt := range []struct {
		ended map[string]string
		ok    bool
		own   int
	}{
		{map[string]string{"p TestA": "pass"}, false, 1},
		{map[string]string{"p TestA": "fail", "p TestRemapX": "pass"}, true, 0},
		{map[string]string{"p TestA": "pass", "p TestRemapX": "pass", "p TestRemapY": "fail"}, false, 1},
		{map[string]string{"p TestA": "pass", "p TestRemapX": "pass", "p TestRemapY": "skip"}, true, 1},
	} {
		o := outcome{own: "TestRemap", ended: tt.ended}
		if err := o.added(); (err == nil) != tt.ok {
			t.Errorf("%v: error %v", tt.ended, err)
		}
		if n := o.count("pass"); n != tt.own {
			t.Errorf("%v: %d of the program's own have passed, want %d", tt.ended, n, tt.own)
		}
	}
}

func TestUnreachable(t *testing.T) {
	for text, want := range map[string]bool{
		"dial tcp: lookup proxy.golang.org: no such host":                               true,
		"module lookup disabled by GOPROXY=off":                                         true,
		"verifying go.etcd.io/bbolt@v1.5.0: checksum mismatch":                          false,
		"reading https://proxy.golang.org/x/@v/v9.info: 404 Not Found: unknown version": false,
	} {
		if got := errors.Is(unreachable(errors.New(text)), errUnreachable); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}

func TestPairs(t *testing.T) {
	p := pairs{stock: []float64{1, 2, 4, 1, 2}, ours: []float64{1, 1, 2, 3, 1}}
	if low, median, high := p.ratios(); low != 0.5 || median != 0.5 || high != 1 {
		t.Errorf("quartiles %v %v %v, want 0.5 0.5 1", low, median, high)
	}
	if got := strings.Join(p.row("x"), "|"); got != "x|2 ns|1 ns|0.50 (0.50 to 1.00)" {
		t.Errorf("row %q", got)
	}
	for ns, want := range map[float64]string{1.99e9: "1.99 s", 4.3e6: "4.3 ms", 1234: "1.23 µs", 999: "999 ns"} {
		if got := duration(ns); got != want {
			t.Errorf("%v: %q, want %q", ns, got, want)
		}
	}
}
