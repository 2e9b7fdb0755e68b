package rangelock

// intent is what a call is about to wait for, for debug builds: with what its goroutine
// holds of the same map it can wait for ever.
type intent int

const (
	toAcquire intent = iota // a writer, or a turn at a range
	toLock                  // other transactions and Readers
	toExclude               // guards
)
