package schedule

import (
	"fmt"
	"strconv"
	"strings"
)

// A Failure is a schedule that failed, and how.
type Failure struct {
	Message  string
	Schedule string // the string that replays it
	Found    string // the strategy that found it
	Trace    []string
	Stack    string // of a panic
}

// traced is the largest number of steps that a Failure shows.
const traced = 120

// Error returns the whole report.
func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nschedule %s (%s)\n", f.Message, f.Schedule, f.Found)
	steps := f.Trace
	if n := len(steps) - traced; n > 0 {
		fmt.Fprintf(&b, "  … %d steps before\n", n)
		steps = steps[n:]
	}
	for _, s := range steps {
		fmt.Fprintf(&b, "  %s\n", s)
	}
	b.WriteString(f.Stack)
	return b.String()
}

// encode writes a schedule as words like "0c-1-0f": the digit of a task and its number of
// steps, both to base 36.
func encode(runs []stretch) string {
	var b strings.Builder
	for i, r := range runs {
		if i > 0 {
			b.WriteByte('-')
		}
		b.WriteString(strconv.FormatInt(int64(r.task), 36))
		b.WriteString(strconv.FormatInt(int64(r.steps), 36))
	}
	return b.String()
}

// decode is the inverse of encode.
func decode(s string) ([]stretch, error) {
	var runs []stretch
	for word := range strings.SplitSeq(s, "-") {
		if len(word) < 2 {
			return nil, fmt.Errorf("schedule: %q in %q is no task with a number of steps", word, s)
		}
		task, err := strconv.ParseInt(word[:1], 36, 0)
		if err != nil || task >= maxTasks {
			return nil, fmt.Errorf("schedule: %q in %q is no task", word[:1], s)
		}
		steps, err := strconv.ParseInt(word[1:], 36, 32)
		if err != nil || steps < 1 {
			return nil, fmt.Errorf("schedule: %q in %q is no number of steps", word[1:], s)
		}
		runs = append(runs, stretch{int(task), int(steps)})
	}
	return runs, nil
}
