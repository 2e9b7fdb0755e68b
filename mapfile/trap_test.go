//go:build spanlockdebug && (linux || darwin || dragonfly || freebsd || netbsd)

package mapfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/mapfile"
	"github.com/spanlock/spanlock/rangelock"
)

// The tests do on one goroutine what a program does on several.
func init() { rangelock.DebugReport = func(string) {} }

// late returns bytes of a mapping that has been released.
func late(t *testing.T, f *mapfile.File, off int64) []byte {
	var kept []byte
	if err := f.View(off, 10, func(b []byte) error { kept = b; return nil }); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, pattern(2, 10), 0o666); err != nil {
		t.Fatal(err)
	}
	was := f.Name()
	if err := f.Swap(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	for mapfile.Living(was) > 0 { // OnRetire runs on another goroutine
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	return kept
}

// TestTrap: a use of bytes after their mapping has been released becomes a StaleError, in a View
// of another file, and on a goroutine that has called Acquire.
func TestTrap(t *testing.T) {
	f := kind{}.create(t, pattern(1, 100))
	name := f.Name()
	kept := late(t, f, 30)
	explain := func(err error) {
		t.Helper()
		var s *mapfile.StaleError
		if !errors.As(err, &s) || !errors.Is(err, mapfile.ErrStale) || s.Path != name || s.At != 30 || s.Off != 0 ||
			!strings.Contains(err.Error(), "offset 30 of "+name) || !strings.Contains(err.Error(), "used after their guard was released") {
			t.Errorf("%v", err)
		}
	}
	func() {
		defer func() {
			err, _ := recover().(error)
			explain(err)
		}()
		t.Error(f.View(0, 5, func([]byte) error { return errors.New("read " + string(kept)) }))
	}()
	func() {
		defer func() { explain(mapfile.Fault(recover())) }()
		g, err := f.Acquire(0, 5)
		if err != nil {
			t.Fatal(err)
		}
		g.Release()
		t.Error("read " + string(kept))
	}()
}

// TestTrapBounded: the number of mappings that are kept inaccessible is bounded.
func TestTrapBounded(t *testing.T) {
	f := kind{}.create(t, pattern(1, 100))
	first := late(t, f, 0)
	page := mapfile.Granularity()
	for range 300 {
		m, err := os.Open(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		p, err := mapfile.Map(m, 0, int(page), false)
		if err != nil {
			t.Fatal(err)
		}
		m.Close()
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := mapfile.Trapped(); n > 256 {
		t.Errorf("%d mappings are kept", n)
	}
	_ = first
}
