package rwsem

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// Lock takes the write lock. It blocks while the lock is held or the queue is not
// empty.
func (s *Sem) Lock() {
	// From exactly 0: the lock is free and the queue is empty. Afterwards this
	// goroutine is the writer. The swap pairs with the adds of RLock and TryRLock.
	//
	// Written like this, and with enter written out, it costs the inliner 80, which is
	// its whole budget.
	if s.state.CompareAndSwap(0, writer) {
		s.seq.Add(1)
	} else {
		s.lockSlow()
	}
}

// lockSlow is the rest of a Lock that did not find the lock free. It is outlined
// because it contains a wait.
func (s *Sem) lockSlow() {
	if !s.yieldToGranted() {
		s.wait(forWrite, nil)
	}
	s.enter()
}

// yieldToGranted yields the processor once, if the lock is held by a writer that was
// granted it while asleep and has not run since. It reports whether it then took the
// write lock.
//
// Without it two writers fall into step. A unlocks, grants B, and wants the lock again
// before B has run. If A queues, then B runs on A's processor, grants A, and wants the
// lock again. Each pair of operations then costs a park and a wake, while the other
// processors sleep. With the yield, B runs at once and A goes on elsewhere. sync.Mutex
// yields for the same reason when it hands over.
//
// There is no other waiting outside the queue. A loop that reads the state for some
// microseconds before it queues was measured and is worse: it keeps two goroutines in
// step at the price of a cache miss for each operation.
func (s *Sem) yieldToGranted() bool {
	// The writer bit without an odd sequence: see enter. A holder that is just between
	// its two operations looks the same; a yield does no harm then.
	if s.state.Load()&writer == 0 || s.seq.Load()&1 != 0 {
		return false
	}
	seam.Gosched()
	return s.state.CompareAndSwap(0, writer)
}

// TryLock takes the write lock if that is possible at once, and reports whether it did.
// It never blocks. It may report false though the lock is free, when a refused reader
// is just about to take back its count; it never enters beside another holder. False
// gives no guarantee of any kind.
func (s *Sem) TryLock() bool {
	if !s.state.CompareAndSwap(0, writer) {
		return false
	}
	s.enter()
	return true
}

// LockContext takes the write lock like Lock and returns nil, or returns ctx's error
// when ctx ends first; then it has had no effect. An ended ctx fails even when the lock
// is free. When the lock is granted and ctx ends at the same time, either may win.
func (s *Sem) LockContext(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.TryLock() {
		return nil
	}
	if !s.yieldToGranted() && !s.wait(forWrite, ctx.Done()) {
		return ctx.Err()
	}
	s.enter()
	return nil
}

// Unlock releases the write lock. It does not block, but if the queue is not empty it
// grants the lock, under a small mutex.
//
// It panics, and changes nothing, when the lock is not held for writing.
func (s *Sem) Unlock() {
	// To unlockSlow, n == writer means that the lock was not write-locked.
	n := writer
	// This look writes nothing, so misuse changes nothing.
	if s.state.Load()&writer != 0 {
		s.leave() // before the release: see leave
		invariants.Yield()
		// After the add the lock is free. If the waiters bit is set, the lock is still
		// closed to all but the head of the queue, and this goroutine must grant it.
		n = s.state.Add(minusWriter)
	}
	if n != 0 {
		s.unlockSlow(n)
	}
}

// unlockSlow finishes an Unlock that left the state n. If n is writer, the Unlock found
// the lock not write-locked.
func (s *Sem) unlockSlow(n uint64) {
	if borrowed(n) {
		s.unrelease(writer)
		n = writer
	}
	if n&writer != 0 {
		misuse("Unlock of unlocked Sem", s.state.Load())
	}
	if n&waiters != 0 {
		invariants.Yield()
		s.grant()
	}
	// What is left is a count: refused readers, which undo their adds themselves.
}

// Downgrade turns the write lock that the caller holds into a read lock, with no moment
// in which another writer could enter. The caller releases it with RUnlock. Readers at
// the head of the queue are admitted. Downgrade does not block.
//
// It panics, and changes nothing, when the lock is not held for writing.
func (s *Sem) Downgrade() {
	if n := s.state.Load(); n&writer == 0 {
		misuse("Downgrade of a Sem that is not write-locked", n)
	}
	s.leave() // before the release: see leave
	invariants.Yield()
	// One operation, from writer to reader. If it were two, a release and a read lock,
	// a queued writer could enter in between.
	n := s.state.Add(minusWriter + one)
	if borrowed(n) {
		s.unrelease(writer - one)
		misuse("Downgrade of a Sem that is not write-locked", s.state.Load())
	}
	if n&waiters != 0 {
		invariants.Yield()
		s.grant()
	}
}

// unrelease undoes a release that subtracted took from the state and went below zero.
// That happens when two goroutines release one hold at the same moment, and both have
// looked at the state before either subtracts.
func (s *Sem) unrelease(took uint64) {
	s.seq.Add(minusOne)
	if s.state.Add(took) == waiters { // a grant may have been refused because of this release
		s.grant()
	}
}
