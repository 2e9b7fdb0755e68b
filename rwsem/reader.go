package rwsem

import (
	"context"
	"sync"

	"github.com/spanlock/spanlock/internal/invariants"
)

// RLock takes the read lock. It blocks while a writer holds the lock or while
// anybody is queued for it.
//
// A goroutine that holds the read lock must not call RLock again: see Sem.
//
// RLock panics when more than 2^29-1 readers hold the lock.
func (s *Sem) RLock() {
	// The add admits, or not, by its own result: one word, one operation. After it
	// this goroutine is a reader if it found neither bit, and otherwise owes an
	// undo. It pairs with the compare-and-swaps that set the writer bit.
	//
	// There is no look before it, unlike in TryRLock. A look was measured to make
	// the pair 1.1 times as dear with one goroutine and 1.3 times with two, since it
	// fetches the cache line once more; and a refused RLock is refused once and then
	// queues, so that it takes endlessly many goroutines, and not one in a loop, to
	// hold the count above zero.
	if n := s.state.Add(one); n >= readerLimit {
		s.rlockSlow(n)
	}
}

// TryRLock takes the read lock if that is possible at once, and reports whether it
// did. It never blocks. It may report false though the lock is free for readers,
// when somebody else is just about to take or leave it; it never enters beside a
// writer. False gives no guarantee of any kind.
//
// TryRLock is safe in a goroutine that holds the read lock already.
func (s *Sem) TryRLock() bool {
	// Look before adding: a goroutine that calls this in a loop while a writer is
	// queued would hold the count above zero with its refused adds, and no release
	// would ever find the lock free. The look decides nothing but a refusal; who is
	// admitted is decided by the add, as in RLock.
	return s.state.Load() < readerLimit && (s.state.Add(one) < readerLimit || s.refused())
}

// refused finishes a TryRLock whose add was refused, and reports false. It is
// outlined because it may grant.
func (s *Sem) refused() bool {
	invariants.Yield() // the writer may leave, and others queue, before the undo
	s.undo()
	return false
}

// RLockContext takes the read lock like RLock and returns nil, or returns ctx's
// error when ctx ends first; everything is then as if it had not been called. An
// ended ctx fails even when the lock is free. When the lock is granted and ctx
// ends at the same time, either may win.
func (s *Sem) RLockContext(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// TryRLock and not an add: calls that end in an error can come in a stream.
	if s.TryRLock() {
		return nil
	}
	if !s.wait(forRead, ctx.Done()) {
		return ctx.Err()
	}
	return nil
}

// RUnlock gives the read lock back. It does not block, but the last reader hands
// the lock on to those who wait, under a small mutex.
//
// It panics when the lock is not held for reading. (When other readers hold it, one
// RUnlock too many is noticed only at the last of theirs.)
func (s *Sem) RUnlock() {
	// After the add this goroutine owns nothing; it may owe the hand-over, though:
	// if the count is zero and the waiters bit is set, nobody else will do it.
	if n := s.state.Add(minusOne); n >= readerLimit {
		s.runlockSlow(n)
	}
}

// runlockSlow finishes an RUnlock that left the state n, which has more in it than
// a legal count.
func (s *Sem) runlockSlow(n uint64) {
	// A reader is gone while a writer holds: it was none.
	if tooFew(n) || n&writer != 0 {
		after := s.state.Add(one)
		if after == waiters { // a grant may have been refused for our sake
			s.grant()
		}
		misuse("RUnlock of unlocked Sem", after)
	}
	s.readerGone(n)
}

// rlockSlow finishes an RLock whose add was refused with the state n.
func (s *Sem) rlockSlow(n uint64) {
	invariants.Yield() // the writer may leave, and others queue, before the undo
	s.undo()
	if n&(writer|waiters) == 0 && tooMany(n) {
		misuse("too many readers", n)
	}
	s.wait(forRead, nil)
}

// undo takes a refused add back. For all others it was a reader, so this is a
// release like any other and may be the one that must grant.
func (s *Sem) undo() { s.readerGone(s.state.Add(minusOne)) }

// readerGone hands the lock on if the state n that a reader left behind says that
// nobody holds it and somebody waits. Two can come here with the same n, by way
// of a refused add; the second finds nothing left to grant.
func (s *Sem) readerGone(n uint64) {
	if n == waiters {
		invariants.Yield()
		s.grant()
	}
}

// RLocker returns a sync.Locker whose Lock and Unlock are the RLock and RUnlock of
// s.
func (s *Sem) RLocker() sync.Locker { return (*rlocker)(s) }

// rlocker is a Sem seen by its read lock.
type rlocker Sem

func (r *rlocker) Lock()   { (*Sem)(r).RLock() }
func (r *rlocker) Unlock() { (*Sem)(r).RUnlock() }
