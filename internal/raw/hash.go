//go:build !schedule

package raw

import "unsafe"

// Hash returns a hash of the address of a variable on the caller's stack. It usually
// differs between goroutines, and usually stays the same within one goroutine. It takes
// about a nanosecond. It may only choose where to count: stacks move, so a caller that must
// find the same counter again has to remember it.
//
// Stacks are at least 2 KiB apart. The low eleven bits only say where in its stack the
// caller is, so they are dropped. The multiplication by 2^32/φ spreads the rest (Fibonacci
// hashing, Knuth, TAOCP 6.4).
func Hash() uint32 {
	var here byte
	p := uintptr(unsafe.Pointer(&here))
	return uint32(p>>11) * 0x9E3779B1 >> 16
}
