package rwsem_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rwsem"
)

// TestCancelRestores: a wait that its context ends returns that context's error and leaves
// the lock as it was, with any holder.
func TestCancelRestores(t *testing.T) {
	for _, tt := range []struct {
		name       string
		take, give func(*rwsem.Sem)
		wait       func(*rwsem.Sem, context.Context) error
	}{
		{"writer behind writer", (*rwsem.Sem).Lock, (*rwsem.Sem).Unlock, (*rwsem.Sem).LockContext},
		{"writer behind reader", (*rwsem.Sem).RLock, (*rwsem.Sem).RUnlock, (*rwsem.Sem).LockContext},
		{"reader behind writer", (*rwsem.Sem).Lock, (*rwsem.Sem).Unlock, (*rwsem.Sem).RLockContext},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s rwsem.Sem
				tt.take(&s)
				state := rwsem.State(&s)
				seq, _ := s.Speculate()
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := tt.wait(&s, ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
				if d := time.Since(start); d != time.Minute {
					t.Errorf("waited %v, want a minute", d)
				}
				if got := rwsem.State(&s); got != state {
					t.Errorf("state %#x, was %#x", got, state)
				}
				if s.Contended() || !s.Validate(seq) {
					t.Error("not as it was")
				}
				tt.give(&s)
				mustBeFree(t, &s)
			})
		})
	}
}

// TestCancelHeadWriter: a writer that waits for readers gives up. The readers behind it go
// at once, not at the next release. The readers behind the next writer do not go.
func TestCancelHeadWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.come("r0")
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- c.sem.LockContext(ctx) }()
		synctest.Wait()
		c.come("r1", "r2", "w3", "r4")
		c.want("r0")
		cancel()
		synctest.Wait()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		c.want("r0", "r1", "r2")
		c.leave("r0", "r1", "r2")
		c.want("r0", "r1", "r2", "w3")
		c.leave("w3")
		c.end("r4")
	})
}

// TestCancelOnlyWaiter: new readers are admitted again when the only waiter is gone.
func TestCancelOnlyWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.come("r0")
		ctx, cancel := context.WithCancel(t.Context())
		go c.sem.LockContext(ctx)
		synctest.Wait()
		if c.sem.TryRLock() {
			t.Error("TryRLock past a queued writer")
		}
		cancel()
		synctest.Wait()
		c.come("r1")
		c.want("r0", "r1")
		c.end("r0", "r1")
	})
}

// TestCancelMiddle: waiters that leave the middle and the end of the queue do not disturb
// the others.
func TestCancelMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		ctx, cancel := context.WithCancel(t.Context())
		quit := func() {
			go c.sem.LockContext(ctx)
			synctest.Wait()
		}
		c.come("w0", "w1")
		quit()
		c.come("r2")
		quit()
		quit()
		c.come("w3")
		quit()
		cancel()
		synctest.Wait()
		if n := rwsem.QueueLen(&c.sem); n != 3 {
			t.Errorf("%d queued, want 3", n)
		}
		c.want("w0")
		c.leave("w0")
		c.want("w0", "w1")
		c.leave("w1")
		c.want("w0", "w1", "r2")
		c.leave("r2")
		c.want("w0", "w1", "r2", "w3")
		c.end("w3")
	})
}

// TestCancelledButGranted lines up the one race of a cancellation: the context ends, the
// waiter wakes for it, and is granted the lock before it can leave the queue. It must keep
// the lock or pass it on; here it must keep it, since there is no other waiter. The test
// holds the queue's mutex, so that the waiter gets stuck on its way out.
//
// Returning the context's error there makes this fail each time.
func TestCancelledButGranted(t *testing.T) {
	for _, tt := range []struct {
		name string
		wait func(*rwsem.Sem, context.Context) error
		give func(*rwsem.Sem)
	}{
		{"writer", (*rwsem.Sem).LockContext, (*rwsem.Sem).Unlock},
		{"reader", (*rwsem.Sem).RLockContext, (*rwsem.Sem).RUnlock},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s rwsem.Sem
			s.Lock()
			ctx, cancel := context.WithCancel(t.Context())
			result := make(chan error, 1)
			go func() { result <- tt.wait(&s, ctx) }()
			if !eventually(s.Contended) {
				t.Fatal("the waiter does not queue")
			}
			parked := func() bool { return stacks("rwsem.(*Sem).wait", "[select") == 1 }
			if !eventually(parked) {
				t.Fatal("the waiter does not park")
			}
			release := rwsem.HoldQueue(&s)
			cancel()
			if !eventually(stuckInWait) {
				t.Fatal("the waiter does not come out of its sleep")
			}
			rwsem.UnlockInQueue(&s)
			release()
			if err := <-result; err != nil {
				t.Errorf("error %v; the lock was granted", err)
				if !s.TryLock() {
					t.Error("the grant is lost: the lock cannot be taken any more")
				}
				return
			}
			tt.give(&s)
			mustBeFree(t, &s)
		})
	}
}

// stuckInWait reports whether a goroutine waits for the queue's mutex in wait.
func stuckInWait() bool { return stacks("rwsem.(*Sem).wait", "[sync.Mutex.Lock") == 1 }

// TestReleaseBeforeQueueing lines up the window in which a wait could be missed. A writer
// has been refused, and the last reader releases before the writer has queued and set the
// waiters bit, so the reader wakes no waiter. The test holds the queue's mutex, so that the
// writer gets stuck in the window.
//
// Without the grantLocked in wait this fails each time.
func TestReleaseBeforeQueueing(t *testing.T) {
	for _, tt := range []struct {
		name       string
		take, give func(*rwsem.Sem)
		lock       func(*rwsem.Sem)
		unlock     func(*rwsem.Sem)
	}{
		{"writer behind reader", (*rwsem.Sem).RLock, (*rwsem.Sem).RUnlock, (*rwsem.Sem).Lock, (*rwsem.Sem).Unlock},
		{"writer behind writer", (*rwsem.Sem).Lock, (*rwsem.Sem).Unlock, (*rwsem.Sem).Lock, (*rwsem.Sem).Unlock},
		{"reader behind writer", (*rwsem.Sem).Lock, (*rwsem.Sem).Unlock, (*rwsem.Sem).RLock, (*rwsem.Sem).RUnlock},
	} {
		if t.Failed() {
			return // each failure takes a long time
		}
		t.Run(tt.name, func(t *testing.T) {
			var s rwsem.Sem
			tt.take(&s)
			release := rwsem.HoldQueue(&s)
			done := make(chan struct{})
			go func() {
				defer close(done)
				tt.lock(&s)
				tt.unlock(&s)
			}()
			if !eventually(stuckInWait) {
				t.Fatal("the waiter does not come to the queue")
			}
			tt.give(&s)
			release()
			within(t, "the waiter sleeps beside a free lock", func() { <-done })
			mustBeFree(t, &s)
		})
	}
}
