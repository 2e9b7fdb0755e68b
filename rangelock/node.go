package rangelock

import "github.com/spanlock/spanlock/internal/seam"

// The tree is a B+tree over the low bounds. Levels count from the leaves: a leaf
// is level 0, its parents are level 1, and the root is always an inner node, so
// that an empty map is a root with one empty leaf.
//
// Once a node is published nothing in it changes but its atomic pointers. A
// change copies the node into fresh or recycled memory and publishes the copy
// with one atomic store in its parent; the tempting edit in place shows lockless
// readers a key beside its neighbour's pointer (the maple tree's StackRot).
//
// Three rules hold between operations, and make one descent enough to find or
// to miss a key:
//
//  1. Child i of an inner node holds low bounds in [keys[i], keys[i+1]); keys[0]
//     is never looked at and stands for the lower end of the node.
//  2. No range reaches over a separator: a range in child i ends at or before
//     keys[i+1]. So the range that covers a key is in the leaf that the key
//     descends to, never in its left sibling.
//  3. No leaf is empty, but for the one leaf of an empty tree.

// leaf holds up to leafCap ranges in the order of their low bounds.
type leaf[K, V any] struct {
	n      int                                 // ranges in it; written before publication
	next   *leaf[K, V]                         // chains dead leaves; no reader of the tree looks at it
	keys   [leafCap]K                          // low bounds; written before publication
	ranges [leafCap]seam.Pointer[header[K, V]] // stored by the writer, also after publication
	hints  []uint64                            // of the keys, or nil; written before publication (hint.go)
	skip   int                                 // bytes of each key before those in its hint
}

// inner holds up to innerCap children: leaves in level 1, inner nodes above.
type inner[K, V any] struct {
	n      int                                 // children; written before publication
	level  int                                 // 1 above the leaves; written before publication
	next   *inner[K, V]                        // chains dead nodes; no reader of the tree looks at it
	keys   [innerCap]K                         // separators; written before publication
	kids   [innerCap]seam.Pointer[inner[K, V]] // level > 1; stored by the writer
	leaves [innerCap]seam.Pointer[leaf[K, V]]  // level 1; stored by the writer
	hints  []uint64                            // of the keys, or nil; written before publication (hint.go)
	skip   int                                 // bytes of each key before those in its hint
}

// copyFrom makes l, which nobody else sees, a copy of src's ranges [i, j).
func (l *leaf[K, V]) copyFrom(src *leaf[K, V], i, j int) {
	l.n = copy(l.keys[:], src.keys[i:j])
	copy(l.ranges[:], src.ranges[i:j])
}

// append adds src's ranges [i, j) to l, which nobody else sees.
func (l *leaf[K, V]) append(src *leaf[K, V], i, j int) {
	copy(l.ranges[l.n:], src.ranges[i:j])
	l.n += copy(l.keys[l.n:], src.keys[i:j])
}

// push adds one range to the end of l, which nobody else sees.
func (l *leaf[K, V]) push(h *header[K, V]) {
	l.keys[l.n] = h.lo
	l.ranges[l.n].Store(h)
	l.n++
}

// copyFrom makes p, which nobody else sees, a copy of src's children [i, j).
func (p *inner[K, V]) copyFrom(src *inner[K, V], i, j int) {
	p.level, p.n = src.level, 0
	p.append(src, i, j)
}

// append adds src's children [i, j) to p, which nobody else sees.
func (p *inner[K, V]) append(src *inner[K, V], i, j int) {
	if p.level == 1 {
		copy(p.leaves[p.n:], src.leaves[i:j])
	} else {
		copy(p.kids[p.n:], src.kids[i:j])
	}
	p.n += copy(p.keys[p.n:], src.keys[i:j])
}

// insert puts c, with the separator key before it, at i into p, which nobody else
// sees and which has room.
func (p *inner[K, V]) insert(i int, key K, c child[K, V]) {
	if p.level == 1 {
		copy(p.leaves[i+1:p.n+1], p.leaves[i:p.n])
	} else {
		copy(p.kids[i+1:p.n+1], p.kids[i:p.n])
	}
	copy(p.keys[i+1:p.n+1], p.keys[i:p.n])
	p.n++
	p.keys[i] = key
	p.put(i, c)
}

// remove takes child i out of p, which nobody else sees.
func (p *inner[K, V]) remove(i int) {
	if p.level == 1 {
		copy(p.leaves[i:], p.leaves[i+1:p.n])
	} else {
		copy(p.kids[i:], p.kids[i+1:p.n])
	}
	copy(p.keys[i:], p.keys[i+1:p.n])
	p.n--
	var none K
	p.keys[p.n] = none
	if p.level == 1 {
		p.leaves[p.n].Store(nil)
	} else {
		p.kids[p.n].Store(nil)
	}
}

// child is a node below an inner node: a leaf or an inner node.
type child[K, V any] struct {
	leaf  *leaf[K, V]
	inner *inner[K, V]
}

// none says that there is no node.
func (c child[K, V]) none() bool { return c.leaf == nil && c.inner == nil }

// size returns how much is in the node, and how much fits.
func (c child[K, V]) size() (n, room int) {
	if c.leaf != nil {
		return c.leaf.n, leafCap
	}
	return c.inner.n, innerCap
}

// child returns child i.
func (p *inner[K, V]) child(i int) child[K, V] {
	if p.level == 1 {
		return child[K, V]{leaf: p.leaves[i].Load()}
	}
	return child[K, V]{inner: p.kids[i].Load()}
}

// put makes c child i. In a published node this is the publication of c; it pairs
// with the loads of a reader's descent.
func (p *inner[K, V]) put(i int, c child[K, V]) {
	if p.level == 1 {
		p.leaves[i].Store(c.leaf)
	} else {
		p.kids[i].Store(c.inner)
	}
}
