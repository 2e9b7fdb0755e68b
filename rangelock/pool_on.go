//go:build invariants || race || schedule

package rangelock

// In checking builds hot ranges are common, and so is that there are too many.
const (
	maxSets  = 2
	hotAfter = 2
)
