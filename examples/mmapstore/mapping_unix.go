//go:build unix

package main

import (
	"os"

	"github.com/spanlock/spanlock/mapfile"
)

// mapped says what a mapping is on this platform.
const mapped = "mmap"

// mapBytes maps the first size bytes of h, read-only, and returns a function that unmaps them. A
// later read of b is a fault.
func mapBytes(h *os.File, size int) (b []byte, unmap func() error, err error) {
	m, err := mapfile.Map(h, 0, size, false)
	if err != nil {
		return nil, nil, err
	}
	return m.Bytes(), m.Close, nil
}
