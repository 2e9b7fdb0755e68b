package rwsem_test

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rwsem"
)

// TestAllocs: an operation that does not wait does not allocate.
func TestAllocs(t *testing.T) {
	var s rwsem.Sem
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := s.RLocker()
	for name, f := range map[string]func(){
		"RLock":        func() { s.RLock(); s.RUnlock() },
		"TryRLock":     func() { s.TryRLock(); s.RUnlock() },
		"RLockContext": func() { _ = s.RLockContext(ctx); s.RUnlock() },
		"RLocker":      func() { l.Lock(); l.Unlock() },
		"Lock":         func() { s.Lock(); s.Unlock() },
		"TryLock":      func() { s.TryLock(); s.Unlock() },
		"LockContext":  func() { _ = s.LockContext(ctx); s.Unlock() },
		"Downgrade":    func() { s.Lock(); s.Downgrade(); s.RUnlock() },
		"refused":      func() { s.Lock(); s.TryLock(); s.TryRLock(); s.Unlock() },
		"Speculate":    func() { seq, _ := s.Speculate(); s.Validate(seq) },
		"Contended":    func() { s.Contended() },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

// TestInlining reads what the compiler says about the fast paths. Lock takes exactly the
// inliner's budget. Unlock and Downgrade contain a check, two atomic operations and a call
// and are above the budget (102 and 168 of 80), like sync.RWMutex.Unlock.
func TestInlining(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("needs the go command:", err)
	}
	cmd := exec.Command(goTool, "build", "-gcflags=-m", ".")
	// 64-bit: on 32-bit processors the 64-bit word costs a call.
	cmd.Env = append(os.Environ(), "GOARCH=amd64", "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{
		"Lock", "TryLock", "RLock", "TryRLock", "RUnlock", "RLocker",
		"Contended", "Speculate", "Validate",
	} {
		if !regexp.MustCompile(`can inline \(\*Sem\)\.` + name + `\b`).Match(out) {
			t.Errorf("%s is not inlined", name)
		}
	}
}

// TestParked: a waiter is durably blocked, in a channel and not in a loop. A bubble whose
// goroutines all wait lets an hour go by at once.
func TestParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s rwsem.Sem
		s.Lock()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 4)
		go func() { s.Lock(); s.Unlock(); done <- nil }()
		go func() { s.RLock(); s.RUnlock(); done <- nil }()
		go func() { done <- s.LockContext(ctx); s.Unlock() }()
		go func() { done <- s.RLockContext(ctx); s.RUnlock() }()
		start := time.Now()
		time.Sleep(time.Hour) // of the bubble's time
		if d := time.Since(start); d != time.Hour {
			t.Errorf("%v went by", d)
		}
		if n := rwsem.QueueLen(&s); n != 4 {
			t.Errorf("%d queued, want 4", n)
		}
		s.Unlock()
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}
