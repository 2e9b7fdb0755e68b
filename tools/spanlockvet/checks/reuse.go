package checks

import (
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// Reuse reports a guard that is used after its release.
var Reuse = check("reuse", `report guards that are used after their release

After Release a guard is the zero Guard, and all its methods panic. A copy that was made
before is useless too: the range may have been retired, and its value freed. The check
reports a call of a method of a guard, Release included, on a path on which that guard
was released before.`)

// Copies reports copies of one guard that are both released.
var Copies = check("copies", `report guards that are released through two copies

Only one copy of a guard may be released. The second Release panics, or releases a guard
that another caller holds. Clone makes another guard, which must be released too.`)

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
