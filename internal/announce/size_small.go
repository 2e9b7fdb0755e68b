//go:build (invariants || race) && !schedule

package announce

// In checking builds readers share lines, and lines get full.
const (
	perLine  = 2
	maxLines = 2
)

// shows reports whether mark stands in n.
func (n *line) shows(mark uint64) bool {
	return n.slots[0].Load() == mark || n.slots[1].Load() == mark
}
