package rwsem_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rwsem"
)

// crowd is a number of goroutines at one lock, in a synctest bubble. Each takes the lock
// when told, reports that it has the lock, and releases it when told.
type crowd struct {
	t   *testing.T
	sem rwsem.Sem
	in  []string // the goroutines admitted, in order; written before synctest.Wait
	out map[string]chan struct{}
	mu  chan struct{} // protects in
}

func newCrowd(t *testing.T) *crowd {
	return &crowd{t: t, out: map[string]chan struct{}{}, mu: make(chan struct{}, 1)}
}

// come starts goroutines that take the lock, for reading if the name begins with r and for
// writing otherwise. It waits until each has the lock or is parked.
func (c *crowd) come(names ...string) {
	for _, name := range names {
		out := make(chan struct{})
		c.out[name] = out
		go func() {
			if name[0] == 'r' {
				c.sem.RLock()
				defer c.sem.RUnlock()
			} else {
				c.sem.Lock()
				defer c.sem.Unlock()
			}
			c.mu <- struct{}{}
			c.in = append(c.in, name)
			<-c.mu
			<-out
		}()
		synctest.Wait()
	}
}

// leave lets goroutines release the lock.
func (c *crowd) leave(names ...string) {
	for _, name := range names {
		close(c.out[name])
		synctest.Wait()
	}
}

// want checks which goroutines have been admitted so far. Readers that were admitted
// together are sorted.
func (c *crowd) want(names ...string) {
	c.t.Helper()
	synctest.Wait()
	got := slices.Clone(c.in)
	if len(got) == len(names) {
		// Readers that were granted together run in any order.
		for i := 0; i < len(got); {
			j := i
			for j < len(got) && names[j][0] == 'r' {
				j++
			}
			slices.Sort(got[i:j])
			i = j + 1
		}
	}
	if !slices.Equal(got, names) {
		c.t.Errorf("admitted: %v, want %v", got, names)
	}
}

// end lets the last goroutines release the lock, and checks that it is free.
func (c *crowd) end(names ...string) {
	c.leave(names...)
	mustBeFree(c.t, &c.sem)
}

func TestFIFO(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.come("w0", "w1", "w2", "w3", "w4")
		c.want("w0")
		if !c.sem.Contended() {
			t.Error("not contended")
		}
		c.leave("w0")
		c.want("w0", "w1")
		// A Try does not get past the queue.
		if c.sem.TryLock() || c.sem.TryRLock() {
			t.Error("a Try got past the queue")
		}
		c.leave("w1", "w2")
		c.want("w0", "w1", "w2", "w3")
		c.leave("w3")
		c.want("w0", "w1", "w2", "w3", "w4")
		if c.sem.Contended() {
			t.Error("contended with an empty queue")
		}
		c.end("w4")
	})
}

// TestReaderBatch: readers that stand together are admitted together, up to the next writer
// and no further, and share the lock.
func TestReaderBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.come("w0", "r1", "r2", "r3", "w4", "r5", "r6", "w7")
		c.want("w0")
		c.leave("w0")
		c.want("w0", "r1", "r2", "r3")
		if got, want := rwsem.State(&c.sem), rwsem.Waiters|3; got != want {
			t.Errorf("state %#x, want %#x: three readers, and waiters", got, want)
		}
		c.leave("r1", "r2")
		c.want("w0", "r1", "r2", "r3")
		c.leave("r3")
		c.want("w0", "r1", "r2", "r3", "w4")
		c.leave("w4")
		c.want("w0", "r1", "r2", "r3", "w4", "r5", "r6")
		c.leave("r5", "r6")
		c.want("w0", "r1", "r2", "r3", "w4", "r5", "r6", "w7")
		c.end("w7")
	})
}

