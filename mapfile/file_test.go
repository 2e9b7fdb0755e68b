package mapfile_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/mapfile"
)

// TestOpenErrors: Open and Create return an error for a path that they cannot map.
//
// It kills 283_directory_opened.
func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there")
	if err := os.WriteFile(there, []byte("kept"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := mapfile.Open(filepath.Join(dir, "none"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of no file: %v", err)
	}
	for _, readOnly := range []bool{false, true} {
		if _, err := mapfile.Open(dir, &mapfile.Options{ReadOnly: readOnly}); !errors.Is(err, mapfile.ErrNotRegular) || !strings.Contains(err.Error(), dir) {
			t.Errorf("Open of a directory, ReadOnly %v: %v", readOnly, err)
		}
	}
	f := kind{}.create(t, []byte("kept"))
	var op *mapfile.OpError
	if err := f.Swap(t.Context(), dir); !errors.Is(err, mapfile.ErrNotRegular) || !errors.As(err, &op) || op.Op != "Swap" {
		t.Errorf("Swap to a directory: %v", err)
	}
	if _, err := mapfile.Create(there, 10, nil); !errors.Is(err, fs.ErrExist) || length(t, there) != 4 {
		t.Errorf("Create of a file that is there: %v, and it has %d bytes", err, length(t, there))
	}
	none := filepath.Join(dir, "none")
	if _, err := mapfile.Create(none, -1, nil); !errors.Is(err, mapfile.ErrBadRange) {
		t.Errorf("Create with a negative size: %v", err)
	}
	if _, err := mapfile.Create(none, 0, &mapfile.Options{ReadOnly: true}); !errors.Is(err, mapfile.ErrReadOnly) {
		t.Errorf("Create for reading: %v", err)
	}
	defer mapfile.OnMap(func(*os.File, int64, int) error { return mapfile.NoRoom })()
	var space *mapfile.AddressSpaceError
	if _, err := mapfile.Create(none, 1, nil); !errors.As(err, &space) || !errors.Is(err, mapfile.ErrAddressSpace) || !errors.Is(err, mapfile.NoRoom) {
		t.Errorf("Create without room: %v", err)
	}
	if _, err := os.Stat(none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a Create that failed left a file: %v", err)
	}
}

func TestEmpty(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := k.create(t, nil)
		if f.Size() != 0 {
			t.Errorf("Size is %d", f.Size())
		}
		called := false
		if err := f.View(0, 0, func(b []byte) error { called = b != nil && len(b) == 0; return nil }); err != nil || !called {
			t.Errorf("View of nothing: %v, %v", called, err)
		}
		if err := f.View(0, 1, nil); !errors.Is(err, mapfile.ErrBeyond) {
			t.Errorf("View of a byte: %v", err)
		}
		if n, err := f.ReadAt(make([]byte, 3), 0); n != 0 || err != io.EOF {
			t.Errorf("ReadAt: %d, %v", n, err)
		}
		for size := int64(1); size < 6; size++ { // by one byte
			if err := f.Grow(t.Context(), size); err != nil {
				t.Fatal(err)
			}
			if n, err := f.WriteAt([]byte{byte(size)}, size-1); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		if err := f.Sync(); err != nil {
			t.Error(err)
		}
		if b, err := os.ReadFile(f.Name()); err != nil || !bytes.Equal(b, []byte{1, 2, 3, 4, 5}) {
			t.Errorf("the file has %v, %v", b, err)
		}
		if err := f.Truncate(t.Context(), 0); err != nil || f.Size() != 0 || length(t, f.Name()) != 0 {
			t.Errorf("Truncate: %v, %d bytes", err, f.Size())
		}
	})
}

// TestSlices: View and Acquire return exactly the bytes asked for, in a slice that append cannot
// extend in place.
func TestSlices(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		want := pattern(1, int(2*mapfile.Granularity())+100)
		f := k.create(t, want)
		at := mapfile.Granularity() - 10
		g, err := f.Acquire(at, 10)
		if err != nil {
			t.Fatal(err)
		}
		if b := g.Bytes(); !bytes.Equal(b, want[at:at+10]) || cap(b) != 10 {
			t.Errorf("%v, capacity %d", b, cap(b))
		}
		g.Release()
		for name, use := range map[string]func(){"Release": g.Release, "Bytes": func() { g.Bytes() }} {
			func() {
				defer func() {
					if r, _ := recover().(string); r != "mapfile: "+name+" of a Guard that holds nothing" {
						t.Errorf("%s after Release: %q", name, r)
					}
				}()
				use()
			}()
		}
		failed := errors.New("use failed")
		if err := f.View(0, 1, func([]byte) error { return failed }); err != failed {
			t.Errorf("View returns %v", err)
		}
		size := int64(len(want))
		for _, test := range []struct {
			off  int64
			n    int
			want error
		}{
			{0, int(mapfile.Granularity()), nil}, {size - 1, 1, nil}, {size, 0, nil},
			{size, 1, mapfile.ErrBeyond}, {size - 1, 2, mapfile.ErrBeyond}, {size + 1, 0, mapfile.ErrBeyond}, {1 << 62, 1, mapfile.ErrBeyond},
			{-1, 1, mapfile.ErrBadRange}, {0, -1, mapfile.ErrBadRange},
			{2*mapfile.Granularity() - 1, 2, map[bool]error{true: mapfile.ErrCrosses}[k.segment > 0]},
		} {
			err := f.View(test.off, test.n, func(b []byte) error {
				if !bytes.Equal(b, want[test.off:test.off+int64(test.n)]) {
					t.Errorf("View(%d, %d) has other bytes", test.off, test.n)
				}
				return nil
			})
			var op *mapfile.OpError
			if !errors.Is(err, test.want) || test.want != nil && (!errors.As(err, &op) || op.Off != test.off || op.N != int64(test.n) || op.Op != "View" || op.Path != f.Name()) {
				t.Errorf("View(%d, %d): %v, want %v", test.off, test.n, err, test.want)
			}
		}
	})
}

