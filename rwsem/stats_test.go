package rwsem_test

import (
	"context"
	"encoding/json"
	"expvar"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rwsem"
)

// TestStats checks, on the clock of a bubble, which holders and waiters Stats reports, and
// the oldest wait. It checks what is counted when waits are over: granted, cancelled, and
// in a batch.
func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s rwsem.Sem
		want := func(when string, w rwsem.Stats) {
			t.Helper()
			synctest.Wait()
			if got := s.Stats(); got != w {
				t.Errorf("%s:\n%+v, want\n%+v", when, got, w)
			}
		}
		want("unlocked", rwsem.Stats{})
		s.RLock()
		s.TryRLock()
		s.TryLock()
		want("two readers", rwsem.Stats{Readers: 2})
		ctx, cancel := context.WithCancel(t.Context())
		go s.LockContext(ctx)
		synctest.Wait()
		time.Sleep(2 * time.Second)
		for range 3 {
			go s.RLock()
		}
		want("a queue", rwsem.Stats{Readers: 2, WaitingWriters: 1, WaitingReaders: 3, OldestWait: 2 * time.Second})
		time.Sleep(time.Second)
		cancel()
		want("the writer has given up", rwsem.Stats{Readers: 5, Waits: 4, Waited: 6 * time.Second})
		for range 5 {
			s.RUnlock()
		}
		s.Lock()
		want("a writer", rwsem.Stats{Writer: true, Waits: 4, Waited: 6 * time.Second})
		go s.Lock()
		synctest.Wait()
		time.Sleep(time.Second)
		want("another one waits", rwsem.Stats{Writer: true, WaitingWriters: 1, OldestWait: time.Second, Waits: 4, Waited: 6 * time.Second})
		s.Unlock()
		want("it has been granted", rwsem.Stats{Writer: true, Waits: 5, Waited: 7 * time.Second})
		s.Downgrade()
		s.RUnlock()
		want("unlocked again", rwsem.Stats{Waits: 5, Waited: 7 * time.Second})
	})
}

// TestStatsExpvar runs the line in the documentation of Stats, and reads what that line
// publishes.
func TestStatsExpvar(t *testing.T) {
	var s rwsem.Sem
	name := fmt.Sprintf("lock-%d", time.Now().UnixNano()) // expvar keeps names for ever, and -count runs the test again
	expvar.Publish(name, expvar.Func(func() any { return s.Stats() }))
	s.RLock()
	defer s.RUnlock()
	var got rwsem.Stats
	if err := json.Unmarshal([]byte(expvar.Get(name).String()), &got); err != nil || got != s.Stats() || got.Readers != 1 {
		t.Errorf("published is %s (%v), want %+v", expvar.Get(name), err, s.Stats())
	}
}
