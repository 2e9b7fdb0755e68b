//go:build !invariants && !race && !schedule

package announce

const (
	perLine  = 4
	maxLines = 256
)

// shows reports whether mark stands in n. A slot that differs from mark by 0 borrows when 1 is
// subtracted; so four looks take one branch.
func (n *line) shows(mark uint64) bool {
	s := &n.slots
	a, b, c, d := s[0].Load()^mark, s[1].Load()^mark, s[2].Load()^mark, s[3].Load()^mark
	return ((a-1)&^a|(b-1)&^b|(c-1)&^c|(d-1)&^d)>>63 != 0
}
