package raw

import "unsafe"

// Address returns the address of *p as a number. It distinguishes objects in the heap while
// they are reachable, because the collector does not move them. The number keeps nothing
// alive.
func Address[T any](p *T) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }

// Base returns the address of the first byte of b as a number. If b is empty, it is the
// address at which b would begin. It is for memory outside the collector: system calls take
// the address of a mapping, and faults report one.
func Base(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// Bytes returns the n bytes at addr. They must be those of a mapping that lasts until the
// slice is no longer used.
func Bytes(addr uintptr, n int) []byte {
	// Through a pointer to addr, because addr is not an address of Go's: no rule of package
	// unsafe applies to it, and none is broken.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&addr)), n)
}
