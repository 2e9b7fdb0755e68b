//go:build invariants || race || schedule

package rangelock

// Node sizes in checking builds: splits, merges and tall trees become common.
const (
	leafCap  = 4
	innerCap = 4
	maxLevel = 28
)
