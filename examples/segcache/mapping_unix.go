//go:build unix

package main

import (
	"os"
	"syscall"
)

// mapped says what a segment is on this platform.
const mapped = "mmap"

// mapSegment maps size bytes of f from off on, a multiple of the page size,
// read-only. The mapping outlives the descriptor.
func mapSegment(f *os.File, off int64, size int) ([]byte, error) {
	return syscall.Mmap(int(f.Fd()), off, size, syscall.PROT_READ, syscall.MAP_SHARED)
}

// unmapSegment returns the pages: whoever reads b afterwards gets a fault.
func unmapSegment(b []byte) error { return syscall.Munmap(b) }
