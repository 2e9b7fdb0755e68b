//go:build !invariants && !race && !schedule

package announce

const (
	perLine      = 8 // a cache line of slots
	checkedLines = 1 // not used
)

// shows reports whether mark stands in n. A slot that differs from mark by 0 borrows when 1 is
// subtracted; so eight looks take one branch.
func (n *line) shows(mark uint64) bool {
	s := &n.slots
	a, b, c, d := s[0].Load()^mark, s[1].Load()^mark, s[2].Load()^mark, s[3].Load()^mark
	e, f, g, h := s[4].Load()^mark, s[5].Load()^mark, s[6].Load()^mark, s[7].Load()^mark
	borrowed := (a-1)&^a | (b-1)&^b | (c-1)&^c | (d-1)&^d | (e-1)&^e | (f-1)&^f | (g-1)&^g | (h-1)&^h
	return borrowed>>63 != 0
}
