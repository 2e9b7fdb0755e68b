//go:build unix

package mapfile

import (
	"errors"
	"os"
	"syscall"
)

const (
	// systemGranularity is what mappings are multiples of, where that is not the page.
	systemGranularity = 1

	// systemExact says that a mapping cannot go beyond the end of its file, and that a file
	// that is mapped cannot be cut off.
	systemExact = false
)

// systemMap maps n bytes of the file from off on, shared with all that map it.
func systemMap(f *os.File, off int64, n int, writable bool) (b []byte, err error) {
	prot := syscall.PROT_READ
	if writable {
		prot |= syscall.PROT_WRITE
	}
	// Through the raw connection: Fd would make the file block, and might see it closed.
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

// noRoom reports whether an error of systemMap says that there are no addresses, or too many
// mappings.
func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.EOVERFLOW)
}
