package rwsem

// ReaderLimit is one more than the greatest number of readers.
const ReaderLimit = readerLimit

// State returns the state word.
func State(s *Sem) uint64 { return s.state.Load() }

// Writer is the writer bit of the state word, Waiters the waiters bit.
const (
	Writer  = writer
	Waiters = waiters
)

// SetSeq starts the sequence at n. The lock must be free.
func SetSeq(s *Sem, n uint64) { s.seq.Store(n) }

// Grant makes s look as if a writer had been granted the lock that has not run yet.
// Its Lock is finished by Enter.
func Grant(s *Sem) { s.state.Store(writer) }

// Enter is what a granted writer does first.
func Enter(s *Sem) { s.enter() }

// AddReaders makes s look as if n more readers held it.
func AddReaders(s *Sem, n uint64) { s.state.Add(n) }

// QueueLen returns how many are queued.
func QueueLen(s *Sem) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for w := s.queue.head; w != nil; w = w.next {
		n++
	}
	return n
}

// HoldQueue takes the queue's mutex and returns what gives it back.
func HoldQueue(s *Sem) (release func()) {
	s.mu.Lock()
	return s.mu.Unlock
}

// UnlockInQueue is Unlock for who has called HoldQueue.
func UnlockInQueue(s *Sem) {
	s.leave()
	s.state.Add(minusWriter)
	s.grantLocked()
}
