package rwsem

// Speculate returns the sequence number as it is now, and whether it is even, that
// is, no writer held the lock. With ok the caller may look, by atomic operations,
// at what the lock protects, and then ask Validate(seq) whether what it saw was
// left alone. Without ok the number is returned all the same: the holder of the
// write lock learns by it which hold this is, and Validate(seq) tells later
// whether it still is.
//
// Speculate never blocks and writes nothing. It gives no protection: what was
// seen before Validate said true may be half of one state and half of another.
//
// A writer that has been granted the lock and has not run since is not seen yet:
// it has changed nothing yet.
func (s *Sem) Speculate() (seq uint64, ok bool) {
	seq = s.seq.Load()
	return seq, seq&1 == 0
}

// Validate reports whether the sequence number is still seq. If seq came from a
// Speculate with ok, true says that no writer held the lock between the two: what
// was read in between, with atomic operations, is one consistent state. It may
// say false when the writer changed nothing; it never says true when a writer has
// been, since the number has 64 bits and does not come round.
//
// In the terminology of the Go memory model, the release of the write lock that
// made the number seq synchronizes before Speculate returns it. Validate false
// gives nothing.
//
// Validate never blocks and writes nothing.
func (s *Sem) Validate(seq uint64) bool { return s.seq.Load() == seq }

// enter makes the sequence odd.
//
// Preconditions: the caller holds the write lock and calls it once, first of all.
//
// The holder does it, and not whoever granted the lock: so the number has one
// writer at a time, in a fast path and in a granted wait alike. Between a grant
// and this the number is even with the writer bit set: an optimistic reader may
// then still validate, rightly, since the writer has not changed anything.
func (s *Sem) enter() { s.seq.Add(1) }

// leave makes the sequence even.
//
// Preconditions: the caller holds the write lock and is about to release or to
// downgrade it.
//
// The tempting order, release first and bump after, lets the next writer's enter
// come first: the number is then even while that writer holds, and odd for ever
// after this.
func (s *Sem) leave() { s.seq.Add(1) }
