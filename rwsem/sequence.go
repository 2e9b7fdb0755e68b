package rwsem

// Speculate returns the present sequence number, and reports whether it is even, that
// is, whether no writer held the lock. If ok is true, the caller may read, by atomic
// operations, what the lock protects, and then ask Validate(seq) whether a writer has
// held the lock meanwhile. If ok is false, the number tells the holder of the write
// lock which hold this is, and Validate(seq) tells later whether that hold lasts.
//
// Speculate never blocks and writes nothing. It gives no protection: until Validate has
// reported true, what was read may be half of one state and half of another.
//
// Speculate does not see a writer that has been granted the lock and has not run since.
// That writer has changed nothing yet.
func (s *Sem) Speculate() (seq uint64, ok bool) {
	seq = s.seq.Load()
	return seq, seq&1 == 0
}

// Validate reports whether the sequence number is still seq. If seq came from a
// Speculate that reported true, Validate reports true only if no writer held the lock
// between the two: what was read in between, by atomic operations, is then one
// consistent state. It may report false when the writer changed nothing. It never
// reports true after a writer has held the lock, since a 64-bit number does not wrap.
//
// In the terminology of the Go memory model, the release of the write lock that made
// the number seq synchronizes before Speculate returns it. A Validate that reports
// false synchronizes nothing.
//
// Validate never blocks and writes nothing.
func (s *Sem) Validate(seq uint64) bool { return s.seq.Load() == seq }

// enter makes the sequence odd.
//
// Preconditions: the caller holds the write lock, calls enter once, and has done
// nothing else under the lock.
//
// The holder calls enter, and not the goroutine that granted the lock. So only one
// goroutine writes the number at a time, in a fast path and in a granted wait alike.
// Between a grant and enter the number is even with the writer bit set. An optimistic
// reader may then still validate, rightly, since the writer has not changed anything.
func (s *Sem) enter() { s.seq.Add(1) }

// leave makes the sequence even.
//
// Preconditions: the caller holds the write lock and is about to release or to
// downgrade it.
//
// The tempting order is to release first and to add afterwards. Then the next writer's
// enter may come first: the number is even while that writer holds the lock, and odd
// ever after.
func (s *Sem) leave() { s.seq.Add(1) }
