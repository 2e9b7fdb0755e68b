package samples

import (
	"runtime"
	"strings"
	"sync"
)

// Most is larger than every number of a sample.
const Most = 1 << 18

// A sample is listed in the profile under its address.
type sample struct {
	owner   uint64
	profile Profile
}

// held has the samples, by number. The number of a sample that has ended is used again.
var held struct {
	mu   sync.Mutex
	list []*sample // list[i] has number i+1; nil if that number is free
	free []uint32
}

// Add makes a sample for something that owner, an address, holds, and returns its number,
// which is not 0. The profile shows the stack of the caller, which begins with the
// outermost of the functions just above Add whose names have the prefix within: the
// function that the user called. If there are too many samples, Add makes none, and returns
// 0.
func Add(owner uint64, within string) (number uint32) {
	l := &switches
	l.mu.Lock()
	p := l.profile
	l.mu.Unlock()
	if p == nil {
		return 0 // before the first rate above 0 no caller draws
	}
	s := &sample{owner, p}
	if number = enter(s); number != 0 {
		p.Add(s, 1+inner(within))
	}
	return number
}

// enter gives s a number.
func enter(s *sample) (number uint32) {
	h := &held
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.free); n > 0 {
		number = h.free[n-1]
		h.free = h.free[:n-1]
		h.list[number-1] = s
		return number
	}
	if len(h.list) == Most-1 {
		return 0
	}
	h.list = append(h.list, s)
	return uint32(len(h.list))
}

// Remove ends the sample that Add has made for owner under this number, and reports whether
// there was one. If it reports false, nothing has changed.
func Remove(owner uint64, number uint32) bool {
	s := leave(owner, number)
	if s == nil {
		return false
	}
	s.profile.Remove(s)
	return true
}

// leave frees the number of a sample, and returns the sample.
func leave(owner uint64, number uint32) *sample {
	h := &held
	h.mu.Lock()
	defer h.mu.Unlock()
	if number == 0 || int(number) > len(h.list) {
		return nil
	}
	s := h.list[number-1]
	if s == nil || s.owner != owner {
		return nil
	}
	h.list[number-1] = nil
	h.free = append(h.free, number)
	return s
}

// inner returns the number of functions just above Add whose names have the prefix within,
// but at least 1.
func inner(within string) (n int) {
	var pcs [24]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, within) || !more {
			return max(n, 1)
		}
		n++
	}
}
