package schedule_test

import (
	"strings"
	"testing"

	. "github.com/spanlock/spanlock/internal/schedule"
)

// mutex is a lock for the programs of these tests.
type mutex struct {
	object Object
	held   bool
}

func (m *mutex) Ready() bool { return !m.held }

func (m *mutex) lock() {
	Point(Op{What: "lock", Object: &m.object, Access: Write, Block: m})
	m.held = true
}

func (m *mutex) unlock() {
	Touch("unlock", &m.object, Write)
	m.held = false
}

// fails explores, and returns the report. The failure must contain want and replay as
// itself.
func fails(t *testing.T, program func(*Program), o Options, want string) *Report {
	t.Helper()
	r := Explore(program, o)
	f := r.Failure
	if f == nil {
		t.Fatalf("%q is not found: %v", want, r)
	}
	if !strings.Contains(f.Message, want) || strings.Contains(f.Message, "not deterministic") {
		t.Fatalf("found %q, want %q", f.Message, want)
	}
	if len(f.Trace) == 0 {
		t.Error("no trace")
	}
	again, err := Replay(program, o, f.Schedule)
	if err != nil || again == nil || again.Message != f.Message {
		t.Fatalf("%s replays as %v, %v; want %q", f.Schedule, again, err, f.Message)
	}
	return r
}

// holds explores completely, and fails the test if there is a failure.
func holds(t *testing.T, program func(*Program), o Options) *Report {
	t.Helper()
	r := Explore(program, o)
	if r.Failure != nil {
		t.Fatal(r.Failure)
	}
	if o.Search && !r.Unbounded && r.Complete != o.Bound {
		t.Fatalf("not complete: %v", r)
	}
	return r
}