// TestGrantIsShared: from the moment of a writer's Unlock, the readers that waited for it
// hold the lock together, as readers.
//
// Queueing a reader for the write lock makes this fail each time.
func TestGrantIsShared(t *testing.T) {
	var s rwsem.Sem
	s.Lock()
	for range 2 {
		go s.RLock()
	}
	if !eventually(func() bool { return rwsem.QueueLen(&s) == 2 }) {
		t.Fatal("the readers do not queue")
	}
	s.Unlock()
	if got := rwsem.State(&s); got != 2 {
		t.Fatalf("state %#x after the grant, want two readers", got)
	}
	if !s.TryRLock() {
		t.Fatal("a third reader is not admitted beside them")
	}
	for range 3 {
		s.RUnlock() // a lock belongs to no goroutine
	}
	mustBeFree(t, &s)
}

// TestQueuedWriterStopsReaders: while a writer is queued no new reader enters, neither by
// trying nor by waiting, however many readers hold the lock.
func TestQueuedWriterStopsReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.come("r0", "r1", "w2")
		if c.sem.TryRLock() {
			t.Error("TryRLock got past a queued writer")
			c.sem.RUnlock()
		}
		c.come("r3")
		c.want("r0", "r1")
		c.leave("r0")
		c.come("r4")
		c.want("r0", "r1")
		c.leave("r1")
		c.want("r0", "r1", "w2")
		c.leave("w2")
		c.want("r0", "r1", "w2", "r3", "r4")
		c.end("r3", "r4")
	})
}

// TestMarkSurvivesGrant: the waiters bit stays when the last reader grants the first of two
// writers, and when a writer grants the readers before another writer.
func TestMarkSurvivesGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.come("r0", "w1", "w2", "r3", "w4")
		marked := func(when string) {
			t.Helper()
			if !c.sem.Contended() {
				t.Errorf("%s: the waiters bit is gone with %d queued", when, rwsem.QueueLen(&c.sem))
			}
			if c.sem.TryRLock() {
				t.Errorf("%s: a new reader slipped in", when)
				c.sem.RUnlock()
			}
		}
		c.leave("r0")
		c.want("r0", "w1")
		marked("the last reader granted a writer")
		c.leave("w1")
		c.want("r0", "w1", "w2")
		marked("a writer granted a writer")
		c.leave("w2")
		c.want("r0", "w1", "w2", "r3")
		marked("a writer granted a reader")
		c.leave("r3")
		c.want("r0", "w1", "w2", "r3", "w4")
		if t.Failed() {
			t.FailNow()
		}
		c.end("w4")
	})
}

// TestDowngrade: the readers at the head are admitted beside the former writer. The writer
// behind them is not, and no writer enters in between.
func TestDowngrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.sem.Lock()
		c.come("r1", "r2", "w3", "r4")
		c.want()
		c.sem.Downgrade()
		c.want("r1", "r2")
		if got, want := rwsem.State(&c.sem), rwsem.Waiters|3; got != want {
			t.Errorf("state %#x, want %#x", got, want)
		}
		c.leave("r1", "r2")
		c.want("r1", "r2")
		c.sem.RUnlock()
		c.want("r1", "r2", "w3")
		c.leave("w3")
		c.end("r4")
	})
}

// TestDowngradeBeforeWriter: a writer at the head stays there.
func TestDowngradeBeforeWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.sem.Lock()
		c.come("w1", "r2")
		c.sem.Downgrade()
		c.want()
		if c.sem.TryRLock() {
			t.Error("a new reader got past the queue")
		}
		c.sem.RUnlock()
		c.want("w1")
		c.leave("w1")
		c.want("w1", "r2")
		c.end("r2")
	})
}

// TestMisuseWhileContended: misuse while there are waiters leaves them as they were.
func TestMisuseWhileContended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.come("w0", "w1", "r2")
		mustPanic(t, c.sem.RUnlock, "rwsem: RUnlock of unlocked Sem", "waiters")
		c.leave("w0", "w1")
		c.want("w0", "w1", "r2")
		c.come("w3")
		mustPanic(t, c.sem.Unlock, "rwsem: Unlock of unlocked Sem", "waiters")
		mustPanic(t, c.sem.Downgrade, "not write-locked", "waiters")
		c.leave("r2")
		c.want("w0", "w1", "r2", "w3")
		c.end("w3")
	})
}
