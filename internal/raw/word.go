package raw

import "unsafe"

// Word returns the bits of v, whose type is an integer or a float of 1, 2, 4 or 8 bytes,
// with zeros above them. Type parameters cannot be converted where their constraint allows
// strings, too.
func Word[T any](v T) uint64 {
	switch unsafe.Sizeof(v) {
	case 8:
		return *(*uint64)(unsafe.Pointer(&v))
	case 4:
		return uint64(*(*uint32)(unsafe.Pointer(&v)))
	case 2:
		return uint64(*(*uint16)(unsafe.Pointer(&v)))
	}
	return uint64(*(*uint8)(unsafe.Pointer(&v)))
}

// Outer returns the struct whose first field is at inner. The caller says which it is: it
// must be the one that inner is embedded in. So a tree of embedded entries needs to know
// nothing of what they are embedded in, not even as a type parameter.
func Outer[O, I any](inner *I) *O { return (*O)(unsafe.Pointer(inner)) }
