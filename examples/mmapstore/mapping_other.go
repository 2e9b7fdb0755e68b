//go:build !unix

package main

import (
	"io"
	"os"
)

// mapped says what a mapping is on this platform. These systems cannot map a file or, on Windows,
// cannot truncate or remove a mapped file, as the tests do.
const mapped = "copies in memory"

// mapBytes reads the first size bytes of h into memory, and returns a function that makes them
// unusable as well as it can without a fault: it changes every byte, so that the checksum of a
// later read is wrong.
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
