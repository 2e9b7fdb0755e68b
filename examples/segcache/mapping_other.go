//go:build !unix

package main

import "os"

// mapped says what a segment is on this platform, whose syscall package has no mmap.
const mapped = "copies in memory"

// mapSegment reads size bytes of f from off on.
func mapSegment(f *os.File, off int64, size int) ([]byte, error) {
	b := make([]byte, size)
	_, err := f.ReadAt(b, off)
	return b, err
}

// unmapSegment spoils b: whoever reads it afterwards finds a wrong checksum.
func unmapSegment(b []byte) error {
	for i := range b {
		b[i] ^= 0xdb
	}
	return nil
}
