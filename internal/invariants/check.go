//go:build invariants || race || schedule

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
