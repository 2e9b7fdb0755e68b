package rangetree

import "github.com/spanlock/spanlock/internal/seam"

// Entry is one range of a tree, [Lo, Hi). Its owner embeds it as the first field of what
// it keeps for the range, and gets from the one to the other by its address.
//
// Bounds are written before the entry is put into a tree, and stay until no reader can
// be looking at it.
type Entry[K any] struct {
	// Lo is where the range begins and Hi where it ends. Hi means nothing if Unbounded.
	Lo, Hi K

	// Unbounded says that the range ends nowhere.
	Unbounded bool

	// What is left of the word is the owner's: in a field of its own behind the entry
	// each of these would take eight bytes. The tree does not look at them.
	Flag  bool
	Short uint16
	Word  seam.PackedUint32
}

// startsAfter reports whether e starts at or after key.
func (t *Tree[K]) startsAfter(e *Entry[K], key K) bool { return t.compare(e.Lo, key) >= 0 }

// endsBy reports whether e ends at or before key.
func (t *Tree[K]) endsBy(e *Entry[K], key K) bool {
	return !e.Unbounded && t.compare(e.Hi, key) <= 0
}
