package mapfile_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/spanlock/spanlock/mapfile"
)

// TestSystemRefuses: if a system call fails, the file is as it was, and no new mapping is left.
func TestSystemRefuses(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		page := mapfile.Granularity()
		want := pattern(1, int(3*page)+9)
		f := k.create(t, want)
		mappings := mapfile.Living(f.Name())
		other := filepath.Join(t.TempDir(), "other")
		if err := os.WriteFile(other, pattern(2, int(9*page)), 0o666); err != nil {
			t.Fatal(err)
		}
		check := func(what string, err error, is error) {
			t.Helper()
			if !errors.Is(err, is) {
				t.Errorf("%s: %v", what, err)
			}
			b := make([]byte, len(want))
			if n, err := f.ReadAt(b, 0); f.Size() != int64(len(want)) || n != len(want) || err != nil || !bytes.Equal(b, want) {
				t.Errorf("%s changed the file: %d bytes, %v", what, f.Size(), err)
			}
			if !k.exact && length(t, f.Name()) != int64(len(want)) {
				t.Errorf("%s leaves a file of %d bytes", what, length(t, f.Name()))
			}
			if n := mapfile.Living(f.Name()) + mapfile.Living(other); n != mappings {
				t.Errorf("%s: %d mappings, before it %d", what, n, mappings)
			}
		}
		full := errors.New("the disk is full")
		restore := mapfile.OnCut(func(*os.File, int64) error { return full })
		grown, cut := f.Grow(t.Context(), 90*page), f.Truncate(t.Context(), 5)
		restore()
		check("Grow on a full disk", grown, full)
		check("Truncate on a disk that refuses it", cut, full)
		check("Grow with an ended context", f.Grow(ended(), 90*page), context.Canceled)
		for fail := range 3 {
			n := 0
			restore := mapfile.OnMap(func(*os.File, int64, int) error {
				if n++; n > fail {
					return mapfile.NoRoom
				}
				return nil
			})
			grown := f.Grow(t.Context(), 90*page)
			n = 0
			swapped := f.Swap(t.Context(), other)
			restore()
			if k.segment > 0 || fail == 0 {
				check("Grow", grown, mapfile.ErrAddressSpace)
				check("Swap", swapped, mapfile.ErrAddressSpace)
			} else if fail > 0 {
				break // a file of one part needs one mapping only
			}
		}
	})
}

// TestRoom: if there is no room for more than the file, a mapping of exactly the file will do.
func TestRoom(t *testing.T) {
	defer mapfile.OnMap(func(f *os.File, off int64, n int) error {
		if int64(n) != length(t, f.Name()) {
			return mapfile.NoRoom
		}
		return nil
	})()
	f := kind{}.create(t, pattern(1, 100))
	if err := f.Grow(t.Context(), 200); err != nil {
		t.Error(err)
	}
}

// TestUnmappable: if the file must be unmapped to be cut off, and cannot be mapped again, its
// calls return that error until it is mapped.
func TestUnmappable(t *testing.T) {
	defer mapfile.SetExact(true)()
	want := pattern(1, 1000)
	f := kind{}.create(t, want)
	restore := mapfile.OnMap(func(*os.File, int64, int) error { return mapfile.NoRoom })
	if err := f.Truncate(t.Context(), 500); !errors.Is(err, mapfile.ErrAddressSpace) {
		t.Errorf("Truncate: %v", err)
	}
	restore()
	_, rerr := f.ReadAt(make([]byte, 10), 0)
	for name, err := range map[string]error{"View": f.View(0, 10, nil), "ReadAt": rerr, "Sync": f.Sync()} {
		if !errors.Is(err, mapfile.ErrAddressSpace) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := f.Truncate(t.Context(), 800); err != nil || f.Size() != 500 {
		t.Errorf("Truncate again: %v, %d bytes", err, f.Size())
	}
	b := make([]byte, 500)
	if _, err := f.ReadAt(b, 0); err != nil || !bytes.Equal(b, want[:500]) {
		t.Errorf("mapped again: %v", err)
	}
}

// TestCutMapped: on a system that cannot cut off a mapped file, the bytes beyond the new end are
// not mapped while the file is cut off.
func TestCutMapped(t *testing.T) {
	defer mapfile.SetExact(true)()
	f := kind{segment: mapfile.Granularity()}.create(t, pattern(1, int(5*mapfile.Granularity())))
	if err := f.Grow(t.Context(), f.Size()+1); err != nil {
		t.Fatal(err)
	}
	cut := false
	defer mapfile.OnCut(func(*os.File, int64) error {
		cut = true
		if n := mapfile.Living(f.Name()); n != 0 {
			t.Errorf("%d mappings while the file is cut off", n)
		}
		return nil
	})()
	if err := f.Truncate(t.Context(), 10); err != nil || !cut {
		t.Error(err, cut)
	}
}
