package rangelock_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestOnRetireGoexit checks that an OnRetire that ends its goroutine, as FailNow of a test does,
// ends only that call: the other ranges are retired, and Drain returns. Without the deferred
// Retire in retireQueue.run it always fails.
func TestOnRetireGoexit(t *testing.T) {
	ran := make(chan string, 3)
	m := rangelock.New(&rangelock.Options[int, string]{OnRetire: func(_ rangelock.Range[int], v string) {
		ran <- v
		if v != "b" {
			runtime.Goexit()
		}
	}})
	w := m.Lock()
	for i, v := range []string{"a", "b", "c"} {
		if err := w.Insert(rangelock.Span(10*i, 10*i+10), v); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := w.Clear(); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	w.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := m.Drain(ctx); err != nil {
		t.Fatalf("Drain: %v; %d of 3 retired", err, len(ran))
	}
	close(ran)
	got := ""
	for v := range ran {
		got += v
	}
	if got != "abc" {
		t.Errorf("retired are %q", got)
	}
}
