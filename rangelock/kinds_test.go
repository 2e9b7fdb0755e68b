//go:build !invariants && !race && !schedule && !spanlockdebug

package rangelock_test

import (
	"cmp"
	"fmt"
	"math"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// The compiler compiles the whole package again for each kind of key or value here, which takes a
// second or two for each. The checking builds leave these tests out: the tests have one goroutine,
// and only check the order of keys and that values do not change.

func checkKind[K cmp.Ordered](t *testing.T, keys ...K) {
	t.Run(fmt.Sprintf("%T", keys[0]), func(t *testing.T) {
		checkKeys(t, rangelock.New[K, int](nil), keys)
		checkKeys(t, rangelock.NewFunc[K, int](cmp.Compare[K], nil), keys)
	})
}

// counting returns n keys, the last of which is top.
func counting[K interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}](n int, top K) []K {
	var keys []K
	for i := n - 1; i >= 0; i-- {
		keys = append(keys, top-K(i))
	}
	return keys
}

type (
	offset uint64
	name   string
	degree float32
)

// TestKeyKinds checks each kind of ordered key, with its smallest and its largest key, keys that
// differ by one, and more keys than a leaf can hold.
func TestKeyKinds(t *testing.T) {
	checkKind(t, append([]uint64{0, 1, 1 << 32, math.MaxInt64, math.MaxInt64 + 1}, counting[uint64](300, math.MaxUint64)...)...)
	checkKind(t, append([]offset{0, 1}, counting[offset](100, math.MaxUint64)...)...)
	checkKind(t, append([]int32{math.MinInt32, -70000, -1, 0, 1}, counting[int32](300, math.MaxInt32)...)...)
	checkKind(t, append([]int64{math.MinInt64, -1 << 32, -1, 0, 1}, counting[int64](300, math.MaxInt64)...)...)
	checkKind(t, append([]int{math.MinInt, -1, 0, 1}, counting[int](300, math.MaxInt)...)...)
	checkKind(t, append([]uint32{0, 1, math.MaxInt32, math.MaxInt32 + 1}, counting[uint32](300, math.MaxUint32)...)...)
	checkKind(t, append([]uint{0, 1}, counting[uint](300, math.MaxUint)...)...)
	checkKind(t, append([]uintptr{0, 1}, counting[uintptr](300, ^uintptr(0))...)...)
	checkKind(t, append([]uint16{0, 1, math.MaxInt16, math.MaxInt16 + 1}, counting[uint16](300, math.MaxUint16)...)...)
	checkKind(t, append([]int16{math.MinInt16, -1, 0}, counting[int16](300, math.MaxInt16)...)...)
	checkKind(t, counting[uint8](256, math.MaxUint8)...)
	checkKind(t, counting[int8](256, math.MaxInt8)...)
	checkKind(t, math.Inf(-1), -math.MaxFloat64, -1, -math.SmallestNonzeroFloat64, 0, math.SmallestNonzeroFloat64, 1, math.MaxFloat64, math.Inf(1))
	inf := float32(math.Inf(1))
	checkKind(t, -inf, -math.MaxFloat32, -1, 0, math.SmallestNonzeroFloat32, 1, math.MaxFloat32, inf)
	checkKind(t, degree(-1), 0, 1, degree(inf))
	checkKind(t, "", "\x00", "\x00\x00", "a", "a\x00", "aa", "ab", "b", "\x7f", "\x80", "é", "\xff", "\xff\xff")
	checkKind(t, name(""), "a", "b")
	var words []string
	for i := range 1000 {
		words = append(words, fmt.Sprintf("key%05d", i))
	}
	checkKind(t, words...)
}

// TestValueKinds is TestValueSizes for values of size zero and of many other sizes.
func TestValueKinds(t *testing.T) {
	checkValue[uint8](t, struct{}{}, struct{}{})
	checkValue[int](t, [0]int{}, [0]int{})
	checkValue[uint8, byte](t, 1, 2)
	checkValue[uint32](t, [3]byte{1, 2, 3}, [3]byte{3, 2, 1})
	checkValue[int](t, [513]byte{512: 7}, [513]byte{0: 7})
	checkValue[int](t, [4096]uint64{4095: 1}, [4096]uint64{0: 1})
	checkValue[int, error](t, rangelock.ErrBusy, nil)
}
