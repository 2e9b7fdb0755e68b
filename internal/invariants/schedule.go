//go:build schedule

package invariants

// Sometimes reports false, so that a replay does the same.
func Sometimes(n int) bool { return false }

// Yield does nothing: every operation is a scheduling point.
func Yield() {}

// hook is the function that At calls, if a test has set one.
var hook func(point string)

// At calls the hook. It is for tests outside of an exploration.
func At(point string) {
	if hook != nil {
		hook(point)
	}
}

// SetHook makes At call f; a nil f ends that.
func SetHook(f func(point string)) { hook = f }
