package raw

import "unsafe"

// Address returns the address of *p as a number. It tells objects in the heap apart for as
// long as they are reachable: the collector does not move them. The number keeps nothing
// alive.
func Address[T any](p *T) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }
