//go:build unix

package main

import (
	"fmt"
	"os"
	"syscall"
)

// reserve returns memory outside of Go's heap that must not be touched yet. It is never
// unmapped, because the address of a page that was given back must not be used for anything else.
func reserve(size int) ([]byte, error) {
	b, err := syscall.Mmap(-1, 0, size, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("reserving %d bytes: %w", size, err)
	}
	return b, nil
}

// pageSize is the unit of protection in bytes.
var pageSize = os.Getpagesize()

func permit(page []byte) error { return syscall.Mprotect(page, syscall.PROT_READ|syscall.PROT_WRITE) }
func forbid(page []byte) error { return syscall.Mprotect(page, syscall.PROT_NONE) }
