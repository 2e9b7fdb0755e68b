//go:build unix

package main

import (
	"os"
	"syscall"
)

// mapped says what a mapping is on this platform.
const mapped = "mmap"

// mapBytes maps the first size bytes of h, read-only.
func mapBytes(h *os.File, size int) ([]byte, error) {
	return syscall.Mmap(int(h.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
}

// unmapBytes returns the pages: whoever reads b afterwards gets a fault.
func unmapBytes(b []byte) error { return syscall.Munmap(b) }
