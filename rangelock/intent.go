package rangelock

// intent is what a call is about to wait for, for debug builds: with what its goroutine
// holds of the same map it can wait for ever.
type intent int

const (
	toGet       intent = iota // a writer
	toTurn                    // a turn at the range that covers a key, with a Reader
	toAcquire                 // a writer, or a turn at the range that covers a key
	toNext                    // the same, at the first range that ends above a key
	toLoad                    // the same as toAcquire, or a load and then the lock
	toExclusive               // a writer, and every guard on a range
	toLock                    // transactions and Readers
	toExclude                 // the guards on a range, in a transaction
	toDrain                   // the guards on what has left the map
	toClose                   // transactions and Readers, and all guards
)
