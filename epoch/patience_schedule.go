//go:build schedule

package epoch

// Where every order of steps is tried, to try again is only more of the same.
const (
	spins  = 1
	yields = 1
)
