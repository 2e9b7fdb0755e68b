package schedule

import (
	"fmt"
	"os"
	"time"
)

// TB is the part of *testing.T that Test needs.
type TB interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Environment variables that Test obeys.
const (
	// EnvFor is a duration, such as 10m. Each scenario is explored for that long, by all
	// strategies, with a growing bound, and with other random numbers each time.
	EnvFor = "SCHEDULE_FOR"

	// EnvReplay is a schedule as a failure prints it. Only that schedule is run.
	EnvReplay = "SCHEDULE_REPLAY"
)

// Test explores a scenario, logs what it did, and fails if the scenario fails. For options
// that are zero it chooses values: the search to bound 3, and 300 schedules of each of the
// two random strategies.
func Test(t TB, o Options, program func(*Program)) {
	t.Helper()
	if s := os.Getenv(EnvReplay); s != "" {
		f, err := Replay(program, o, s)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if f != nil {
			t.Fatalf("%v", f)
		}
		t.Logf("schedule %s ends well", s)
		return
	}
	if !o.Search && o.Walks == 0 && o.Priorities == 0 {
		o.Search = true
		if o.Bound == 0 {
			o.Bound = 3
		}
	}
	if o.Walks == 0 {
		o.Walks = 300
	}
	if o.Priorities == 0 {
		o.Priorities = 300
	}
	if o.Depth == 0 {
		o.Depth = 4
	}
	if s := os.Getenv(EnvFor); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatalf("%s: %v", EnvFor, err)
		}
		o.For, o.Limit = d, 0
		o.Seed = uint64(time.Now().UnixNano())
	}
	r := Explore(program, o)
	t.Logf("%d schedules: %v", r.Schedules(), r)
	if r.Failure != nil {
		t.Fatalf("%v\nto replay: %s=%s go test -tags schedule -run '^%s$'",
			r.Failure, EnvReplay, r.Failure.Schedule, t.Name())
	}
	if o.Search && o.Limit == 0 && o.For == 0 && !r.Unbounded && r.Complete < o.Bound {
		t.Fatalf("the search is not complete to bound %d", o.Bound)
	}
}

// Assert fails the execution if ok is false.
func Assert(ok bool, format string, args ...any) {
	if !ok {
		panic(fmt.Sprintf(format, args...))
	}
}
