//go:build !schedule

package epoch

const (
	// spins is how often a goroutine tries to advance before it queues up or drives;
	// it lets a pin of a few nanoseconds on another processor end.
	spins = 16

	// yields is how often the driver gives the processor to others before it
	// sleeps; it lets a pin end whose goroutine is runnable but does not run.
	yields = 4
)
