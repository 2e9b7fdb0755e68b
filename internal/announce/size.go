//go:build !invariants && !race && !schedule

package announce

const (
	perLine  = 4
	maxLines = 256
)

// shows reports whether mark stands in n. The xor of a slot and mark is 0 if they are
// equal, and only then does the subtraction of 1 set the top bit anew. So four slots need
// one branch.
func (n *line) shows(mark uint64) bool {
	s := &n.slots
	a, b, c, d := s[0].Load()^mark, s[1].Load()^mark, s[2].Load()^mark, s[3].Load()^mark
	return ((a-1)&^a|(b-1)&^b|(c-1)&^c|(d-1)&^d)>>63 != 0
}
