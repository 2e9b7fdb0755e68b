package rwsem_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"

	"github.com/spanlock/spanlock/rwsem"
)

func TestZeroValue(t *testing.T) {
	var s rwsem.Sem
	mustBeFree(t, &s)
	if s.Contended() {
		t.Error("contended")
	}
	if seq, ok := s.Speculate(); seq != 0 || !ok {
		t.Errorf("Speculate = %d, %v, want 0, true", seq, ok)
	}
}

// TestTry checks which lock is admitted beside which, by the Try forms.
func TestTry(t *testing.T) {
	for _, tt := range []struct {
		name        string
		take, give  func(s *rwsem.Sem)
		read, write bool // admitted beside it
	}{
		{"free", func(s *rwsem.Sem) {}, func(s *rwsem.Sem) {}, true, true},
		{"reader", (*rwsem.Sem).RLock, (*rwsem.Sem).RUnlock, true, false},
		{"two readers",
			func(s *rwsem.Sem) { s.RLock(); s.TryRLock() },
			func(s *rwsem.Sem) { s.RUnlock(); s.RUnlock() }, true, false},
		{"writer", (*rwsem.Sem).Lock, (*rwsem.Sem).Unlock, false, false},
		{"downgraded",
			func(s *rwsem.Sem) { s.Lock(); s.Downgrade() }, (*rwsem.Sem).RUnlock, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s rwsem.Sem
			tt.take(&s)
			if got := s.TryRLock(); got != tt.read {
				t.Errorf("TryRLock = %v", got)
			} else if got {
				s.RUnlock()
			}
			if got := s.TryLock(); got != tt.write {
				t.Errorf("TryLock = %v", got)
			} else if got {
				s.Unlock()
			}
			tt.give(&s)
			mustBeFree(t, &s)
			if !s.TryLock() {
				t.Error("not free afterwards")
			}
		})
	}
}

// TestGrantedNotRun: a writer that has been granted the lock and has not run holds it,
// though the sequence is still even. The state alone decides which goroutine is admitted.
//
// Admitting readers by the sequence makes this fail each time.
func TestGrantedNotRun(t *testing.T) {
	var s rwsem.Sem
	rwsem.Grant(&s)
	if _, ok := s.Speculate(); !ok {
		t.Error("the sequence is odd before the writer has run")
	}
	if s.TryRLock() || s.TryLock() {
		t.Fatal("a Try entered beside a granted writer")
	}
	entered := make(chan struct{})
	go func() {
		s.RLock()
		close(entered)
	}()
	if !eventually(func() bool {
		select {
		case <-entered:
			t.Fatal("a reader entered beside a granted writer")
		default:
		}
		return rwsem.QueueLen(&s) == 1
	}) {
		t.Fatal("the reader does not queue")
	}
	rwsem.Enter(&s)
	s.Unlock()
	<-entered
	s.RUnlock()
	mustBeFree(t, &s)
}

func TestEndedContext(t *testing.T) {
	cause := errors.New("cause")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	var s rwsem.Sem
	if err := s.LockContext(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("LockContext = %v", err)
	}
	if err := s.RLockContext(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("RLockContext = %v", err)
	}
	if seq, _ := s.Speculate(); seq != 0 {
		t.Errorf("sequence moved to %d", seq)
	}
	mustBeFree(t, &s)
}

func TestContextFree(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, ctx := range []context.Context{ctx, context.Background()} {
		var s rwsem.Sem
		if err := s.LockContext(ctx); err != nil {
			t.Fatal(err)
		}
		s.Unlock()
		if err := s.RLockContext(ctx); err != nil {
			t.Fatal(err)
		}
		s.RUnlock()
		mustBeFree(t, &s)
	}
}

