package rwsem

import "time"

// Stats describes a Sem: its holders, its waiters, and how much waiting there has been.
// Only waits are counted: a caller that gets the lock at once leaves no trace.
//
// To publish it, call once:
//
//	expvar.Publish("lock", expvar.Func(func() any { return s.Stats() }))
type Stats struct {
	Writer  bool // a writer holds the lock
	Readers int  // readers hold it; with Writer, refused readers that are about to undo

	// WaitingWriters and WaitingReaders are queued. OldestWait is how long the head of
	// the queue has waited; it is 0 if the queue is empty.
	WaitingWriters, WaitingReaders int
	OldestWait                     time.Duration

	// Waits is the number of waits that have ended so far, with the lock or with a
	// context's error. Waited is their total time.
	Waits  int64
	Waited time.Duration
}

// Stats describes the lock. While it counts the queue it holds the queue's mutex, which
// a goroutine that gets the lock at once never takes. The fields are read one after the
// other and need not fit together exactly. Stats synchronizes nothing.
func (s *Sem) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.state.Load()
	x := Stats{
		Writer: n&writer != 0,
		Waits:  s.waits.Load(),
		Waited: time.Duration(s.waited.Load()),
	}
	if !tooFew(n) { // one RUnlock too many, about to be undone
		x.Readers = int(n & countMask)
	}
	for w := s.queue.head; w != nil; w = w.next {
		if w.want == forWrite {
			x.WaitingWriters++
		} else {
			x.WaitingReaders++
		}
	}
	if w := s.queue.head; w != nil {
		x.OldestWait = time.Since(w.since)
	}
	return x
}

// waitOver counts a wait that began at since.
func (s *Sem) waitOver(since time.Time) {
	s.waits.Add(1)
	s.waited.Add(int64(time.Since(since)))
}
