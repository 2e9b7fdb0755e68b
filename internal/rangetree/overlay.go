package rangetree

// Overlay is a range that is laid over the entries of a tree, as [Tree.PlanOverlay] finds it:
// the entries inside it go, and one that sticks out at an end keeps what is outside. An entry
// may stick out at both ends.
type Overlay[K any] struct {
	Left  *Entry[K] // the entry that sticks out at the low end, or nil
	Right *Entry[K] // the one that sticks out at the high end, or nil

	left, right Cursor[K] // where they are
	key         uint64    // what right's leaf will have of the high bound
	fits        bool      // that begins as the keys of the leaf do
	inside      int       // how many entries go
	cut         Cut[K]    // those; what comes in their place is planned
	slot        Slot[K]   // where the new entry goes if there are none
}

// both reports whether one entry sticks out at both ends.
func (x *Overlay[K]) both() bool { return x.Left != nil && x.Left == x.Right }

// PlanOverlay plans to lay [lo, hi) over the entries of t, where hi means nothing if unbounded,
// and calls f with each that overlaps it, in their order. It may change the shape of the tree,
// and not what is in it.
func (t *Tree[K]) PlanOverlay(x *Overlay[K], lo, hi K, unbounded bool, f func(*Entry[K])) {
	n := t.planOverlay(x, lo, hi, unbounded)
	for t.shape(x) {
		n = t.planOverlay(x, lo, hi, unbounded)
	}
	c := x.cut.l
	if x.Left != nil {
		c = x.left
	}
	for range n {
		f(c.Entry())
		c.Next()
	}
}

// planOverlay plans, and returns how many entries overlap [lo, hi).
func (t *Tree[K]) planOverlay(x *Overlay[K], lo, hi K, unbounded bool) (n int) {
	x.Left, x.Right = nil, nil
	s := &x.slot
	t.Seek(&s.at, lo)
	x.cut.l = s.at
	first := t.overlap(&x.cut.l, lo)
	c := x.cut.l
	e := first
	for e != nil && (unbounded || !t.startsAfter(e, hi)) {
		n++
		c.Next()
		e = c.Entry()
	}
	x.cut.r, x.cut.tail, x.inside = c, e == nil, n
	if n > 0 {
		if t.compare(first.Lo, lo) < 0 {
			x.Left, x.left = first, x.cut.l
			x.inside--
		}
		if last := c.Back(); !unbounded && !t.endsBy(last, hi) {
			x.Right, x.right = last, c
			if !x.both() {
				x.inside--
			}
			if x.key, x.fits = t.plan(&c, hi); !x.fits {
				return n // shape mends that
			}
		}
	}
	if x.inside > 0 {
		if x.Left != nil {
			x.cut.l.Next()
			x.cut.l.Entry()
		}
		if x.Right != nil {
			x.cut.r, x.cut.tail = x.right, false
		}
		t.Supplant(&x.cut, lo, hi, unbounded)
		return n
	}
	if x.Right != nil && s.at.Before() == x.Right {
		s.at.i-- // it begins at lo
	}
	// What comes next begins at or behind hi, when right is trimmed.
	s.raise = s.at.i == s.at.order.n() && t.reachesOver(&s.at, hi, unbounded)
	s.key, s.fits = t.plan(&s.at, lo)
	return n
}

// shape makes room for what has none yet, and reports whether it has: then the plan must be
// made again.
func (t *Tree[K]) shape(x *Overlay[K]) bool {
	switch {
	case x.both() && x.left.order.n() > slots-2:
		t.halve(&x.left)
	case x.Right != nil && !x.fits:
		t.unskip(&x.right)
	default:
		return false
	}
	return true
}

// Overlay puts add, for which x was planned, into the tree. Left and right, which are nil where
// nothing sticks out, come in the place of what does: left ends where add begins, and right
// begins where it ends.
//
// Preconditions: the tree has not changed since.
func (t *Tree[K]) Overlay(x *Overlay[K], left, add, right *Entry[K]) {
	if x.both() {
		c := x.left
		c.leaf.replace(c.i, c.i+1, c.leaf.key(c.order, c.i), left)
		c.Next()
		t.insertLeaf(&c, x.key, true, right)
		t.insertLeaf(&c, x.slot.key, true, add) // it begins as what is before it and behind it
		return
	}
	// The separators that add reaches over are raised to what begins behind it, so right comes
	// first. Neither changes the order of its leaf, so the cursors stay good.
	if right != nil {
		x.right.leaf.replace(x.right.i, x.right.i+1, x.key, right)
	}
	if left != nil {
		c := &x.left
		c.leaf.replace(c.i, c.i+1, c.leaf.key(c.order, c.i), left)
	}
	if x.inside > 0 {
		t.Replace(&x.cut, add)
	} else {
		t.Insert(&x.slot, add)
	}
}
