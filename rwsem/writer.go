package rwsem

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// Lock takes the write lock. It blocks while anybody holds the lock, or is queued
// for it.
func (s *Sem) Lock() {
	// From exactly 0: nobody holds, nobody is queued. Afterwards this goroutine is
	// the writer. The swap pairs with the adds of RLock and TryRLock.
	//
	// Written like this, and with enter written out, it costs the inliner 80, which
	// is all that it has.
	if s.state.CompareAndSwap(0, writer) {
		s.seq.Add(1)
	} else {
		s.lockSlow()
	}
}

// lockSlow is the Lock that did not find the lock free. It is outlined because it
// has a wait in it.
func (s *Sem) lockSlow() {
	if !s.yieldToGranted() {
		s.wait(forWrite, nil)
	}
	s.enter()
}

// yieldToGranted gives the processor away, once, if the lock is held by a writer that
// was granted it in its sleep and has not run since, and reports whether the write
// lock could be taken after that.
//
// Without it two writers fall into step: A unlocks, grants B, and wants the lock
// again before B has run. If A queues, then B runs on A's processor, grants A, wants
// the lock again, and so on: each pair of operations costs a park and a wake, while
// the other processors sleep. With it, B runs at once and A goes on elsewhere.
// sync.Mutex yields for the same reason when it hands over.
//
// This is all the waiting that is done outside the queue. A loop that looks at
// the state for some microseconds before it queues was measured and is worse: it
// keeps two goroutines in step at the price of a cache miss for each operation.
func (s *Sem) yieldToGranted() bool {
	// The writer bit without the odd sequence: see enter. A holder that is just
	// between its two operations looks the same, and a yield is no harm then.
	if s.state.Load()&writer == 0 || s.seq.Load()&1 != 0 {
		return false
	}
	seam.Gosched()
	return s.state.CompareAndSwap(0, writer)
}

// TryLock takes the write lock if that is possible at once, and reports whether it
// did. It never blocks. It may report false though the lock is free, when a reader
// that was refused is just about to take back its count; it never enters beside
// anybody. False gives no guarantee of any kind.
func (s *Sem) TryLock() bool {
	if !s.state.CompareAndSwap(0, writer) {
		return false
	}
	s.enter()
	return true
}

// LockContext takes the write lock like Lock and returns nil, or returns ctx's
// error when ctx ends first; everything is then as if it had not been called. An
// ended ctx fails even when the lock is free. When the lock is granted and ctx
// ends at the same time, either may win.
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

// Unlock gives the write lock back. It does not block, but if somebody waits it
// hands the lock on, under a small mutex.
//
// It panics when the lock is not held for writing, and then has changed nothing.
func (s *Sem) Unlock() {
	// The value that unlockSlow takes for "was not locked".
	n := writer
	// The look changes nothing, so that misuse does not either.
	if s.state.Load()&writer != 0 {
		s.leave() // before the release: see leave
		invariants.Yield()
		// After the add the lock is free, or, with the waiters bit set, still closed
		// to all but the head of the queue, and this goroutine must grant it.
		n = s.state.Add(minusWriter)
	}
	if n != 0 {
		s.unlockSlow(n)
	}
}

// unlockSlow finishes an Unlock that left the state n, or that found the lock not
// write-locked, if n is writer.
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
	// Only a count: refused readers, who look after themselves.
}

// Downgrade turns the write lock that the caller holds into a read lock, without
// a moment in which another writer could enter; the caller gives it back with
// RUnlock. Readers that wait at the head of the queue are admitted. It does not
// block.
//
// It panics when the lock is not held for writing, and then has changed nothing.
func (s *Sem) Downgrade() {
	if n := s.state.Load(); n&writer == 0 {
		misuse("Downgrade of a Sem that is not write-locked", n)
	}
	s.leave() // before the release: see leave
	invariants.Yield()
	// One operation, from writer to reader. Done in two, release and read lock, a
	// queued writer gets in between.
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

// unrelease takes back a release, of what it subtracted from the state, that came
// out below zero: two goroutines released one hold at the same moment, and both had
// looked before either did.
func (s *Sem) unrelease(took uint64) {
	s.seq.Add(minusOne)
	if s.state.Add(took) == waiters { // a grant may have been refused for our sake
		s.grant()
	}
}
