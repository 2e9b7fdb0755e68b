//go:build !unix

package main

import (
	"io"
	"os"
)

// mapped says what a mapping is on this platform. Elsewhere a file cannot be mapped, or, on
// Windows, not be truncated or removed meanwhile, as the tests do.
const mapped = "copies in memory"

// mapBytes reads the first size bytes of h into memory of their own, and returns a function
// that makes them unusable as well as it can without a fault: whoever reads b afterwards
// finds no byte as it was, and the checksum tells.
func mapBytes(h *os.File, size int) (b []byte, unmap func() error, err error) {
	b = make([]byte, size)
	_, err = io.ReadFull(h, b)
	return b, func() error {
		for i := range b {
			b[i] ^= 0xdb
		}
		return nil
	}, err
}
