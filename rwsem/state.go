package rwsem

import "fmt"

// The state word. Its legal values, with 0 < n < readerLimit throughout:
//
//	0                   unlocked
//	n                   n readers; some of them may be refused and about to undo
//	writer              a writer holds
//	writer|n            a writer holds; n refused readers are about to undo
//	waiters             free, the queue is not empty; the goroutine that made it
//	                    so is about to grant the head
//	waiters|n           n readers as above; new ones are refused
//	writer|waiters      a writer holds, the queue is not empty
//	writer|waiters|n    the same; n refused readers are about to undo
//
// Bits 0 to 29 are the count. A count with bit 29 is not legal: the count reaches bit
// 29 from below when there are too many readers, and from above when there is one
// RUnlock too many; see tooMany and tooFew. Both undo what they did before they panic.
//
// The writer bit is set by compare-and-swap only, from exactly 0 (Lock, TryLock) or
// from exactly waiters (grantLocked). The waiters bit changes only under mu. Whenever
// mu is free, the bit is set if and only if the queue is not empty.
//
// Bits 32 to 63 are zero; a subtraction that goes through zero shows in them. The state
// would fit into 32 bits, but only sync/atomic's 64-bit word costs the inliner little
// enough for the fast paths to be inlined.
//
// What each operation does in each state:
//
//	held by      queue       Lock    RLock   Unlock     Downgrade     RUnlock
//	free         empty       enters  enters  panics     panics        panics
//	n readers    empty       queues  enters  panics     panics        n-1 readers
//	n readers    not empty   queues  queues  panics     panics        n-1 readers; the last grants
//	a writer     empty       queues  queues  free       one reader    panics
//	a writer     not empty   queues  queues  grants     one reader    panics
//	                                                    and grants
//
// TryLock and TryRLock report false where Lock and RLock queue.
const (
	writer  uint64 = 1 << 31
	waiters uint64 = 1 << 30

	readerLimit uint64 = 1 << 29
	countMask   uint64 = 1<<30 - 1
	one         uint64 = 1
	minusOne           = ^uint64(0)
	minusWriter        = ^writer + 1
)

// tooMany reports whether a count that an add of one returned is above the limit.
func tooMany(n uint64) bool {
	c := n & countMask
	return c >= readerLimit && c < readerLimit+readerLimit/2
}

// tooFew reports whether a count that a subtraction of one returned went through zero.
// That subtraction borrowed from the bits above the count, so they mean nothing then.
func tooFew(n uint64) bool { return n&countMask >= readerLimit+readerLimit/2 }

// borrowed reports whether a subtraction from the whole word went through zero.
func borrowed(n uint64) bool { return n>>32 != 0 }

// misuse panics: the caller did what, and the state was n.
func misuse(what string, n uint64) {
	panic(fmt.Sprintf("rwsem: %s (state %#x: %s)", what, n, describe(n)))
}

// describe says in words what the state n means.
func describe(n uint64) string {
	d := "not write-locked"
	if n&writer != 0 {
		d = "write-locked"
	}
	if n&waiters != 0 {
		d += ", waiters"
	}
	return fmt.Sprintf("%s, %d readers", d, n&countMask)
}
