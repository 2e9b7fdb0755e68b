//go:build 386 || arm || mips || mipsle

package rangelock_test

import (
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// The compiler compiles the whole package again for each pair of types here. On 64-bit platforms
// it aligns every word itself, so the test is only for others.

// TestWordsAligned uses every word that is changed atomically, in maps and headers of several
// layouts. On a 32-bit platform a 64-bit word at an odd offset panics at its first use.
//
// It kills 25_misaligned.
func TestWordsAligned(t *testing.T) {
	alignment[uint8](t, struct{}{})
	alignment[uint8](t, uint8(1))
	alignment[uint16](t, "a")
	alignment[uint32](t, [3]uint8{1})
	alignment[uint32](t, uint32(1))
	alignment[uint64](t, uint32(1))
	alignment[float64](t, [3]uint32{1})
	alignment[int32](t, uint64(1))
}

func alignment[K uint8 | uint16 | uint32 | uint64 | int32 | float64, V comparable](t *testing.T, v V) {
	m := rangelock.New(&rangelock.Options[K, V]{OnRetire: func(rangelock.Range[K], V) {}})
	for i := K(0); i < 20; i++ {
		must(t, m.Insert(bg, rangelock.Span(2*i, 2*i+2), v))
	}
	g, err := m.TryAcquire(20)
	must(t, err)
	if n, err := m.Retire(bg, rangelock.Span[K](20, 22)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if _, ok := m.Get(39); !ok || g.Value() != v {
		t.Error("a value has changed")
	}
	g.Release()
	must(t, m.Drain(bg))
	if n := m.Len(); n != 19 {
		t.Errorf("Len is %d, want 19", n)
	}
}
