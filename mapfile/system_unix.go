//go:build unix

package mapfile

import (
	"errors"
	"os"
	"syscall"
)

const (
	// systemGranularity is the unit of mappings, where it is more than a page.
	systemGranularity = 1

	// systemExact says that a mapping cannot reach beyond the end of its file, and that a mapped
	// file cannot be cut off.
	systemExact = false
)

// systemMap maps n bytes of the file from off on, shared with all other mappings of the file.
func systemMap(f *os.File, off int64, n int, writable bool) (b []byte, err error) {
	prot := syscall.PROT_READ
	if writable {
		prot |= syscall.PROT_WRITE
	}
	// Use the raw connection: Fd would set the file to blocking mode, and might see it closed.
	c, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	if e := c.Control(func(fd uintptr) {
		b, err = syscall.Mmap(int(fd), off, n, prot, syscall.MAP_SHARED)
	}); e != nil {
		return nil, e
	}
	return b, os.NewSyscallError("mmap", err)
}

// systemUnmap unmaps what systemMap has returned.
func systemUnmap(b []byte) error { return os.NewSyscallError("munmap", syscall.Munmap(b)) }

// noRoom reports whether an error of systemMap means that there are no addresses left, or too
// many mappings.
func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.EOVERFLOW)
}
