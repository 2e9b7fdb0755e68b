package schedule_test

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/spanlock/spanlock/internal/schedule"
)

// TestReplayString: a string that is no schedule is refused. A schedule that names a task
// that cannot go on is followed as far as it goes.
func TestReplayString(t *testing.T) {
	for _, s := range []string{"", "0", "-", "01-", "0!", "!1", "00", "z1"} {
		if f, err := Replay(lostUpdate(false), Options{}, s); err == nil {
			t.Errorf("%q replays as %v", s, f)
		}
	}
	for _, s := range []string{"0100", "21", "51-11"} {
		if f, err := Replay(lostUpdate(true), Options{}, s); err != nil || f != nil {
			t.Errorf("%q: %v, %v", s, f, err)
		}
	}
}

// recorder is a TB that records what it is told.
type recorder struct{ log, fatal string }

func (*recorder) Helper()      {}
func (*recorder) Name() string { return "TestOfAScenario" }
func (r *recorder) Logf(format string, args ...any) {
	r.log += fmt.Sprintf(format, args...)
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal += fmt.Sprintf(format, args...)
}

// TestScenario: Test says how to replay a failure, and obeys the environment.
func TestScenario(t *testing.T) {
	var r recorder
	Test(&r, Options{Search: true, Bound: 1, Walks: 1, Priorities: 1}, lostUpdate(false))
	_, replay, ok := strings.Cut(r.fatal, "to replay: "+EnvReplay+"=")
	if !ok || !strings.Contains(r.fatal, "an update is lost") {
		t.Fatalf("%s\n%s", r.log, r.fatal)
	}
	replay, _, _ = strings.Cut(replay, " ")

	t.Setenv(EnvReplay, replay)
	r = recorder{}
	Test(&r, Options{}, lostUpdate(false))
	if !strings.Contains(r.fatal, "an update is lost") {
		t.Errorf("replay of %s: %s %s", replay, r.log, r.fatal)
	}
	t.Setenv(EnvReplay, "")

	t.Setenv(EnvFor, "50ms")
	r = recorder{}
	Test(&r, Options{Bound: 1}, lostUpdate(true))
	if r.fatal != "" || !strings.Contains(r.log, "schedules: complete to bound") {
		t.Errorf("%s %s", r.log, r.fatal)
	}
}
