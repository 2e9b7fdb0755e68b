package rangelock_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// A server logs which calls have waited for long, and for what.
func ExampleTrace() {
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if slices.Contains([]string{"time", "waited", "err"}, a.Key) { // they differ from run to run
				return slog.Attr{}
			}
			return a
		},
	}))
	m := rangelock.New(&rangelock.Options[int, string]{
		Trace: &rangelock.Trace[int]{
			WaitDone: func(w rangelock.WaitInfo[int]) {
				if w.Waited > 5*time.Millisecond {
					log.WarnContext(w.Context, "a map waited", "wait", w)
				}
			},
		},
	})
	ctx := context.Background()
	m.Insert(ctx, rangelock.Span(0, 10), "a")

	g, _ := m.Acquire(5) // a reader that keeps its guard for long
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_, err := m.Remove(short, rangelock.Span(0, 10))
	fmt.Println("removed:", err == nil)
	g.Release()
	// Output:
	// level=WARN msg="a map waited" wait.op=Remove wait.for="the guards" wait.range="[0, 10)" wait.exclusive=true wait.guards=1
	// removed: false
}
