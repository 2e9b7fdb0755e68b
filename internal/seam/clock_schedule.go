//go:build schedule

package seam

// Millis stands still in a build for exploration: what it decides must be the same in each
// execution of a schedule.
func Millis() uint32 { return 0 }
