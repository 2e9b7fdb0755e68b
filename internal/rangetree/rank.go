//go:build !invariants && !race && !schedule

package rangetree

import (
	"math/bits"

	"github.com/spanlock/spanlock/internal/seam"
)

// Sizes of nodes. A leaf of uint64 keys has its order and its keys in two cache lines. An
// inner node is seldom copied and always searched, so it is wider, which makes the tree
// lower.
const (
	slots  = 15
	fanout = 64
	group  = 8

	// maxLevel is the height that a tree can have. Each level needs fanout/2 splits of the
	// level below, so 32^8 leaves would not reach it.
	maxLevel = 8
)

// rank returns how many of keys are at or below key. The comparisons are the borrows of
// subtractions that do not depend on each other, and there is no branch, so a random key
// costs no misprediction.
func rank(keys *[slots]seam.Uint64, key uint64) int {
	var a, b, c uint64
	_, c = bits.Sub64(key, keys[0].Load(), 0)
	a += c
	_, c = bits.Sub64(key, keys[1].Load(), 0)
	b += c
	_, c = bits.Sub64(key, keys[2].Load(), 0)
	a += c
	_, c = bits.Sub64(key, keys[3].Load(), 0)
	b += c
	_, c = bits.Sub64(key, keys[4].Load(), 0)
	a += c
	_, c = bits.Sub64(key, keys[5].Load(), 0)
	b += c
	_, c = bits.Sub64(key, keys[6].Load(), 0)
	a += c
	_, c = bits.Sub64(key, keys[7].Load(), 0)
	b += c
	_, c = bits.Sub64(key, keys[8].Load(), 0)
	a += c
	_, c = bits.Sub64(key, keys[9].Load(), 0)
	b += c
	_, c = bits.Sub64(key, keys[10].Load(), 0)
	a += c
	_, c = bits.Sub64(key, keys[11].Load(), 0)
	b += c
	_, c = bits.Sub64(key, keys[12].Load(), 0)
	a += c
	_, c = bits.Sub64(key, keys[13].Load(), 0)
	b += c
	_, c = bits.Sub64(key, keys[14].Load(), 0)
	a += c
	return slots - int(a+b)
}

// warm loads from the cache lines of l's entries, so that they arrive together with those
// of its keys, and not only when the search knows which entry it wants. Nothing waits for
// these loads.
func (l *leaf[K]) warm() {
	_ = l.entries[4].Load()
	_ = l.entries[12].Load()
}

// codes are the separators of an inner node as numbers, in groups of eight. pivots repeats
// the first of each group, so that a search reads two cache lines.
type codes struct {
	n      int // children
	pivots [fanout / group]uint64
	keys   [fanout]uint64
}

// seal sets the pivots and the unused keys.
func (s *codes) seal() {
	for i := s.n; i < fanout; i++ {
		s.keys[i] = free
	}
	for i := range s.pivots {
		s.pivots[i] = s.keys[i*group]
	}
}

// descend returns the leaf that code descends to. Like rank it is written out, because the
// calls would cost more than what they do.
func descend[K any](in *inner[K], code uint64) *leaf[K] {
	for {
		var a, b, c uint64
		base := 0
		if in.n > group {
			_, c = bits.Sub64(code, in.pivots[1], 0)
			a += c
			_, c = bits.Sub64(code, in.pivots[2], 0)
			b += c
			_, c = bits.Sub64(code, in.pivots[3], 0)
			a += c
			_, c = bits.Sub64(code, in.pivots[4], 0)
			b += c
			_, c = bits.Sub64(code, in.pivots[5], 0)
			a += c
			_, c = bits.Sub64(code, in.pivots[6], 0)
			b += c
			_, c = bits.Sub64(code, in.pivots[7], 0)
			a += c
			base = (group - 1 - int(a+b)) * group
			a, b = 0, 0
		}
		keys := (*[group]uint64)(in.codes.keys[base&(fanout-group):])
		_, c = bits.Sub64(code, keys[1], 0)
		a += c
		_, c = bits.Sub64(code, keys[2], 0)
		b += c
		_, c = bits.Sub64(code, keys[3], 0)
		a += c
		_, c = bits.Sub64(code, keys[4], 0)
		b += c
		_, c = bits.Sub64(code, keys[5], 0)
		a += c
		_, c = bits.Sub64(code, keys[6], 0)
		b += c
		_, c = bits.Sub64(code, keys[7], 0)
		a += c
		// Unused separators are equal to the largest key.
		i := min(base+group-1-int(a+b), in.n-1) & (fanout - 1)
		if in.level == 1 {
			return in.leaves[i].Load()
		}
		in = in.kids[i].Load()
	}
}

// child returns the index of the child that key descends to: the last whose separator is at
// or below key, or the first. It counts as rank does.
func (s *codes) child(key uint64) int {
	base := 0
	if s.n > group {
		base = upper7(&s.pivots, key) * group
	}
	i := base + upper7((*[group]uint64)(s.keys[base&(fanout-group):]), key)
	// Unused separators are equal to the largest key.
	return min(i, s.n-1)
}

// upper7 returns how many of the last seven of keys are at or below key.
func upper7(keys *[group]uint64, key uint64) int {
	var a, b, c uint64
	_, c = bits.Sub64(key, keys[1], 0)
	a += c
	_, c = bits.Sub64(key, keys[2], 0)
	b += c
	_, c = bits.Sub64(key, keys[3], 0)
	a += c
	_, c = bits.Sub64(key, keys[4], 0)
	b += c
	_, c = bits.Sub64(key, keys[5], 0)
	a += c
	_, c = bits.Sub64(key, keys[6], 0)
	b += c
	_, c = bits.Sub64(key, keys[7], 0)
	a += c
	return group - 1 - int(a+b)
}
