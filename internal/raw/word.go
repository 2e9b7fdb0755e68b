package raw

import (
	"reflect"
	"sync/atomic"
	"unsafe"
)

// Word returns the bits of v, whose type is an integer or a float of 1, 2, 4 or 8 bytes,
// with zeros above them. (Type parameters cannot be converted where their constraint allows
// strings too.)
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

// Atomic reports whether Load and Store can be used for a T that is a word.
func Atomic[T any]() bool {
	var v T
	return unsafe.Sizeof(v) == 8 || unsafe.Sizeof(v) == 4
}

// Load loads the bits of *p in one atomic operation. On 32-bit platforms the address of a T
// of eight bytes must be a multiple of eight, as it is behind a 64-bit atomic of
// sync/atomic.
//
// Preconditions: Atomic.
func Load[T any](p *T) uint64 {
	if unsafe.Sizeof(*p) == 8 {
		return atomic.LoadUint64((*uint64)(unsafe.Pointer(p)))
	}
	return uint64(atomic.LoadUint32((*uint32)(unsafe.Pointer(p))))
}

// Store stores v into *p in one atomic operation.
//
// Preconditions: Atomic, and v holds no pointer.
func Store[T any](p *T, v T) {
	if unsafe.Sizeof(v) == 8 {
		atomic.StoreUint64((*uint64)(unsafe.Pointer(p)), *(*uint64)(unsafe.Pointer(&v)))
		return
	}
	atomic.StoreUint32((*uint32)(unsafe.Pointer(p)), *(*uint32)(unsafe.Pointer(&v)))
}

// Outer returns the struct whose first field is *inner. The caller guarantees that *inner
// is embedded in an O. So a tree of embedded entries does not need to know what they are
// embedded in, not even as a type parameter.
func Outer[O, I any](inner *I) *O { return (*O)(unsafe.Pointer(inner)) }

// Kind says how a value can be loaded and stored as one atomic operation.
type Kind uint8

const (
	Split   Kind = iota // it cannot
	Word32              // four bytes without a pointer
	Word64              // eight bytes without a pointer
	Pointer             // a pointer, map, channel or function
)

// KindOf returns the kind of values of type T.
func KindOf[T any]() Kind {
	t := reflect.TypeFor[T]()
	switch t.Kind() {
	case reflect.Pointer, reflect.UnsafePointer, reflect.Map, reflect.Chan, reflect.Func:
		return Pointer
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint32, reflect.Uint64,
		reflect.Uintptr, reflect.Float32, reflect.Float64:
		if t.Size() == 4 {
			return Word32
		}
		return Word64
	}
	return Split
}

// LoadValue loads *p, which is of kind k and not Split. The address of a value of eight
// bytes must be a multiple of eight.
func LoadValue[T any](p *T, k Kind) T {
	switch k {
	case Pointer:
		v := atomic.LoadPointer((*unsafe.Pointer)(unsafe.Pointer(p)))
		return *(*T)(unsafe.Pointer(&v))
	case Word64:
		v := atomic.LoadUint64((*uint64)(unsafe.Pointer(p)))
		return *(*T)(unsafe.Pointer(&v))
	}
	v := atomic.LoadUint32((*uint32)(unsafe.Pointer(p)))
	return *(*T)(unsafe.Pointer(&v))
}

// StoreValue stores v into *p, atomically unless k is Split.
func StoreValue[T any](p *T, v T, k Kind) {
	switch k {
	case Pointer:
		atomic.StorePointer((*unsafe.Pointer)(unsafe.Pointer(p)), *(*unsafe.Pointer)(unsafe.Pointer(&v)))
	case Word64:
		atomic.StoreUint64((*uint64)(unsafe.Pointer(p)), *(*uint64)(unsafe.Pointer(&v)))
	case Word32:
		atomic.StoreUint32((*uint32)(unsafe.Pointer(p)), *(*uint32)(unsafe.Pointer(&v)))
	default:
		*p = v
	}
}
