//go:build schedule

package epoch

// The explorer tries every order of steps, so more attempts would add nothing.
const (
	spins  = 1
	yields = 1
)
