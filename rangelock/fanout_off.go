//go:build !invariants && !race && !schedule

package rangelock

// Node sizes, powers of two. A leaf of 32 is half a kilobyte for 64-bit keys: it
// is copied for every change of an attached set, in about 50 ns. An inner node is
// copied seldom and searched always, so it is wider and the tree is lower.
const (
	leafCap  = 32
	innerCap = 64

	// maxLevel is how high a tree can grow. Each level needs innerCap/2 splits of
	// the one below, so 32^12 ranges would not reach it.
	maxLevel = 12
)
