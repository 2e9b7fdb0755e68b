package rwsem

import (
	"context"
	"sync"

	"github.com/spanlock/spanlock/internal/invariants"
)

// RLock takes the read lock. It blocks while a writer holds the lock or while the queue
// is not empty.
//
// A goroutine that holds the read lock must not call RLock again: see Sem.
//
// RLock panics when more than 2^29-1 readers hold the lock.
func (s *Sem) RLock() {
	// The result of the add itself admits or refuses: one word, one operation. After it
	// this goroutine is a reader if the result has neither bit, and otherwise must undo
	// the add. The add pairs with the compare-and-swaps that set the writer bit.
	//
	// There is no look before the add, unlike in TryRLock. A look was measured: it
	// makes RLock and RUnlock together 1.1 times as slow with one goroutine and 1.3
	// times with two, since it fetches the cache line once more. Here the look is not
	// needed: a refused RLock is refused once and then queues. So only an endless
	// supply of goroutines, and not one goroutine in a loop, could hold the count above
	// zero.
	if n := s.state.Add(one); n >= readerLimit {
		s.rlockSlow(n)
	}
}

// TryRLock takes the read lock if that is possible at once, and reports whether it did.
// It never blocks. It may report false though the lock is free for readers, when
// another goroutine is just about to take or release it; it never enters beside a
// writer. False gives no guarantee of any kind.
//
// TryRLock is safe in a goroutine that holds the read lock already.
func (s *Sem) TryRLock() bool {
	// Look before adding. Suppose a goroutine calls this in a loop while a writer is
	// queued: its refused adds would hold the count above zero, and no release would
	// ever find the lock free. The look can only refuse; the add admits, as in RLock.
	return s.state.Load() < readerLimit && (s.state.Add(one) < readerLimit || s.refused())
}

// refused finishes a TryRLock whose add was refused, and reports false. It is
// outlined because it may grant.
func (s *Sem) refused() bool {
	invariants.Yield() // the writer may release, and others may queue, before the undo
	s.undo()
	return false
}

// RLockContext takes the read lock like RLock and returns nil, or returns ctx's error
// when ctx ends first; then it has had no effect. An ended ctx fails even when the lock
// is free. When the lock is granted and ctx ends at the same time, either may win.
func (s *Sem) RLockContext(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// TryRLock and not an add: a stream of calls may end in errors, and their adds
	// would hold the count above zero.
	if s.TryRLock() {
		return nil
	}
	if !s.wait(forRead, ctx.Done()) {
		return ctx.Err()
	}
	return nil
}

// RUnlock releases the read lock. It does not block, but the last reader grants the
// lock to the waiters at the head of the queue, under a small mutex.
//
// It panics when the lock is not held for reading. (When other readers hold it, one
// RUnlock too many is noticed only at the last of theirs.)
func (s *Sem) RUnlock() {
	// After the add this goroutine owns nothing. But if the count is zero and the
	// waiters bit is set, it must grant: no other goroutine will.
	if n := s.state.Add(minusOne); n >= readerLimit {
		s.runlockSlow(n)
	}
}

// runlockSlow finishes an RUnlock that left the state n, in which more is set than a
// legal count.
func (s *Sem) runlockSlow(n uint64) {
	// A reader released while a writer holds the lock: it held no read lock.
	if tooFew(n) || n&writer != 0 {
		after := s.state.Add(one)
		if after == waiters { // a grant may have been refused because of our count
			s.grant()
		}
		misuse("RUnlock of unlocked Sem", after)
	}
	s.readerGone(n)
}

// rlockSlow finishes an RLock whose add was refused with the state n.
func (s *Sem) rlockSlow(n uint64) {
	invariants.Yield() // the writer may release, and others may queue, before the undo
	s.undo()
	if n&(writer|waiters) == 0 && tooMany(n) {
		misuse("too many readers", n)
	}
	s.wait(forRead, nil)
}

// undo takes back a refused add. To every other goroutine the add looked like a reader,
// so this is a release like any other, and may be the one that must grant.
func (s *Sem) undo() { s.readerGone(s.state.Add(minusOne)) }

// readerGone grants if n, the state that a reader left behind, says that the lock is
// free and the queue is not empty. Because of refused adds, two goroutines can come
// here with the same n; the second finds nothing left to grant.
func (s *Sem) readerGone(n uint64) {
	if n == waiters {
		invariants.Yield()
		s.grant()
	}
}

// RLocker returns a sync.Locker whose Lock and Unlock call RLock and RUnlock of s.
func (s *Sem) RLocker() sync.Locker { return (*rlocker)(s) }

// rlocker is the read lock of a Sem.
type rlocker Sem

func (r *rlocker) Lock()   { (*Sem)(r).RLock() }
func (r *rlocker) Unlock() { (*Sem)(r).RUnlock() }
