package mapfile_test

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/mapfile"
)

// TestBig grows a file by gigabytes, which its file system keeps as a hole. A 32-bit process has
// no room for that: Grow returns an error, and the file is as it was.
func TestBig(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("file systems without holes would fill the disk")
	}
	const giga = 1 << 30
	eachKind(t, func(t *testing.T, k kind) {
		want := pattern(1, 100)
		if k.segment > 0 {
			k.segment = giga / 4
		}
		f := k.create(t, want)
		var err error
		size := int64(100)
		for _, next := range []int64{giga - 1, giga, giga + 1, 3*giga + 5, 9 * giga} {
			if err = f.Grow(t.Context(), next); err != nil {
				break
			}
			size = next
		}
		var space *mapfile.AddressSpaceError
		switch {
		case strconv.IntSize == 64 && err != nil:
			t.Fatal(err)
		case strconv.IntSize == 32 && (!errors.As(err, &space) || !errors.Is(err, mapfile.ErrAddressSpace) || space.Path != f.Name() || !strings.Contains(err.Error(), "address space")):
			t.Fatalf("32 bits: %v", err)
		}
		if f.Size() != size || length(t, f.Name()) != size && !k.exact {
			t.Errorf("Size is %d, the file has %d, want %d", f.Size(), length(t, f.Name()), size)
		}
		for _, off := range []int64{0, size / 2, size - 1} {
			if err := f.View(off, 1, func(b []byte) error { b[0]++; return nil }); err != nil {
				t.Error(err)
			}
		}
		if err := f.Truncate(t.Context(), 100); err != nil {
			t.Error(err)
		}
		want[0]++
		b := make([]byte, 100)
		if _, err := f.ReadAt(b, 0); err != nil || string(b) != string(want) {
			t.Errorf("other bytes, or %v", err)
		}
	})
}