// TestReadAt reads through the interfaces of package io. An error has the arguments of the call.
//
// It kills 282_zero_bytes.
func TestReadAt(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		want := pattern(2, int(3*mapfile.Granularity())+7)
		f := k.create(t, want)
		if b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<40)); err != nil || !bytes.Equal(b, want) {
			t.Errorf("read %d bytes, %v", len(b), err)
		}
		if _, err := f.ReadAt(make([]byte, 5), -1); !errors.Is(err, mapfile.ErrBadRange) || !strings.HasSuffix(err.Error(), ", 5 bytes at -1") {
			t.Errorf("at -1: %v", err)
		}
		if n, err := f.ReadAt(nil, 5); n != 0 || err != nil {
			t.Errorf("of nothing: %d, %v", n, err)
		}
		w := io.NewOffsetWriter(f, mapfile.Granularity()-3)
		if n, err := w.Write([]byte("across")); n != 6 || err != nil {
			t.Errorf("write: %d, %v", n, err)
		}
		b := make([]byte, 6)
		if _, err := f.ReadAt(b, mapfile.Granularity()-3); err != nil || string(b) != "across" {
			t.Errorf("read back %q, %v", b, err)
		}
		if n, err := f.WriteAt([]byte("beyond"), f.Size()-3); n != 0 || !errors.Is(err, mapfile.ErrBeyond) {
			t.Errorf("write beyond the end: %d, %v", n, err)
		}
		if n, err := f.WriteAt([]byte("x"), -3); n != 0 || !errors.Is(err, mapfile.ErrBadRange) {
			t.Errorf("write at -3: %d, %v", n, err)
		}
	})
}

