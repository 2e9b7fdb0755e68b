//go:build schedule

package rangelock

// Where every order of steps is tried, to look again is only more of the same; and what
// is unlinked is to be used again within few operations.
const (
	spins     = 1
	pollEvery = 2
)
