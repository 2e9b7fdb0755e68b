package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain runs the program itself if a test starts it so, to check its exit status.
func TestMain(m *testing.M) {
	if os.Getenv("MMAPSTORE_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// makeFiles writes n files of up to 100,000 random bytes, and an empty one.
func makeFiles(t *testing.T, n int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	rng := rand.NewChaCha8([32]byte{1})
	for i := range n {
		b := make([]byte, 1+rng.Uint64()%100_000)
		rng.Read(b)
		writeFile(t, filepath.Join(dir, fmt.Sprintf("sub%d", i%3), fmt.Sprintf("f%03d", i)), b)
	}
	writeFile(t, filepath.Join(dir, "empty"), nil)
	return dir
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

// checkGoroutines fails the test if it leaves a goroutine behind.
func checkGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for range 200 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(10 * time.Millisecond) // a goroutine may be about to return
		}
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines before the test, %d after it:\n%s", before, runtime.NumGoroutine(),
			stacks[:runtime.Stack(stacks, true)])
	})
}

func TestRun(t *testing.T) {
	checkGoroutines(t)
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{"-dir", makeFiles(t, 40), "-duration", "300ms", "-json", "-readers", "5"}, &stdout, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("%v in:\n%s", err, stdout.String())
	}
	if !r.OK || r.Interrupted || r.Files != 40 || r.Empty != 1 || r.SlowReaders != 2 || r.Hold != time.Millisecond || len(r.Stores) != 2 {
		t.Errorf("report is %+v", r)
	}
	for _, s := range r.Stores {
		if s.Reads == 0 || s.Remaps == 0 || s.Read.P50 == 0 || s.Read.P50 > s.Read.P99 || s.Read.P999 > s.Read.Max || s.RemapWait.Max == 0 {
			t.Errorf("%s: no figures: %+v", s.Name, s)
		}
		if s.WrongBytes != 0 || s.Phantoms != 0 || s.Made != s.Retired || s.Retired != s.Unmapped {
			t.Errorf("%s: wrong: %+v", s.Name, s)
		}
		if s.Elapsed < 100*time.Millisecond {
			t.Errorf("%s ran for %v", s.Name, s.Elapsed)
		}
	}
	if s := r.Stores[1]; s.Outlived != 0 {
		t.Errorf("%d blocks were kept through a remap under a read lock", s.Outlived)
	}
	if !strings.Contains(stderr.String(), "read 40 files") || strings.Contains(stderr.String(), "\x1b") {
		t.Errorf("progress is %q", stderr.String())
	}
}

func TestTable(t *testing.T) {
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{"-dir", makeFiles(t, 3), "-duration", "60ms", "-hold", "0", "-seed", "7"}, &stdout, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(stdout.String()), " ")
	for _, want := range []string{
		"3 files, ", "4 readers that keep no block", "spanlock", "RWMutex", "gain", "reads/s", "read latency p50",
		"p99.9", "readers stalled", "remaps/s", "remap waited", "unmapped after", "mappings retired", "mappings unmapped", "wrong bytes 0 0 ───",
		"Every mapping that was retired was unmapped, and no byte was wrong",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("the table lacks %q:\n%s", want, stdout.String())
		}
	}
}

// onFirst calls f at the first write of the progress. By then the files have been read, and are
// being mapped.
type onFirst struct {
	once sync.Once
	f    func()
}

func (o *onFirst) Write(b []byte) (int, error) { o.once.Do(o.f); return len(b), nil }

func TestInterrupt(t *testing.T) {
	checkGoroutines(t)
	ctx, cancel := context.WithCancel(t.Context())
	stderr := &onFirst{f: func() { time.AfterFunc(100*time.Millisecond, cancel) }}
	var stdout bytes.Buffer
	began := time.Now()
	err := run(ctx, []string{"-dir", makeFiles(t, 5), "-duration", "1h", "-hold", "1h"}, &stdout, stderr)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("went on for %v", took)
	}
	if !strings.Contains(stdout.String(), "(interrupted)") {
		t.Errorf("the table does not say that it was interrupted:\n%s", stdout.String())
	}

	err = run(ctx, []string{"-dir", makeFiles(t, 5)}, &stdout, stderr)
	if err == nil || !strings.Contains(err.Error(), "interrupted while reading") {
		t.Errorf("interrupted while reading: %v", err)
	}
}

