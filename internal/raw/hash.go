//go:build !schedule

package raw

import "unsafe"

// Hash returns a number that differs between goroutines most of the time and
// stays the same within one goroutine most of the time: a hash of the address of
// a variable on its stack. It takes about a nanosecond. It is a hint about where
// to count and never more: stacks move, so a caller that must find the same
// counter again has to remember it.
//
// Stacks are at least 2 KiB apart, so the low eleven bits say where in the stack
// the caller stands and are dropped; the multiplication by 2^32/φ spreads the
// rest (Fibonacci hashing, Knuth, TAOCP 6.4).
func Hash() uint32 {
	var here byte
	p := uintptr(unsafe.Pointer(&here))
	return uint32(p>>11) * 0x9E3779B1 >> 16
}
