//go:build schedule

package invariants

import "fmt"

// Enabled says whether checks are compiled in.
const Enabled = true

// Check panics with the message when ok is false.
func Check(ok bool, format string, args ...any) {
	if !ok {
		panic("spanlock: invariant broken: " + fmt.Sprintf(format, args...))
	}
}

// Sometimes reports false: a replay must do the same.
func Sometimes(n int) bool { return false }

// Yield does nothing: every operation is a scheduling point.
func Yield() {}

// hook is what At calls, if a test has set it.
var hook func(point string)

// At calls the hook. It is for tests outside of an exploration.
func At(point string) {
	if hook != nil {
		hook(point)
	}
}

// SetHook makes At call f; nil ends that.
func SetHook(f func(point string)) { hook = f }
