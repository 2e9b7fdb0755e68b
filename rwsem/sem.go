package rwsem

import "github.com/spanlock/spanlock/internal/seam"

// Sem is a reader-writer semaphore: any number of readers, or one writer. A context can
// end a wait for it. A writer can become a reader without letting another writer in
// between (Downgrade). A sequence number lets code without the lock tell that no writer
// held it (Speculate).
//
// A held Sem belongs to no goroutine: one may lock it and another unlock it.
//
// The zero value is an unlocked Sem, at full speed. A Sem must not be copied
// after first use.
//
// Waiters are served in the order in which they queued; readers that stand next to each
// other are admitted together. While the queue is not empty, no new reader is admitted
// past it, so readers that keep coming cannot starve a writer. For the same reason a
// goroutine that holds the read lock must not take it again with RLock: if a writer
// queues in between, both wait for ever. TryRLock is safe there.
//
// In the terminology of the Go memory model, the n'th release of the write lock (Unlock
// or Downgrade) synchronizes before every later acquisition returns. An acquisition is
// Lock, RLock, LockContext or RLockContext returning nil, or TryLock or TryRLock
// returning true. Every RUnlock synchronizes before the next acquisition of the write
// lock returns. A Try that returned false and a wait that returned an error synchronize
// with nothing.
type Sem struct {
	// Every goroutine writes state, by atomic operations; state.go lists its values.
	state seam.Uint64

	// seq is odd while a writer holds the lock. Only the holder of the write lock
	// writes it; every goroutine reads it. It has 64 bits because 32 wrap within
	// minutes, and then Validate would accept a number from long ago.
	seq seam.Uint64

	// mu protects the queue and changes of the waiters bit. It is held for a few
	// steps and never while waiting.
	mu    seam.Mutex
	queue queue

	// waits and waited are what Stats reports. A goroutine that has parked adds to them
	// when it wakes.
	waits, waited seam.Int64
}

// Contended reports whether a goroutine is queued for the lock. A writer or reader with
// long work can ask it and release early. It never blocks. The answer may be out of
// date, and a goroutine that is just about to queue does not count yet.
func (s *Sem) Contended() bool { return s.state.Load()&waiters != 0 }
