package mapfile_test

import (
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/mapfile"
)

// shrunk returns a file of four pages that was truncated from outside to ten bytes.
func shrunk(t *testing.T, k kind) *mapfile.File {
	if runtime.GOOS == "windows" {
		t.Skip("a mapped file cannot be truncated here")
	}
	f := k.create(t, pattern(1, int(4*mapfile.Granularity())))
	if err := os.Truncate(f.Name(), 10); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestFault: a use of bytes of a file that was truncated from outside is an error with all that
// is known.
func TestFault(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := shrunk(t, k)
		page := mapfile.Granularity()
		at, n := page+100, int(page)-200
		left := false
		verr := f.View(at, n, func(b []byte) error {
			defer func() { left = true }()
			return errors.New("read " + string(b[0]))
		})
		rn, rerr := f.ReadAt(make([]byte, n), at)
		wn, werr := f.WriteAt(make([]byte, n), at)
		if !left || rn != 0 || wn != 0 {
			t.Errorf("deferred call ran: %v; read %d bytes, wrote %d", left, rn, wn)
		}
		for op, err := range map[string]error{"View": verr, "ReadAt": rerr, "WriteAt": werr} {
			var fault *mapfile.FaultError
			if !errors.As(err, &fault) || !errors.Is(err, mapfile.ErrFault) {
				t.Errorf("%s: %v", op, err)
				continue
			}
			if fault.Op != op || fault.Path != f.Name() || fault.Off != at || fault.N != int64(n) || fault.At < at || fault.At >= at+int64(n) || fault.Size != 10 {
				t.Errorf("%s: %+v", op, fault)
			}
			if s := err.Error(); !strings.Contains(s, f.Name()) || !strings.Contains(s, "which somebody has truncated to 10 bytes") {
				t.Errorf("%s: %s", op, s)
			}
		}
		// The bytes that are left can be read, and so can the zeros up to the end of their page.
		if err := f.View(0, 10, func(b []byte) error { _ = string(b); return nil }); err != nil {
			t.Errorf("View of what is left: %v", err)
		}
		// A read over several segments returns the segments before the fault.
		if n, err := f.ReadAt(make([]byte, 3*page), 0); !errors.Is(err, mapfile.ErrFault) || k.segment == page && n != int(page) {
			t.Errorf("ReadAt: %d, %v", n, err)
		}
	})
}

// TestFaultSetting: View restores the goroutine's setting, also after a fault.
func TestFaultSetting(t *testing.T) {
	f := shrunk(t, kind{})
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(false))
	for _, was := range []bool{false, true} {
		for _, off := range []int64{0, 2 * mapfile.Granularity()} {
			debug.SetPanicOnFault(was)
			f.View(off, 10, func(b []byte) error { _ = string(b); return nil })
			if is := debug.SetPanicOnFault(was); is != was {
				t.Errorf("after a View at %d it is %v, before %v", off, is, was)
			}
			f.ReadAt(make([]byte, 10), off)
			if is := debug.SetPanicOnFault(was); is != was {
				t.Errorf("after a ReadAt at %d it is %v, before %v", off, is, was)
			}
		}
	}
}

// TestPanics: a panic of use that is not a fault of the bytes passes through View, which releases
// the guard.
func TestPanics(t *testing.T) {
	f, other := shrunk(t, kind{}), shrunk(t, kind{})
	outer, err := other.Acquire(2*mapfile.Granularity(), 10)
	if err != nil {
		t.Fatal(err)
	}
	defer outer.Release()
	view := func(use func([]byte) error) (r any) {
		defer func() { r = recover() }()
		return f.View(0, 10, use)
	}
	if r := view(func([]byte) error { panic("use panics") }); r != "use panics" {
		t.Errorf("a panic is %v", r)
	}
	if r := view(func([]byte) error { var p *int; *p = 1; return nil }); r == nil || !strings.Contains(r.(error).Error(), "nil pointer") {
		t.Errorf("a nil pointer is %v", r)
	}
	// View passes on a fault in the bytes of another file.
	r := view(func([]byte) error { _ = string(outer.Bytes()); return nil })
	if _, ok := r.(interface{ Addr() uintptr }); !ok {
		t.Errorf("a fault elsewhere is %v", r)
	}
	var fault *mapfile.FaultError
	if err := mapfile.Fault(r); !errors.As(err, &fault) || fault.Path != other.Name() || fault.At != 2*mapfile.Granularity() || fault.Size != 10 {
		t.Errorf("Fault explains it as %v", err)
	}
	if err := mapfile.Fault("use panics"); err != nil {
		t.Errorf("Fault of a string: %v", err)
	}
	// The outer View turns it into an error if the bytes are its own.
	err = other.View(3*mapfile.Granularity(), 10, func(b []byte) error {
		return f.View(0, 10, func([]byte) error { _ = string(b); return nil })
	})
	if !errors.As(err, &fault) || fault.Path != other.Name() || fault.Off != 3*mapfile.Granularity() {
		t.Errorf("the fault of an outer View: %v", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.View(0, 10, func([]byte) error { runtime.Goexit(); return nil })
	}()
	<-done
	if err := f.Truncate(t.Context(), 1); err != nil { // no guard is left
		t.Error(err)
	}
}

// TestMapping maps a file without a File.
func TestMapping(t *testing.T) {
	page := mapfile.Granularity()
	f := kind{}.create(t, pattern(1, int(2*page)))
	file, err := os.OpenFile(f.Name(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapfile.Map(file, page, 100, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	m.Bytes()[3] = 'x'
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, page+3); err != nil || b[0] != 'x' {
		t.Errorf("%q, %v", b, err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	for what, use := range map[string]func(){"closed twice": func() { m.Close() }, "must be a multiple of": func() { mapfile.Map(file, 1, 1, false) }} {
		func() {
			defer func() {
				if r, _ := recover().(string); !strings.Contains(r, what) {
					t.Errorf("%s: %v", what, r)
				}
			}()
			use()
		}()
	}
}
