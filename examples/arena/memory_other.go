//go:build !unix

package main

// mapMemory returns size bytes of the heap: package syscall has no mmap here.
func mapMemory(size int) ([]byte, error) { return make([]byte, size), nil }

// unmapMemory leaves the bytes to the garbage collector.
func unmapMemory([]byte) error { return nil }