func TestMisuse(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(s *rwsem.Sem)
		do      func(s *rwsem.Sem)
		words   []string
	}{
		{"Unlock/free", func(s *rwsem.Sem) {}, (*rwsem.Sem).Unlock,
			[]string{"rwsem: Unlock of unlocked Sem", "state 0x0"}},
		{"Unlock/readers", (*rwsem.Sem).RLock, (*rwsem.Sem).Unlock,
			[]string{"rwsem: Unlock of unlocked Sem", "state 0x1", "1 readers"}},
		{"Unlock/twice", func(s *rwsem.Sem) { s.Lock(); s.Unlock() }, (*rwsem.Sem).Unlock,
			[]string{"rwsem: Unlock of unlocked Sem"}},
		{"RUnlock/free", func(s *rwsem.Sem) {}, (*rwsem.Sem).RUnlock,
			[]string{"rwsem: RUnlock of unlocked Sem", "state 0x0"}},
		{"RUnlock/writer", (*rwsem.Sem).Lock, (*rwsem.Sem).RUnlock,
			[]string{"rwsem: RUnlock of unlocked Sem", "write-locked"}},
		{"RUnlock/twice", func(s *rwsem.Sem) { s.RLock(); s.RUnlock() }, (*rwsem.Sem).RUnlock,
			[]string{"rwsem: RUnlock of unlocked Sem"}},
		{"RLocker", func(s *rwsem.Sem) {}, func(s *rwsem.Sem) { s.RLocker().Unlock() },
			[]string{"rwsem: RUnlock of unlocked Sem"}},
		{"Downgrade/free", func(s *rwsem.Sem) {}, (*rwsem.Sem).Downgrade,
			[]string{"rwsem: Downgrade of a Sem that is not write-locked", "state 0x0"}},
		{"Downgrade/reader", (*rwsem.Sem).RLock, (*rwsem.Sem).Downgrade,
			[]string{"rwsem: Downgrade of a Sem that is not write-locked", "1 readers"}},
		{"RLock/limit", func(s *rwsem.Sem) { rwsem.AddReaders(s, rwsem.ReaderLimit-1) }, (*rwsem.Sem).RLock,
			[]string{"rwsem: too many readers", "0x20000000"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s rwsem.Sem
			tt.prepare(&s)
			state := rwsem.State(&s)
			seq, _ := s.Speculate()
			mustPanic(t, func() { tt.do(&s) }, tt.words...)
			if got := rwsem.State(&s); got != state {
				t.Errorf("state %#x after the panic, %#x before", got, state)
			}
			if !s.Validate(seq) {
				t.Error("the sequence moved")
			}
		})
	}
}

// TestReaderLimit fills the count and checks what is still possible.
func TestReaderLimit(t *testing.T) {
	var s rwsem.Sem
	rwsem.AddReaders(&s, rwsem.ReaderLimit-2)
	s.RLock() // the last that fits
	if s.TryRLock() {
		t.Error("TryRLock above the limit")
	}
	if s.TryLock() {
		t.Error("TryLock beside readers")
	}
	s.RUnlock()
	if !s.TryRLock() {
		t.Error("TryRLock below the limit")
	}
}

func TestSequence(t *testing.T) {
	for _, start := range []uint64{0, math.MaxUint32 - 3, 1<<33 - 2, math.MaxUint64 - 3} {
		var s rwsem.Sem
		rwsem.SetSeq(&s, start&^1)
		want := start &^ 1
		check := func(what string, ok bool) {
			t.Helper()
			got, gotOK := s.Speculate()
			if got != want || gotOK != ok {
				t.Errorf("%s: Speculate = %#x, %v, want %#x, %v", what, got, gotOK, want, ok)
			}
			if !s.Validate(got) || s.Validate(got-1) || s.Validate(got-1<<32) || s.Validate(uint64(uint32(got))|^got>>32<<32) {
				t.Errorf("%s: Validate is wrong about %#x", what, got)
			}
		}
		for range 4 {
			check("free", true)
			s.RLock()
			check("read-locked", true)
			s.RUnlock()
			s.Lock()
			want++
			check("write-locked", false)
			s.Unlock()
			want++
			check("unlocked", true)
			if err := s.LockContext(context.Background()); err != nil {
				t.Fatal(err)
			}
			want++
			check("write-locked with a context", false)
			s.Downgrade()
			want++
			check("downgraded", true)
			if s.TryLock() {
				t.Fatal("TryLock beside a reader")
			}
			check("after a failed TryLock", true)
			s.RUnlock()
			if !s.TryLock() {
				t.Fatal("TryLock of a free lock failed")
			}
			want++
			check("write-locked by TryLock", false)
			s.Unlock()
			want++
		}
		mustBeFree(t, &s)
	}
}

func TestRLocker(t *testing.T) {
	var s rwsem.Sem
	var l sync.Locker = s.RLocker()
	l.Lock()
	l.Lock()
	if s.TryLock() {
		t.Error("TryLock beside readers")
	}
	if got := rwsem.State(&s); got != 2 {
		t.Errorf("state %#x, want 2 readers", got)
	}
	l.Unlock()
	l.Unlock()
	mustBeFree(t, &s)
}
