package checks

import (
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// Reuse reports a guard that is used after its release.
var Reuse = check("reuse", `report guards that are used after their release

After Release a guard is the zero Guard, of which every method panics, and a copy of it
that was made before is of no use either: the range may have been retired, and its value
freed. The check reports a method of a guard, Release included, on a path on which that
guard was released before.`)

// Copies reports copies of one guard that are both released.
var Copies = check("copies", `report guards that are released through two copies

Of the copies of a guard only one may be released. The second Release takes the hold of
somebody else away, unless it panics. Clone makes another guard, to be released too.`)

// used reports a use of h by the method name, if h was released.
func (w *walk) used(s *state, h hold, pos token.Pos, name string) {
	if st := s.holds[h]; st.released.IsValid() {
		w.report("reuse", pos, "%s of a guard that was released at line %d", name, w.pkg.line(st.released))
	}
}

// releasedTwice reports a release through the variable at addr of a guard that was
// released before.
func (w *walk) releasedTwice(st standing, addr ssa.Value, pos token.Pos) {
	line := w.pkg.line(st.released)
	switch {
	case st.by != addr:
		w.report("copies", pos, "Release of a guard whose copy was released at line %d: only one of them may be", line)
	case st.released == pos:
		w.report("reuse", pos, "Release of a guard that was released here before, in a loop")
	default:
		w.report("reuse", pos, "Release of a guard that was released at line %d", line)
	}
}
