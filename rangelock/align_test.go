//go:build !spanlockdebug

package rangelock_test

import (
	"math/bits"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// TestHeadersAligned checks that each range object has its cache lines to itself, whether its
// range was inserted or loaded.
func TestHeadersAligned(t *testing.T) {
	if bits.UintSize != 64 {
		t.Skip("the size classes are those of 64-bit platforms")
	}
	ownLines(t, uint64(1))
	ownLines(t, [3]uint64{1})
	ownLines(t, "a")
}

func ownLines[V any](t *testing.T, v V) {
	needsSizes(t)
	const n = 500
	loaded, inserted := rangelock.New[uint64, V](nil), rangelock.New[uint64, V](nil)
	w := loaded.Lock()
	k, err := w.Load(func(yield func(rangelock.Range[uint64], V) bool) {
		for i := uint64(0); i < n && yield(rangelock.Span(2*i, 2*i+2), v); i++ {
		}
	})
	w.Unlock()
	if k != n || err != nil {
		t.Fatal(k, err)
	}
	for i := range uint64(n) {
		must(t, inserted.Insert(bg, rangelock.Span(2*i, 2*i+2), v))
	}
	if a, b := loaded.Misaligned(), inserted.Misaligned(); a != 0 || b != 0 {
		t.Errorf("of %d range objects with a %T, %d of the loaded and %d of the inserted ones begin inside a cache line", n, v, a, b)
	}
}
