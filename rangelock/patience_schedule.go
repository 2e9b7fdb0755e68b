//go:build schedule

package rangelock

// A schedule test tries every order of steps. More checks would only add orders that are alike,
// and headers should be used again within few operations.
const (
	spins     = 1
	pollEvery = 2
)
