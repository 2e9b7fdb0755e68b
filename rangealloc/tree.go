package rangealloc

import "math/rand/v2"

// tree holds the gaps in the order of their addresses. It is a search tree in which each node
// knows the widest gap of its subtree, as in the kernel's tree of mappings before the maple tree.
// Without that, first fit would scan all the small gaps that a first-fit allocator leaves at low
// addresses.
//
// It is a treap: a node's random priority is not below its children's. So the tree has the shape
// of one built by insertion in random order, about 2 ln n deep. google/btree has no place for the
// widest gap.
type tree struct {
	root   *node
	n      int   // how many gaps there are
	spare  *node // cleared nodes, linked by right
	spares int   // how many, at most maxSpares
}

// maxSpares bounds the nodes that are kept for the next insertion.
const maxSpares = 1024

// node is a gap in the tree.
type node struct {
	gap
	widest      uint64 // the largest width in the subtree
	priority    uint32
	left, right *node // lower and higher addresses
}

// fix computes widest from the children's.
func (n *node) fix() {
	n.widest = n.width()
	if n.left != nil {
		n.widest = max(n.widest, n.left.widest)
	}
	if n.right != nil {
		n.widest = max(n.widest, n.right.widest)
	}
}

// insert adds g, which overlaps no other gap.
func (t *tree) insert(g gap) {
	n := t.spare
	if n == nil {
		n = new(node)
	} else {
		t.spare = n.right
		t.spares--
	}
	*n = node{gap: g, widest: g.width(), priority: rand.Uint32()}
	t.n++
	t.root = insertNode(t.root, n)
}

func insertNode(t, n *node) *node {
	switch {
	case t == nil:
		return n
	case n.priority > t.priority:
		n.left, n.right = splitNode(t, n.lo)
		n.fix()
		return n
	case n.lo < t.lo:
		t.left = insertNode(t.left, n)
	default:
		t.right = insertNode(t.right, n)
	}
	t.fix()
	return t
}

// splitNode divides t into the nodes below lo and the others.
func splitNode(t *node, lo uint64) (below, above *node) {
	if t == nil {
		return nil, nil
	}
	if t.lo < lo {
		t.right, above = splitNode(t.right, lo)
		t.fix()
		return t, above
	}
	below, t.left = splitNode(t.left, lo)
	t.fix()
	return below, t
}

// remove takes the gap that begins at lo out. It must be there.
func (t *tree) remove(lo uint64) {
	var n *node
	t.root, n = removeNode(t.root, lo)
	t.n--
	if t.spares < maxSpares {
		*n = node{right: t.spare}
		t.spare = n
		t.spares++
	}
}

func removeNode(t *node, lo uint64) (rest, out *node) {
	switch {
	case lo < t.lo:
		t.left, out = removeNode(t.left, lo)
	case lo > t.lo:
		t.right, out = removeNode(t.right, lo)
	default:
		return joinNodes(t.left, t.right), t
	}
	t.fix()
	return t, out
}

// joinNodes is the opposite of splitNode: all of a lies below all of b.
func joinNodes(a, b *node) *node {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.priority > b.priority:
		a.right = joinNodes(a.right, b)
		a.fix()
		return a
	default:
		b.left = joinNodes(a, b.left)
		b.fix()
		return b
	}
}

// change replaces the gap that begins at lo, which must be there, by g. No other gap may lie
// between the two, so that g has the same place in the tree.
func (t *tree) change(lo uint64, g gap) { t.root.change(lo, g) }

func (n *node) change(lo uint64, g gap) {
	switch {
	case lo < n.lo:
		n.left.change(lo, g)
	case lo > n.lo:
		n.right.change(lo, g)
	default:
		n.gap = g
	}
	n.fix()
}

// floor returns the last gap that begins at p or before, and whether there is one.
func (t *tree) floor(p uint64) (g gap, ok bool) {
	for n := t.root; n != nil; {
		if n.lo > p {
			n = n.left
			continue
		}
		g, ok = n.gap, true
		n = n.right
	}
	return g, ok
}

// first returns the lowest gap in which w fits, and the place. It skips every subtree that has no
// gap of the width, or that does not reach into w.in. With alignment it may check more gaps than
// the tree has levels: gaps that are wide enough but badly aligned.
func (n *node) first(w want) (g gap, lo uint64, ok bool) {
	for n != nil && n.widest >= w.width {
		if n.lo > w.in.lo {
			if g, lo, ok = n.left.first(w); ok {
				return g, lo, true
			}
		}
		if n.lo > w.in.last {
			break
		}
		if lo, ok = n.place(w); ok {
			return n.gap, lo, true
		}
		n = n.right
	}
	return gap{}, 0, false
}

// top is like first, for the highest gap and the highest place in it.
func (n *node) top(w want) (g gap, lo uint64, ok bool) {
	for n != nil && n.widest >= w.width {
		if g, lo, ok = n.right.top(w); ok {
			return g, lo, true
		}
		if lo, ok = n.placeTop(w); ok {
			return n.gap, lo, true
		}
		n = n.left
	}
	return gap{}, 0, false
}

// largest returns the widest gap, of equal gaps the highest, and whether there is one.
func (n *node) largest() (g gap, ok bool) {
	if n == nil {
		return gap{}, false
	}
	for widest := n.widest; ; {
		switch {
		case n.right != nil && n.right.widest == widest:
			n = n.right
		case n.width() == widest:
			return n.gap, true
		default:
			n = n.left
		}
	}
}

// ascend calls yield with each gap in the order of their addresses, until yield returns false.
func (n *node) ascend(yield func(gap) bool) bool {
	return n == nil || n.left.ascend(yield) && yield(n.gap) && n.right.ascend(yield)
}
