package main

import (
	"bytes"
	"encoding/binary"

	"github.com/spanlock/spanlock/rangelock"
)

// kind is a type of keys with everything that the stores need to order them. The functions
// are written out for each type: a function that calls another would slow the rivals down.
type kind[K any] struct {
	name        string
	before      func(a, b K) bool
	lessItem    func(a, b item[K]) bool
	lessCounted func(a, b countedItem[K]) bool
	key         func(i uint64) K // in the order of i
	open        func(o *rangelock.Options[K, *int]) *rangelock.Map[K, *int]
}

var uint64Kind = &kind[uint64]{
	name:        "uint64",
	before:      func(a, b uint64) bool { return a < b },
	lessItem:    func(a, b item[uint64]) bool { return a.lo < b.lo },
	lessCounted: func(a, b countedItem[uint64]) bool { return a.lo < b.lo },
	key:         func(i uint64) uint64 { return i },
	open:        rangelock.New[uint64, *int],
}

var stringKind = &kind[string]{
	name:        "string",
	before:      func(a, b string) bool { return a < b },
	lessItem:    func(a, b item[string]) bool { return a.lo < b.lo },
	lessCounted: func(a, b countedItem[string]) bool { return a.lo < b.lo },
	key:         func(i uint64) string { return string(prefixed(i)) },
	open:        rangelock.New[string, *int],
}

var bytesKind = &kind[[]byte]{
	name:        "bytes",
	before:      func(a, b []byte) bool { return bytes.Compare(a, b) < 0 },
	lessItem:    func(a, b item[[]byte]) bool { return bytes.Compare(a.lo, b.lo) < 0 },
	lessCounted: func(a, b countedItem[[]byte]) bool { return bytes.Compare(a.lo, b.lo) < 0 },
	key:         prefixed,
	open: func(o *rangelock.Options[[]byte, *int]) *rangelock.Map[[]byte, *int] {
		return rangelock.NewFunc(bytes.Compare, o)
	},
}

// prefixed returns a key of 12 bytes, of which the first four are the same for all keys.
func prefixed(i uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte("key/"), i)
}
