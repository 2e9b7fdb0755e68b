package mapfile_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/spanlock/spanlock/mapfile"
)

// kind is a way to map a file. Each test runs with each kind.
type kind struct {
	name    string
	segment int64
	exact   bool // as on Windows
}

func kinds() []kind {
	page := mapfile.Granularity()
	return []kind{{"whole", 0, false}, {"segments", page, false}, {"exact", 0, true}, {"exact_segments", 2 * page, true}}
}

// eachKind runs the test with each kind of File.
func eachKind(t *testing.T, test func(t *testing.T, k kind)) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			k.here(t)
			test(t, k)
		})
	}
}

// here makes the test open files of this kind.
func (k kind) here(t *testing.T) {
	if runtime.GOOS == "windows" && !k.exact {
		t.Skip("all mappings are exact here")
	}
	t.Cleanup(mapfile.SetExact(k.exact))
}

// create makes a file with the bytes b. The cleanup closes it, if the test has not, and checks
// that no mapping is left.
func (k kind) create(t testing.TB, b []byte) *mapfile.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	f, err := mapfile.Create(path, int64(len(b)), &mapfile.Options{SegmentSize: k.segment})
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, f, path)
	if n, err := f.WriteAt(b, 0); n != len(b) || err != nil {
		t.Fatalf("WriteAt: %d, %v", n, err)
	}
	return f
}

// closeAtEnd closes the file when the test is over.
func closeAtEnd(t testing.TB, f *mapfile.File, paths ...string) {
	t.Cleanup(func() {
		if err := f.Close(context.Background()); err != nil {
			t.Error(err)
		}
		for _, path := range paths {
			if n := mapfile.Living(path); n != 0 {
				t.Errorf("%d mappings of %s are left", n, path)
			}
		}
	})
}

// pattern returns n bytes, none of them zero, the same for the same seed.
func pattern(seed, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((i+seed)%251 + 1)
	}
	return b
}

// length returns the length of the file on the disk.
func length(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// ended returns a context that has ended.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
