//go:build !invariants && !race && !schedule

package invariants

// Enabled says whether checks are compiled in.
const Enabled = false

// Check panics with the message when ok is false; here it does nothing. If the arguments of
// a call cost something, put the call under if Enabled.
func Check(ok bool, format string, args ...any) {}

// Sometimes reports true in about one of n calls; here never.
func Sometimes(n int) bool { return false }

// Yield yields the processor now and then; here never.
func Yield() {}

// At names the window of a race, for tests of checking builds; here it does nothing.
func At(point string) {}

// SetHook sets what At calls in checking builds; here it does nothing.
func SetHook(f func(point string)) {}
