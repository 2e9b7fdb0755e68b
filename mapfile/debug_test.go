//go:build spanlockdebug

package mapfile_test

import (
	"path/filepath"
	"testing"

	"github.com/spanlock/spanlock/mapfile"
	"github.com/spanlock/spanlock/rangelock"
)

// TestDebugSize: Size takes a value of the underlying map without a guard. A debug build must not
// report that, because the user of the package did not do it.
func TestDebugSize(t *testing.T) {
	old := rangelock.DebugReport
	defer func() { rangelock.DebugReport = old }()
	rangelock.DebugReport = func(text string) { t.Error(text) }
	f, err := mapfile.Create(filepath.Join(t.TempDir(), "file"), 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := f.Size(); n != 100 {
		t.Errorf("Size = %d", n)
	}
	if err := f.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
