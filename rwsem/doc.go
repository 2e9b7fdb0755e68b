// Package rwsem has a reader-writer semaphore, Sem, for code in which the lock is
// the slow path: it can be waited for with a context, a writer can become a reader
// without letting go, and it carries a sequence number by which code without the
// lock can tell that no writer was there.
//
// # When to use it
//
// Use sync.RWMutex where none of the three is needed. The costs are the same: a
// benchmark in this package compares them.
//
// # The lock
//
//	what          blocks                          admitted when
//	Lock          yes                             nobody holds, nobody is queued
//	LockContext   until the context ends          the same
//	TryLock       never                           the same, at once
//	RLock         yes                             no writer holds, nobody is queued
//	RLockContext  until the context ends          the same
//	TryRLock      never                           the same, at once
//	Unlock        never                           (gives back the write lock)
//	RUnlock       never                           (gives back a read lock)
//	Downgrade     never                           (write lock becomes read lock)
//	Contended     never
//	Stats         never
//	Speculate     never
//	Validate      never
//
// "Never" allows for a mutex that is held for a few steps.
//
// # State table
//
// One word has it all: is there a writer, is anybody queued, how many readers.
//
//	held by      queued     Lock    RLock   Unlock     Downgrade     RUnlock
//	nobody       no         enters  enters  panics     panics        panics
//	n readers    no         queues  enters  panics     panics        n-1 readers
//	n readers    yes        queues  queues  panics     panics        n-1 readers; the last grants
//	a writer     no         queues  queues  free       one reader    panics
//	a writer     yes        queues  queues  grants     one reader    panics
//	                                                   and grants
//
// TryLock and TryRLock report false where Lock and RLock would queue.
//
// # Protocol
//
//  1. A writer enters without queueing by a compare-and-swap of the whole word, from
//     unlocked.
//  2. A reader adds one to the word and is in if the result has no other bit. If it
//     has, the reader takes the one back, by the same code as a release.
//  3. Who is refused queues under a small mutex, sets the waiters bit, tries to grant
//     the head of the queue once, itself perhaps, and parks.
//  4. To grant is: if the head is a writer and nobody holds, make it the writer; if
//     the head is a reader and no writer holds, admit all readers up to the next
//     writer, in one add. With the last waiter goes the waiters bit.
//  5. Whoever lets go, of the lock or of a refused add, and so finds the lock
//     grantable and the waiters bit set, grants.
//  6. Whoever leaves the queue because its context ended grants, too: readers that
//     stood behind a writer may go at once when the writer gives up. Who was granted
//     before it could leave keeps the lock and reports success.
//  7. The holder of the write lock adds one to the sequence when it has entered, and
//     one before it lets go or downgrades. So the sequence is odd while a writer is at
//     work, and has one writer at a time.
//
// From 3 and 5: with the waiters bit set nobody enters but by a grant. So waiters are
// served in the order in which they queued, and readers that keep coming cannot
// starve a writer.
//
// Order is that of queueing. A writer that finds the lock in the hands of a writer
// that has been granted it and has not woken yet gives the processor away once
// before it queues; others may queue before it.
//
// # Memory model
//
// In the terminology of the Go memory model: for any Sem, the n'th call that gives
// back the write lock (Unlock, Downgrade) synchronizes before each later acquisition
// returns; and each RUnlock synchronizes before the next acquisition of the write lock
// returns. An acquisition is Lock, RLock, LockContext or RLockContext returning nil,
// TryLock or TryRLock returning true.
//
// A Try that failed and a wait that ended with an error synchronize with nothing.
//
// Between Speculate and Validate what the lock protects may be read with atomic
// operations only: there may be a writer. Validate true says that there was none.
//
// # Where the ideas come from
//
// The semaphore with its downgrade, its one word and its queue is patterned after the
// Linux kernel's rw_semaphore, the sequence after its mm_lock_seq, which goes with
// that semaphore in the same way; the kernel's has 32 bits and can wrap. Readers that
// stand together in a queue and enter together are in J. Mellor-Crummey and M. Scott,
// "Scalable reader-writer synchronization for shared-memory multiprocessors" (1991).
// Reading without the lock and asking afterwards is the seqlock.
package rwsem
