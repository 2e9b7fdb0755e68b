package schedule

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

// note writes a line of the trace.
func (x *execution) note(t *task) {
	o := &t.pending
	line := fmt.Sprintf("%5d  %-14s %s", x.steps, t.String(), o.What)
	if o.Object != nil {
		n, ok := x.names[o.Object]
		if !ok {
			n = len(x.names) + 1
			x.names[o.Object] = n
		}
		line += fmt.Sprintf(" #%d", n)
	}
	x.trace = append(x.trace, line+where())
}

// where returns the place in the program's source: the first one outside of the seam and
// this package.
func where() string {
	var pcs [24]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		switch {
		case strings.HasPrefix(f.Function, "iter.") || !more:
			return ""
		case strings.Contains(f.Function, "/internal/seam."):
		case strings.Contains(f.Function, "/internal/schedule."):
		default:
			dir, file := path.Split(f.File)
			return fmt.Sprintf("  %s/%s:%d", path.Base(dir), file, f.Line)
		}
	}
}
