package raw

import "unsafe"

// As returns *p as a To. The caller guarantees that both types have the same structure, as
// two types have if one is defined by the other. (A type parameter cannot be converted.)
func As[To, From any](p *From) To { return *(*To)(unsafe.Pointer(p)) }

// Text returns b as a string without a copy: it changes when b does.
func Text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Memory returns the memory of *p.
func Memory[T any](p *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p))
}
