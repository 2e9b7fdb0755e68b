package raw

import "unsafe"

// Address returns the address of *p as a number. It tells objects in the heap apart for as
// long as they are reachable: the collector does not move them. The number keeps nothing
// alive.
func Address[T any](p *T) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }

// Base returns the address of the first byte of b as a number, or of where b would begin if
// it is empty. It is for memory that the collector does not have: mappings, which system
// calls are told of by address, and of which faults tell the address.
func Base(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// Bytes returns the n bytes at the address, which is that of a mapping that lasts for as
// long as the slice is used.
func Bytes(addr uintptr, n int) []byte {
	// Through a pointer to it, because addr is no address of Go's: no rule of package unsafe
	// is for it, and none is broken.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&addr)), n)
}