func TestReadOnly(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte("read me"), 0o444); err != nil {
			t.Fatal(err)
		}
		f, err := mapfile.Open(path, &mapfile.Options{ReadOnly: true, SegmentSize: k.segment})
		if err != nil {
			t.Fatal(err)
		}
		closeAtEnd(t, f, path)
		b := make([]byte, 7)
		if n, err := f.ReadAt(b, 0); n != 7 || err != nil || string(b) != "read me" {
			t.Errorf("read %q, %v", b, err)
		}
		_, werr := f.WriteAt(b, 0)
		for name, err := range map[string]error{"WriteAt": werr, "Grow": f.Grow(t.Context(), 100), "Truncate": f.Truncate(t.Context(), 1)} {
			if !errors.Is(err, mapfile.ErrReadOnly) || !strings.Contains(err.Error(), name+" of "+path) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := f.Sync(); err != nil {
			t.Errorf("Sync: %v", err)
		}
		// A write to the bytes is a fault, and View returns it as an error.
		if err := f.View(0, 1, func(b []byte) error { b[0] = 'R'; return nil }); !errors.Is(err, mapfile.ErrFault) {
			t.Errorf("write: %v", err)
		}
	})
}

func TestAdvise(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		want := pattern(3, int(3*mapfile.Granularity())+7)
		f := k.create(t, want)
		for a := mapfile.Normal; a <= mapfile.DontNeed; a++ {
			for _, r := range [][2]int64{{0, f.Size()}, {1, 1}, {mapfile.Granularity() + 5, mapfile.Granularity()}, {5, 0}} {
				if err := f.Advise(r[0], r[1], a); err != nil {
					t.Errorf("advice %d for %v: %v", a, r, err)
				}
			}
		}
		b := make([]byte, len(want))
		if _, err := f.ReadAt(b, 0); err != nil || !bytes.Equal(b, want) {
			t.Errorf("advice changed bytes, or %v", err)
		}
		for _, test := range []struct {
			off, n int64
			a      mapfile.Advice
			want   error
		}{{-1, 1, 0, mapfile.ErrBadRange}, {0, -1, 0, mapfile.ErrBadRange}, {0, 1, 9, mapfile.ErrBadAdvice}, {0, 1, -1, mapfile.ErrBadAdvice}, {1, f.Size(), 0, mapfile.ErrBeyond}} {
			if err := f.Advise(test.off, test.n, test.a); !errors.Is(err, test.want) {
				t.Errorf("%+v: %v", test, err)
			}
		}
		if err := f.Advise(0, 1, 9); err == nil || !strings.HasPrefix(err.Error(), "mapfile: unknown advice 9: Advise of "+f.Name()) {
			t.Errorf("unknown advice: %v", err)
		}
	})
}

// TestClosed: every call on a closed file returns ErrClosed.
func TestClosed(t *testing.T) {
	f := kind{}.create(t, pattern(4, 100))
	if s := f.String(); !strings.HasSuffix(s, "file, 100 bytes") {
		t.Errorf("String is %q", s)
	}
	for range 2 {
		if err := f.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	_, aerr := f.Acquire(0, 1)
	_, rerr := f.ReadAt(make([]byte, 1), 0)
	_, werr := f.WriteAt(make([]byte, 1), 0)
	for name, err := range map[string]error{
		"Acquire": aerr, "ReadAt": rerr, "WriteAt": werr, "View": f.View(0, 1, nil), "Grow": f.Grow(ctx, 200), "Truncate": f.Truncate(ctx, 1),
		"Swap": f.Swap(ctx, f.Name()), "Sync": f.Sync(), "Advise": f.Advise(0, 1, mapfile.Normal),
	} {
		var op *mapfile.OpError
		if !errors.Is(err, mapfile.ErrClosed) || !errors.Is(err, fs.ErrClosed) || !errors.As(err, &op) || op.Op != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := rerr.Error(); !strings.HasSuffix(s, ", 1 bytes at 0") {
		t.Errorf("ReadAt of one byte: %s", s)
	}
	if f.Size() != 0 || !strings.HasSuffix(f.String(), ", closed") {
		t.Errorf("Size is %d, String is %q", f.Size(), f)
	}
}
