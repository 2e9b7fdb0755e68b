// Package textkeys makes keys for tests of code that searches texts.
package textkeys

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// Awkward returns n keys, in order, that hints could get wrong: some are prefixes of
// others, some differ only in zeros behind the end, many have a common prefix longer than a
// hint, and some of the others do not.
func Awkward(rng *rand.Rand, n int) []string {
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
