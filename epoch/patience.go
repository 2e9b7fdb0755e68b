//go:build !schedule

package epoch

const (
	// spins is how often a goroutine tries to advance before it queues or drives. It
	// gives a pin of a few nanoseconds on another processor the time to end.
	spins = 16

	// yields is how often the driver yields the processor before it sleeps. It lets a
	// pin end whose goroutine is runnable but does not run.
	yields = 4
)
