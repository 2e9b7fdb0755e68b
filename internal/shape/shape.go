// Package shape describes a type argument: its kind, its size, whether it refers to other
// memory, and its name. The answers for a type never change, so a map asks once and not for
// each key.
package shape

import "reflect"

// Kind is the structure of a type, independent of its name.
type Kind uint8

const (
	Other    Kind = iota // none of these
	Signed               // int, int8, int16, int32, int64
	Unsigned             // uint, uint8, uint16, uint32, uint64
	Address              // uintptr
	Float                // float32, float64
	Text                 // string
	Bytes                // a slice of bytes
	Array                // an array of bytes
)

// KindOf returns the kind of T, and its size in bytes.
func KindOf[T any]() (Kind, int) {
	t := reflect.TypeFor[T]()
	return kindOf(t), int(t.Size())
}

func kindOf(t reflect.Type) Kind {
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Signed
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Unsigned
	case reflect.Uintptr:
		return Address
	case reflect.Float32, reflect.Float64:
		return Float
	case reflect.String:
		return Text
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return Bytes
		}
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return Array
		}
	}
	return Other
}

// Size returns the size of a T in bytes.
func Size[T any]() uintptr { return reflect.TypeFor[T]().Size() }

// Name returns the name of T, with its package.
func Name[T any]() string { return reflect.TypeFor[T]().String() }

// Refers reports whether a T refers to other memory, so that keeping the T can keep that
// memory.
func Refers[T any]() bool { return refers(reflect.TypeFor[T]()) }

func refers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return false
	case reflect.Array:
		return t.Len() > 0 && refers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if refers(t.Field(i).Type) {
				return true
			}
		}
		return false
	}
	return true
}
