// Package rwsem has a reader-writer semaphore, [Sem], for code in which the lock is the
// slow path. A wait for it can be ended by a context, a writer can become a reader without
// releasing the lock, and it carries a sequence number by which code without the lock can
// tell that no writer held it.
//
// Use sync.RWMutex where none of the three is needed. The costs are the same: a benchmark
// in this package compares them.
//
// # Blocking
//
//	what          blocks                          admitted when
//	Lock          yes                             the lock is free and the queue is empty
//	LockContext   until the context ends          the same
//	TryLock       never                           the same, at once
//	RLock         yes                             no writer holds and the queue is empty
//	RLockContext  until the context ends          the same
//	TryRLock      never                           the same, at once
//	Unlock        never                           (releases the write lock)
//	RUnlock       never                           (releases a read lock)
//	Downgrade     never                           (write lock becomes read lock)
//	Contended     never
//	Stats         never
//	Speculate     never
//	Validate      never
//
// "Never" allows for a mutex that is held for a few steps.
//
// # Order
//
// Waiters are granted the lock in the order in which they queued. A writer yields the
// processor once before it queues, if the writer that holds the lock was granted it and
// has not woken yet; others may queue first meanwhile.
//
// # Lineage
//
// The semaphore with its downgrade, its one state word and its queue is patterned after
// the Linux kernel's rw_semaphore. The sequence number is patterned after the kernel's
// mm_lock_seq, which goes with that semaphore in the same way; the kernel's has 32 bits
// and can wrap. Readers that stand together in a queue and enter together are in J.
// Mellor-Crummey and M. Scott, "Scalable reader-writer synchronization for shared-memory
// multiprocessors" (1991). Reading without the lock and validating afterwards is the
// seqlock.
package rwsem
