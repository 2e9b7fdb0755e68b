//go:build schedule

package announce

// One line of two slots, so that schedules with a full line are short.
const (
	perLine  = 2
	maxLines = 1
)

// shows reports whether mark stands in n.
func (n *line) shows(mark uint64) bool {
	return n.slots[0].Load() == mark || n.slots[1].Load() == mark
}
