package rangetree

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/spanlock/spanlock/internal/textkeys"
)

// TestHintOrder: of two keys with a common prefix, the smaller has no larger hint behind
// it. Keys that differ in the next eight bytes have different hints.
func TestHintOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	keys := textkeys.Awkward(rng, 2000)
	for i, a := range keys[1:] {
		b := keys[i]
		n := 0
		for n < len(a) && n < len(b) && a[n] == b[n] {
			n++
		}
		for skip := max(0, n-9); skip <= n; skip++ {
			if hint(b, skip) > hint(a, skip) {
				t.Errorf("%q is before %q, and its hint behind %d bytes is larger", b, a, skip)
			}
			if n < skip+8 && n < len(a) && a[n] != 0 && hint(b, skip) == hint(a, skip) {
				t.Errorf("%q and %q have the same hint behind %d bytes", b, a, skip)
			}
		}
	}
}

// TestFloats: zeros are equal whatever their sign, and no range covers a NaN.
func TestFloats(t *testing.T) {
	var tree Tree[float64]
	InitOrdered(&tree)
	zero := math.Copysign(0, -1)
	var all Entry[float64]
	tree.Set(&all, math.Inf(-1), 0, true)
	for _, lo := range []float64{0, zero} {
		for _, hi := range []float64{0, zero} {
			tree.Clear()
			b := tree.Append()
			e, f := &Entry[float64]{Lo: -1, Hi: hi}, &Entry[float64]{Lo: lo, Hi: 1}
			b.Add(e)
			b.Add(f)
			b.Publish()
			for _, key := range []float64{0, zero} {
				if got, _ := tree.Find(key); got != f {
					t.Errorf("with ranges that meet at %v and %v, %v is found in %v", hi, lo, key, got)
				}
			}
		}
	}
	tree.Clear()
	b := tree.Append()
	b.Add(&all)
	b.Publish()
	for _, key := range []float64{math.NaN(), math.Copysign(math.NaN(), -1)} {
		if got, _ := tree.Find(key); got != nil {
			t.Errorf("%v is found in a range from %v on", key, got.Lo)
		}
	}
	for _, key := range []float64{math.Inf(1), math.Inf(-1)} {
		if got, _ := tree.Find(key); got != &all {
			t.Errorf("%v is not found in a range without an end", key)
		}
	}
}
