package rwsem

import "github.com/spanlock/spanlock/internal/seam"

// Sem is a reader-writer semaphore: any number of readers, or one writer. Its
// waits can be ended by a context, a writer can become a reader without letting
// another writer in between (Downgrade), and it carries a sequence number by
// which code without the lock can tell that no writer was there (Speculate).
//
// A held Sem belongs to no goroutine: one may lock it and another unlock it.
//
// The zero value is an unlocked Sem, at full speed. A Sem must not be copied
// after first use.
//
// Waiters are served in the order in which they queued; readers that stand next
// to each other are admitted together. From the moment that anybody is queued no
// new reader is admitted past the queue, so readers that keep coming cannot
// starve a writer. For the same reason a goroutine that holds the read lock must
// not take it again with RLock: if a writer queues in between, both wait for
// ever. TryRLock is safe there.
//
// In the terminology of the Go memory model, the n'th release of the write lock
// (Unlock or Downgrade) synchronizes before every later acquisition returns: one
// by Lock, RLock, LockContext or RLockContext that returned nil, or TryLock or
// TryRLock that returned true. Every RUnlock synchronizes before the next
// acquisition of the write lock returns. A Try that returned false, and a wait that
// returned an error, synchronize with nothing.
type Sem struct {
	// state is written by everybody with atomic operations; see the list above.
	state seam.Uint64

	// seq is odd while a writer holds. Only the holder of the write lock writes
	// it, everybody reads it. It is 64 bits wide because 32 wrap within minutes,
	// and then Validate would believe what is long gone.
	seq seam.Uint64

	// mu protects the queue and changes of the waiters bit. It is held for a few
	// steps and never while waiting.
	mu    seam.Mutex
	queue queue

	// waits and waited count what Stats reports. Whoever has parked adds when it wakes.
	waits, waited seam.Int64
}

// Contended reports whether somebody is queued for the lock. A writer or reader
// with long work can ask it and release early. It never blocks. The answer may be
// old when it arrives, and a goroutine that is just about to queue does not count yet.
func (s *Sem) Contended() bool { return s.state.Load()&waiters != 0 }
