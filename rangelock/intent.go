package rangelock

// intent is what a call is about to wait for. Debug builds compare it with what the goroutine
// holds of the same map: with some pairs of the two the goroutine may wait for ever.
type intent int

const (
	toGet       intent = iota // a writer
	toTurn                    // with a Reader: a turn in the queue of the range that covers a key
	toAcquire                 // a writer, or a turn in the queue of the range that covers a key
	toNext                    // as toAcquire, at the first range that ends above a key
	toLoad                    // as toAcquire; or a load, and then the lock
	toExclusive               // a writer, and all guards on a range
	toLock                    // transactions and Readers
	toExclude                 // in a transaction: the guards on a range
	toDrain                   // the guards on ranges that have left the map
	toClose                   // transactions and Readers, and all guards
)
