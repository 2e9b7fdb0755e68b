//go:build unix

package main

import "syscall"

// mapMemory returns size bytes that the garbage collector knows nothing of.
func mapMemory(size int) ([]byte, error) {
	return syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
}

// unmapMemory gives them back: whoever uses them afterwards gets a fault.
func unmapMemory(b []byte) error { return syscall.Munmap(b) }
