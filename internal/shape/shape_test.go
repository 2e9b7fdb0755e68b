package shape

import (
	"strconv"
	"testing"
	"time"
)

type (
	offset  uint64
	name    string
	octet   byte
	octets  []octet
	address uintptr
)

// TestKindOf: a named type has the kind of its underlying type.
func TestKindOf(t *testing.T) {
	const word = strconv.IntSize / 8
	check := func(what string, got Kind, size int, want Kind, wantSize int) {
		t.Helper()
		if got != want || size != wantSize {
			t.Errorf("%s: %d of %d bytes, want %d of %d", what, got, size, want, wantSize)
		}
	}
	k, n := KindOf[int8]()
	check("int8", k, n, Signed, 1)
	k, n = KindOf[time.Duration]()
	check("a duration", k, n, Signed, 8)
	k, n = KindOf[offset]()
	check("an offset", k, n, Unsigned, 8)
	k, n = KindOf[address]()
	check("an address", k, n, Address, word)
	k, n = KindOf[float32]()
	check("float32", k, n, Float, 4)
	k, n = KindOf[name]()
	check("a name", k, n, Text, 2*word)
	k, n = KindOf[octets]()
	check("octets", k, n, Bytes, 3*word)
	k, n = KindOf[[5]octet]()
	check("an array", k, n, Array, 5)
	k, n = KindOf[[]int16]()
	check("a slice of numbers", k, n, Other, 3*word)
	k, n = KindOf[struct{ a, b int32 }]()
	check("a struct", k, n, Other, 8)
	k, n = KindOf[any]()
	check("an interface", k, n, Other, 2*word)
}

// TestRefers: a type without a pointer, at any depth, refers to nothing.
func TestRefers(t *testing.T) {
	for what, got := range map[string][2]bool{
		"int":             {Refers[int](), false},
		"complex":         {Refers[[3]complex64](), false},
		"struct":          {Refers[struct{ a, b [2]struct{ f float32 } }](), false},
		"no pointers":     {Refers[[0]*int](), false},
		"string":          {Refers[string](), true},
		"pointer":         {Refers[*int](), true},
		"deep":            {Refers[[2]struct{ a [1]func() }](), true},
		"time has a zone": {Refers[time.Time](), true},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %t", what, got[0])
		}
	}
}
