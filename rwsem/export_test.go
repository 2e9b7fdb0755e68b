package rwsem

// ReaderLimit is one more than the largest number of readers.
const ReaderLimit = readerLimit

// State returns the state.
func State(s *Sem) uint64 { return s.state.Load() }

// Writer and Waiters are the two bits of the state.
const (
	Writer  = writer
	Waiters = waiters
)

// SetSeq sets the sequence to n. The lock must be free.
func SetSeq(s *Sem, n uint64) { s.seq.Store(n) }

// Grant makes s look as if a writer had been granted the lock and had not run yet. Enter
// finishes that writer's Lock.
func Grant(s *Sem) { s.state.Store(writer) }

// Enter is what a granted writer does first.
func Enter(s *Sem) { s.enter() }

// AddReaders makes s look as if n more readers held it.
func AddReaders(s *Sem, n uint64) { s.state.Add(n) }

// QueueLen returns the length of the queue.
func QueueLen(s *Sem) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for w := s.queue.head; w != nil; w = w.next {
		n++
	}
	return n
}

// HoldQueue takes the queue's mutex, and returns the function that releases it.
func HoldQueue(s *Sem) (release func()) {
	s.mu.Lock()
	return s.mu.Unlock
}

// UnlockInQueue is Unlock for a caller that holds the queue's mutex.
func UnlockInQueue(s *Sem) {
	s.leave()
	s.state.Add(minusWriter)
	s.grantLocked()
}
