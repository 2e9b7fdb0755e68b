package rangetree

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// awkward returns keys that hints could get wrong: some are the beginning of others,
// some differ in zeros behind the end alone, many begin alike for longer than a hint, and
// some of the others do not.
func awkward(rng *rand.Rand, n int) []string {
	begins := []string{"", "", "a", "a\x00", "segment/", "segment/0000000000000000/", "segment/0000000000000000/\xff\xff\xff\xff\xff\xff\xff\xff", strings.Repeat("z", 40)}
	seen := make(map[string]bool)
	for len(seen) < n {
		k := begins[rng.IntN(len(begins))]
		for range rng.IntN(12) {
			k += string("\x00\x00\x01a\xff"[rng.IntN(5)])
		}
		seen[k] = true
	}
	keys := make([]string, 0, n)
	for k := range seen {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// TestHintOrder: of two keys that begin alike the smaller one has no greater hint, and
// keys that differ in the next eight bytes have two.
func TestHintOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	keys := awkward(rng, 2000)
	for i, a := range keys[1:] {
		b := keys[i]
		n := 0
		for n < len(a) && n < len(b) && a[n] == b[n] {
			n++
		}
		for skip := max(0, n-9); skip <= n; skip++ {
			if hint(b, skip) > hint(a, skip) {
				t.Errorf("%q is before %q, and its hint behind %d bytes is greater", b, a, skip)
			}
			if n < skip+8 && n < len(a) && a[n] != 0 && hint(b, skip) == hint(a, skip) {
				t.Errorf("%q and %q have the same hint behind %d bytes", b, a, skip)
			}
		}
	}
}

// TestFloats: zeros are equal whatever their sign, and what is not a number is in no range.
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
