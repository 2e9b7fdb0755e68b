//go:build !unix

package main

import (
	"io"
	"os"
)

// mapped says what a mapping is on this platform: the syscall package has no
// mmap here.
const mapped = "copies in memory"

// mapBytes reads the first size bytes of h into memory of their own.
func mapBytes(h *os.File, size int) ([]byte, error) {
	b := make([]byte, size)
	_, err := io.ReadFull(h, b)
	return b, err
}

// unmapBytes makes b unusable as well as it can without a fault: whoever reads
// b afterwards finds no byte as it was, and the checksum tells.
func unmapBytes(b []byte) error {
	for i := range b {
		b[i] ^= 0xdb
	}
	return nil
}
