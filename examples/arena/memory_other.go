//go:build !unix

package main

// mapMemory returns size bytes of the heap: the syscall package has no mmap here.
func mapMemory(size int) ([]byte, error) { return make([]byte, size), nil }

// unmapMemory leaves them to the collector.
func unmapMemory([]byte) error { return nil }
