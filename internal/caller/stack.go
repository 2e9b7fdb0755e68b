// Package caller identifies the calling goroutine and its stack, for the reports of debug
// builds. It is slow, and no normal build calls it.
package caller

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
)

// A Stack is the program counters of a goroutine's innermost calls.
type Stack struct {
	pcs [24]uintptr
	n   int
}

// Here returns the stack of the calling goroutine without the innermost skip calls. With a
// skip of zero it begins with the caller of Here.
func Here(skip int) Stack {
	var s Stack
	s.n = runtime.Callers(skip+2, s.pcs[:])
	return s
}

// String returns two lines for each call, as a panic prints them.
func (s Stack) String() string {
	var b strings.Builder
	frames := runtime.CallersFrames(s.pcs[:s.n])
	for s.n > 0 {
		f, more := frames.Next()
		fmt.Fprintf(&b, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
		if !more {
			break
		}
	}
	return b.String()
}

// Outside returns s without the innermost calls of functions in files for which inside returns
// true. It also returns the name of the outermost of these functions, which the rest of s has
// called. A function literal that was inlined has a name like those of its caller's package, but
// the file is always that of the source.
func (s Stack) Outside(inside func(file string) bool) (outside Stack, entry string) {
	for s.n > 1 {
		f, _ := runtime.CallersFrames(s.pcs[:1]).Next()
		if !inside(f.File) {
			break
		}
		entry = f.Function
		copy(s.pcs[:], s.pcs[1:s.n])
		s.n--
		s.pcs[s.n] = 0 // because stacks are compared
	}
	return s, entry
}

// Goroutine returns the beginning of a stack trace of the calling goroutine, such as
// "goroutine 7".
func Goroutine() string {
	var b [64]byte
	line := b[:runtime.Stack(b[:], false)]
	if i := bytes.IndexByte(line, '['); i >= 0 {
		line = bytes.TrimSpace(line[:i])
	}
	return string(line)
}

// Site returns only the innermost call of s: one place in the program, by whatever calls it
// is reached.
func (s Stack) Site() (site Stack) {
	if s.n > 0 {
		site.pcs[0], site.n = s.pcs[0], 1
	}
	return site
}

// Function returns the name of the innermost function.
func (s Stack) Function() string {
	f, _ := runtime.CallersFrames(s.pcs[:s.n]).Next()
	return f.Function
}
