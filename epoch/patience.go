//go:build !schedule

package epoch

const (
	// spins is how often a goroutine tries to advance before it queues or drives, so
	// that a pin of a few nanoseconds on another processor can end.
	spins = 16

	// yields is how often the driver yields the processor before it sleeps, so that a
	// pin can end whose goroutine is runnable but does not run.
	yields = 4
)
