//go:build invariants || race || schedule

package rangetree

import "github.com/spanlock/spanlock/internal/seam"

// Sizes of nodes in checking builds, where splits, merges and tall trees are common.
const (
	slots    = 3
	fanout   = 4
	maxLevel = 28
)

// rank returns how many of keys are at or below key.
func rank(keys *[slots]seam.Uint64, key uint64) int {
	n := 0
	for i := range keys {
		if keys[i].Load() <= key {
			n++
		}
	}
	return n
}

// warm does nothing here: speed does not matter in checking builds.
func (l *leaf[K]) warm() {}

// codes are the separators of an inner node as numbers.
type codes struct {
	n    int // children
	keys [fanout]uint64
}

// seal does nothing here.
func (s *codes) seal() {}

// descend returns the leaf that code descends to.
func descend[K any](in *inner[K], code uint64) *leaf[K] {
	for in.level > 1 {
		in = in.kids[in.codes.child(code)].Load()
	}
	return in.leaves[in.codes.child(code)].Load()
}

// child returns the index of the child that key descends to.
func (s *codes) child(key uint64) int {
	i := 0
	for i+1 < s.n && s.keys[i+1] <= key {
		i++
	}
	return i
}
