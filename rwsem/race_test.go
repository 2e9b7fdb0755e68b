package rwsem_test

import (
	"context"
	"testing"

	"github.com/spanlock/spanlock/rwsem"
)

// TestHappensBefore is checked by the race detector. A plain variable is written under the
// write lock and read under each kind of acquisition, and the other way round. Nothing else
// orders the accesses.
func TestHappensBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	spin := func(try func() bool) {
		if !eventually(try) {
			t.Error("never succeeds")
		}
	}
	writers := map[string]func(s *rwsem.Sem) (release func()){
		"Lock":        func(s *rwsem.Sem) func() { s.Lock(); return s.Unlock },
		"LockContext": func(s *rwsem.Sem) func() { _ = s.LockContext(ctx); return s.Unlock },
		"TryLock":     func(s *rwsem.Sem) func() { spin(s.TryLock); return s.Unlock },
		"Downgrade": func(s *rwsem.Sem) func() {
			s.Lock()
			return func() { s.Downgrade(); s.RUnlock() }
		},
	}
	readers := map[string]func(s *rwsem.Sem) (release func()){
		"RLock":        func(s *rwsem.Sem) func() { s.RLock(); return s.RUnlock },
		"RLockContext": func(s *rwsem.Sem) func() { _ = s.RLockContext(ctx); return s.RUnlock },
		"TryRLock":     func(s *rwsem.Sem) func() { spin(s.TryRLock); return s.RUnlock },
		"RLocker":      func(s *rwsem.Sem) func() { s.RLocker().Lock(); return s.RLocker().Unlock },
	}
	for wname, write := range writers {
		for rname, read := range readers {
			t.Run(wname+"/"+rname, func(t *testing.T) {
				var s rwsem.Sem
				var plain int
				const turns = 50
				done := make(chan int, 4)
				for range 2 {
					go func() {
						for range turns {
							release := write(&s)
							plain++
							release()
						}
						done <- 0
					}()
					go func() {
						last := 0
						for range turns {
							release := read(&s)
							if plain < last {
								t.Errorf("%d after %d", plain, last)
							}
							last = plain
							release()
						}
						done <- 0
					}()
				}
				for range 4 {
					<-done
				}
				if plain != 2*turns {
					t.Errorf("%d, want %d", plain, 2*turns)
				}
			})
		}
	}
}

// TestHappensBeforeDowngrade: the readers that a Downgrade admits see what was written
// before it, while the former writer goes on reading.
func TestHappensBeforeDowngrade(t *testing.T) {
	for range 100 {
		var s rwsem.Sem
		var plain int
		s.Lock()
		done := make(chan int, 2)
		for range cap(done) {
			go func() {
				s.RLock()
				defer s.RUnlock()
				done <- plain
			}()
		}
		plain = 1
		s.Downgrade()
		for range cap(done) {
			if got := <-done; got != 1 {
				t.Errorf("read %d", got)
			}
		}
		_ = plain
		s.RUnlock()
	}
}

// TestHappensBeforeGrant: the RUnlock of each of several readers comes before the grant of
// the writer that waited for all of them.
func TestHappensBeforeGrant(t *testing.T) {
	for range 100 {
		var s rwsem.Sem
		const n = 4
		var plain [n]int
		for range n {
			s.RLock()
		}
		for i := range n {
			go func() {
				plain[i] = i + 1 // no other goroutine uses it before the writer
				s.RUnlock()
			}()
		}
		s.Lock()
		for i, got := range plain {
			if got != i+1 {
				t.Errorf("plain[%d] = %d", i, got)
			}
		}
		s.Unlock()
	}
}
