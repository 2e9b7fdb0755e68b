//go:build unix

package main

import "syscall"

// mapMemory returns size bytes outside of the heap.
func mapMemory(size int) ([]byte, error) {
	return syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
}

// unmapMemory returns the bytes to the system. A later use of them is a fault.
func unmapMemory(b []byte) error { return syscall.Munmap(b) }
