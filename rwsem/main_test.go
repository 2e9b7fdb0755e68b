package rwsem_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rwsem"
)

// patience bounds every wait of the tests that run in real time. Only a failing test
// reaches it.
const patience = 10 * time.Second

// TestMain fails the package if a test leaves a goroutine in it.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && !eventually(func() bool { return stacks("rwsem.(*Sem)") == 0 }) {
		buf := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", buf[:runtime.Stack(buf, true)])
		code = 1
	}
	os.Exit(code)
}

// eventually lets other goroutines run until ok returns true. It reports false when
// patience is over.
func eventually(ok func() bool) bool {
	for end := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// stacks counts the goroutines whose stack dump contains all of the words.
func stacks(words ...string) int {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	n := 0
next:
	for g := range bytes.SplitSeq(buf, []byte("\n\n")) {
		for _, w := range words {
			if !bytes.Contains(g, []byte(w)) {
				continue next
			}
		}
		n++
	}
	return n
}

// within fails the test if f does not return in time.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-done:
	case <-timeout.C:
		t.Fatalf("%s: not done after %v", what, patience)
	}
}

// mustPanic fails the test unless f panics with a message that contains all of the words.
func mustPanic(t *testing.T, f func(), words ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		p := recover()
		for _, w := range words {
			if msg := fmt.Sprint(p); p == nil || !strings.Contains(msg, w) {
				t.Errorf("panic %q, want %q in it", msg, w)
			}
		}
	}()
	f()
}

// mustBeFree fails the test unless s is free and its queue is empty.
func mustBeFree(t *testing.T, s *rwsem.Sem) {
	t.Helper()
	if n := rwsem.State(s); n != 0 {
		t.Errorf("state %#x at the end, want 0", n)
	}
	if n := rwsem.QueueLen(s); n != 0 {
		t.Errorf("%d still queued at the end", n)
	}
	if seq, ok := s.Speculate(); !ok {
		t.Errorf("sequence %d at the end, want an even one", seq)
	}
}

// atProcs runs f with GOMAXPROCS 1, 2, 4 and 8, until it fails.
func atProcs(t *testing.T, f func(t *testing.T)) {
	for _, procs := range []int{2, 4, 8, 1} {
		if t.Failed() {
			return
		}
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			f(t)
		})
	}
}
