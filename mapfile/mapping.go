package mapfile

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/spanlock/spanlock/internal/raw"
)

// A Mapping is one piece of a file in memory, for programs that keep a map of their own whose
// OnRetire closes it. A [File] manages its mappings itself.
//
// Any number of goroutines may use its bytes at the same time, but not after Close. The caller
// must ensure that, for example with guards of a [rangelock.Map]. A Mapping must not be copied.
type Mapping struct {
	path  string
	off   int64
	bytes []byte // not cleared by Close, so that a late reader gets a fault

	// refs counts the parts of a File that use the mapping, and the calls that may need it again.
	// The release that takes refs to zero unmaps. A Mapping from Map has one reference, which
	// Close releases.
	refs atomic.Int32
}

// Map maps n bytes of f from off on; off must be a multiple of [Granularity]. The mapping is
// shared with all other mappings of the file. It may be written to if writable is true; then f
// must be open for reading and writing. The mapping outlives f, which may be closed at once.
//
// If n is zero, the Mapping has no memory. Do not map bytes beyond the end of the file: a use of
// them is a fault, and on Windows the file grows.
//
// Map returns an [AddressSpaceError] if there is no room, and an error that wraps
// [errors.ErrUnsupported] on a system without mappings. It panics if n is negative or off cannot
// be mapped.
func Map(f *os.File, off int64, n int, writable bool) (*Mapping, error) {
	if n < 0 || off < 0 || off%Granularity() != 0 {
		panic(fmt.Sprintf("mapfile: Map of %d bytes at %d: the offset must be a multiple of %d", n, off, Granularity()))
	}
	return mapAt(f, f.Name(), off, int64(n), writable)
}

// Granularity returns the number that offsets of mappings must be multiples of: the size of a
// page, or 64 KiB on Windows.
func Granularity() int64 { return granularity }

var granularity = max(int64(os.Getpagesize()), systemGranularity)

// mapAt is Map with a length that may be more than a slice can have.
func mapAt(f *os.File, path string, off, n int64, writable bool) (*Mapping, error) {
	m := &Mapping{path: path, off: off}
	m.refs.Store(1)
	if n == 0 {
		return m, nil
	}
	if n > maxSlice {
		return nil, &AddressSpaceError{Path: path, Off: off, N: n}
	}
	b, err := mapFile(f, off, int(n), writable)
	if err != nil {
		if noRoom(err) {
			return nil, &AddressSpaceError{Path: path, Off: off, N: n, Err: err}
		}
		return nil, fmt.Errorf("mapfile: cannot map %d bytes at %d of %s: %w", n, off, path, err)
	}
	m.bytes = b
	living.Lock()
	defer living.Unlock()
	if living.all == nil {
		living.all = make(map[*Mapping]struct{})
	}
	living.all[m] = struct{}{}
	return m, nil
}

const maxSlice = 1<<(strconv.IntSize-1) - 1

// living is all mappings of this package in the process. It tells their faults from others. It is
// used when something is mapped or unmapped, and after a fault.
var living struct {
	sync.Mutex
	all map[*Mapping]struct{}
}

// Bytes returns the mapped bytes. They must not be used after Close.
func (m *Mapping) Bytes() []byte { return m.bytes }

// Close unmaps the bytes. Under -tags spanlockdebug it first makes them inaccessible, and unmaps
// them later, so that a late use is a fault that [Fault] can explain. Close does not block. A
// second Close panics, because the addresses could belong to another mapping by then.
func (m *Mapping) Close() error { return m.release() }

// share takes another reference. The caller must have one.
func (m *Mapping) share() *Mapping {
	m.refs.Add(1)
	return m
}

// release drops a reference. The last release unmaps.
func (m *Mapping) release() error {
	switch n := m.refs.Add(-1); {
	case n > 0:
		return nil
	case n < 0:
		panic(fmt.Sprintf("mapfile: a mapping of %s at %d was closed twice", m.path, m.off))
	}
	if len(m.bytes) == 0 {
		return nil
	}
	living.Lock()
	delete(living.all, m)
	living.Unlock()
	return discard(m)
}

// covers reports whether the address is one of the mapping's.
func (m *Mapping) covers(addr uintptr) bool {
	return addr-raw.Base(m.bytes) < uintptr(len(m.bytes))
}

func unmap(m *Mapping) error {
	if err := systemUnmap(m.bytes); err != nil {
		return fmt.Errorf("mapfile: cannot unmap %d bytes at %d of %s: %w", len(m.bytes), m.off, m.path, err)
	}
	return nil
}

// A backing is the open file of some parts of a File. The last of them closes it.
type backing struct {
	file *os.File
	path string
	refs atomic.Int32
}

// openBacking opens the file, and returns it with its size. The caller gets a reference.
//
// It looks at the path before it opens it: to open a directory for writing is another error, and to
// open a pipe waits for its other end. It looks again afterwards, because the path may have changed.
func openBacking(op, path string, flag int) (*backing, int64, error) {
	if flag&os.O_CREATE == 0 {
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			return nil, 0, &OpError{Op: op, Path: path, Err: ErrNotRegular}
		}
	}
	file, err := os.OpenFile(path, flag, 0o666)
	if err != nil {
		return nil, 0, err
	}
	b := &backing{file: file, path: path}
	b.refs.Store(1)
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &OpError{Op: op, Path: path, Err: ErrNotRegular}
	}
	if err != nil {
		return nil, 0, also(err, b.release())
	}
	return b, info.Size(), nil
}

func (b *backing) share() *backing {
	b.refs.Add(1)
	return b
}

func (b *backing) release() error {
	if b.refs.Add(-1) > 0 {
		return nil
	}
	return b.file.Close()
}

// length returns how many bytes the file has now.
func (b *backing) length() (int64, error) {
	info, err := b.file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// sizeOf returns how many bytes the file at path has, or -1.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return info.Size()
}
