package rwsem

import "time"

// Stats is who has a Sem now, who waits for it, and how much waiting there has been.
// Only waits are counted: who gets the lock at once leaves no trace.
//
// To publish it, say once:
//
//	expvar.Publish("lock", expvar.Func(func() any { return s.Stats() }))
type Stats struct {
	Writer  bool // a writer holds the lock
	Readers int  // readers hold it; with Writer, readers that are just being refused

	// WaitingWriters and WaitingReaders are queued, and OldestWait is how long the one
	// at the head of the queue has been; 0 if there is none.
	WaitingWriters, WaitingReaders int
	OldestWait                     time.Duration

	// Waits is how many waits have ended so far, with the lock or with a context's
	// error, and Waited how long they took together.
	Waits  int64
	Waited time.Duration
}

// Stats describes the lock. It holds the queue's mutex while it counts the queue, which
// those who get the lock at once never look at. The fields are read one after the other
// and need not fit together exactly. It synchronizes nothing.
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
