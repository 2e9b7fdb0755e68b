package rangetree

import (
	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/seam"
)

// Entry is one range of a tree, [Lo, Hi). Its owner embeds it as the first field of what it
// keeps for the range, and converts between the two by their common address.
//
// [Tree.Set] writes the bounds before the entry is put into a tree, and again when its
// memory is used for another range. In a tree of words a search may read them at any time:
// it loads them atomically, and the owner has to tell by State whether they belong
// together. In other trees, and for any other code that reads Lo and Hi, the bounds must
// not change while a reader may be looking at them.
type Entry[K any] struct {
	// State is the owner's. Find loads it before it reads the bounds. If State then shows
	// that the range is in the tree, and State has not changed afterwards, the bounds are
	// those of the range.
	//
	// It is the first field so that bounds of eight bytes can be loaded atomically on every
	// platform.
	State seam.Uint64

	// Lo is where the range begins, and Hi where it ends. Hi means nothing if Unbounded.
	Lo, Hi K

	// Flags has the tree's flag Unbounded. Its other bits, and Word, are the owner's: as
	// fields of the owner behind the entry, each of them would take eight bytes.
	Flags seam.PackedUint32
	Word  seam.PackedUint32
}

// Unbounded is the flag of an entry without an upper bound. [Tree.Set] clears all other
// flags.
const Unbounded = 1

// Unbounded reports whether e has no upper bound.
func (e *Entry[K]) Unbounded() bool { return e.Flags.Load()&Unbounded != 0 }

// Set writes the bounds of e.
func (t *Tree[K]) Set(e *Entry[K], lo, hi K, unbounded bool) {
	var flags uint32
	if unbounded {
		flags = Unbounded
	}
	if t.unpinned {
		raw.Store(&e.Lo, lo)
		raw.Store(&e.Hi, hi)
	} else {
		e.Lo, e.Hi = lo, hi
	}
	if e.Flags.Load() != flags {
		e.Flags.Store(flags)
	}
}

// Birth is [Tree.Set] for a new entry. No reader has ever seen it, so nothing has to be
// atomic.
func (t *Tree[K]) Birth(e *Entry[K], lo, hi K, unbounded bool) {
	e.Lo, e.Hi = lo, hi
	if unbounded {
		e.Flags.Store(Unbounded)
	}
}

// startsAfter reports whether e starts at or after key.
func (t *Tree[K]) startsAfter(e *Entry[K], key K) bool { return t.compare(e.Lo, key) >= 0 }

// endsBy reports whether e ends at or before key.
func (t *Tree[K]) endsBy(e *Entry[K], key K) bool {
	return !e.Unbounded() && t.compare(e.Hi, key) <= 0
}