// TestShrink truncates the files while they are read and remapped. Whether a reader's fault or
// the compactor detects it first, the error must be clear.
func TestShrink(t *testing.T) {
	checkGoroutines(t)
	for _, test := range []struct {
		want   string
		change func(path string) error
	}{
		{"bytes while it was mapped", func(path string) error { return os.Truncate(path, 10) }},
		{"was removed while it was mapped", os.Remove},
		{"while it was mapped", func(path string) error {
			h, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = h.WriteAt(make([]byte, 2000), 3000)
			return errors.Join(err, h.Close(), os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)))
		}},
	} {
		dir := t.TempDir()
		for i := range 4 {
			writeFile(t, filepath.Join(dir, fmt.Sprint(i)), bytes.Repeat([]byte("spanlock"), 5000))
		}
		var changing sync.WaitGroup // the program may end when one file has changed
		stderr := &onFirst{f: func() {
			changing.Add(1)
			time.AfterFunc(50*time.Millisecond, func() {
				defer changing.Done()
				for i := range 4 {
					if err := test.change(filepath.Join(dir, fmt.Sprint(i))); err != nil {
						t.Error(err)
					}
				}
			})
		}}
		var stdout bytes.Buffer
		err := run(t.Context(), []string{"-dir", dir, "-duration", "1m"}, &stdout, stderr)
		changing.Wait()
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("error is %v, want one with %q", err, test.want)
		}
		if stdout.Len() != 0 {
			t.Errorf("printed %s", stdout.String())
		}
	}
}

func TestErrors(t *testing.T) {
	empty, file := t.TempDir(), filepath.Join(t.TempDir(), "file")
	writeFile(t, filepath.Join(empty, "a"), nil)
	writeFile(t, file, []byte("x"))
	for _, test := range []struct {
		args string
		want string
	}{
		{"-dir " + filepath.Join(empty, "none"), filepath.Join(empty, "none")},
		{"-dir " + file, file + " is not a directory"},
		{"-dir " + empty, "no readable file in " + empty + " (1 empty, 0 unreadable"},
		{"-duration 0s", "-duration is 0s: it must be above 0"},
		{"-duration -1s", "-duration is -1s: it must be above 0"},
		{"-duration soon", `"soon"`},
		{"-hold -2ms", "-hold is -2ms: it must not be negative"},
		{"-readers 0", "-readers is 0: it must be from 1 to 10000"},
		{"-readers 10001", "-readers is 10001: it must be from 1 to 10000"},
		{"-nosuch", "-nosuch"},
		{"src", `unexpected argument "src": a directory is given with -dir`},
	} {
		var stdout, stderr bytes.Buffer
		err := run(t.Context(), strings.Fields(test.args), &stdout, &stderr)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want one with %q", test.args, err, test.want)
		}
		if stdout.Len() != 0 {
			t.Errorf("%s: printed %s", test.args, stdout.String())
		}
	}
}

func TestExitStatus(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	for _, test := range []struct {
		args           string
		status         int
		stdout, stderr string
	}{
		{"-duration 20ms -dir " + makeFiles(t, 3), 0, "no byte was wrong", "read 3 files"},
		{"-h", 0, "-hold duration", ""},
		{"-dir /no/such/directory", 1, "", "mmapstore: cannot read the directory: "},
		{"-hold -1s", 1, "", "mmapstore: -hold is -1s"},
		{"-nosuch", 1, "", "mmapstore: flag provided but not defined: -nosuch (-h lists the flags)\n"},
	} {
		cmd := exec.CommandContext(t.Context(), exe, strings.Fields(test.args)...)
		cmd.Env = append(os.Environ(), "MMAPSTORE_TEST_MAIN=1", "GORACE=atexit_sleep_ms=0")
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
			t.Skip(err) // no processes on this platform
		}
		if status := cmd.ProcessState.ExitCode(); status != test.status {
			t.Errorf("%s: exit status %d, want %d", test.args, status, test.status)
		}
		if !strings.Contains(stdout.String(), test.stdout) || !strings.Contains(stderr.String(), test.stderr) {
			t.Errorf("%s: printed %q and %q", test.args, stdout.String(), stderr.String())
		}
		if test.status != 0 && stdout.Len() != 0 {
			t.Errorf("%s: failed, but printed %q", test.args, stdout.String())
		}
	}
}

func TestGoSource(t *testing.T) {
	o, err := parse(nil, nil)
	if err != nil {
		t.Skip(err)
	}
	if filepath.Base(o.dir) != "src" {
		t.Errorf("the default directory is %s", o.dir)
	}
}
