package rangetree

import (
	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/seam"
)

// leaf holds up to slots entries. The writer changes it in place, also while readers search
// it. Its entries stand in slots that do not move, and its order says which slots are in
// use and in what order their keys are. An insertion has these steps:
//
//  1. Store the entry into a slot.
//  2. Store its key.
//  3. Store the order. This publishes the entry.
//
// A removal stores the order first. A replacement is published by the store of the entry into
// its slot.
//
// An entry that stays in the tree leaves its leaf only when the leaf is split, merged or
// cut. Each of these copies the leaf and publishes the copy; the old leaf keeps its
// contents for ever.
type leaf[K any] struct {
	// order says which slots are in use. It is stored last when an entry is added, and
	// first when one is removed.
	order seam.Uint64

	// keys are the codes of the low bounds, or their hints. The key of a free slot is free,
	// and so is every key in a tree of kind others.
	keys [slots]seam.Uint64

	// entries are by slot. A free slot may hold the entry that was there last. There is one
	// more than slots, so that no index of four bits is out of bounds.
	entries [16]seam.Pointer[Entry[K]]
}

// textLeaf is a leaf of texts. Every leaf of a tree of texts is part of one. Other leaves
// do without its field: their order and keys take two cache lines, and their entries two
// more.
type textLeaf[K any] struct {
	leaf[K]

	// skip is the number of bytes of a text before those in its hint. It is written before
	// the leaf is published.
	skip int
}

// allocLeaf returns a leaf that has to be filled.
func (t *Tree[K]) allocLeaf() *leaf[K] {
	if t.kind == texts {
		return &new(textLeaf[K]).leaf
	}
	return new(leaf[K])
}

// skip returns the number of bytes of a text before those in l's hints.
func (t *Tree[K]) skip(l *leaf[K]) int {
	if t.kind != texts {
		return 0
	}
	return raw.Outer[textLeaf[K]](l).skip
}

// free is the key of a free slot. It is the largest key, so that free slots do not count
// among the keys at or below another. But a key in use can be equal to it, so a rank must
// be limited to the number of entries.
const free = ^uint64(0)

// newLeaf returns an empty leaf.
func (t *Tree[K]) newLeaf() *leaf[K] {
	l := t.allocLeaf()
	l.order.Store(uint64(emptyOrder))
	for i := range l.keys {
		l.keys[i].Store(free)
	}
	return l
}

// now returns the order of l.
func (l *leaf[K]) now() order { return order(l.order.Load()) }

// clone returns an unpublished copy of l.
func (t *Tree[K]) clone(l *leaf[K]) *leaf[K] {
	c := t.allocLeaf()
	if t.kind == texts {
		raw.Outer[textLeaf[K]](c).skip = t.skip(l)
	}
	copy(c.keys[:], l.keys[:])
	copy(c.entries[:], l.entries[:])
	c.order.Store(l.order.Load())
	return c
}

// halves returns two unpublished leaves, with half of l's entries each.
func (t *Tree[K]) halves(l *leaf[K]) (left, right *leaf[K]) {
	left, right = t.clone(l), t.clone(l)
	n := l.now().n()
	left.remove(n/2, n)
	right.remove(0, n/2)
	return left, right
}

// insert puts e, whose key is key, in as entry i.
//
// A reader that sees the new key and still the old order may look one entry too far to the
// right. If the order were stored first, a reader would look at what was in the slot
// before.
//
// Preconditions: there is a free slot.
func (l *leaf[K]) insert(i int, key uint64, e *Entry[K]) {
	p, x := l.now().insert(i)
	l.entries[x].Store(e)
	l.keys[x].Store(key)
	l.order.Store(uint64(p)) // the publication
}

// replace puts e, whose key is key, in place of entries [i, j). It uses the slot of entry
// i, so no slot has to be free.
//
// Preconditions: i < j; e starts above entry i-1 and below entry j.
func (l *leaf[K]) replace(i, j int, key uint64, e *Entry[K]) {
	x := l.now().slot(i)
	if l.keys[x].Load() != key {
		l.keys[x].Store(key)
	}
	l.entries[x].Store(e) // the publication
	if i+1 < j {
		l.remove(i+1, j)
	}
}

// remove removes entries [i, j).
func (l *leaf[K]) remove(i, j int) {
	p := l.now()
	var gone [slots]int
	for at := j - 1; at >= i; at-- {
		p, gone[at] = p.remove(at)
	}
	l.order.Store(uint64(p)) // the publication
	for _, x := range gone[i:max(i, j)] {
		l.keys[x].Store(free)
	}
}

// entry returns entry i of order p.
func (l *leaf[K]) entry(p order, i int) *Entry[K] { return l.entries[p.slot(i)].Load() }

// key returns the code or hint of entry i of order p.
func (l *leaf[K]) key(p order, i int) uint64 { return l.keys[p.slot(i)].Load() }
