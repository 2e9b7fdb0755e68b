package rangetree

// Overlay is a plan of [Tree.PlanOverlay] to lay a range over the entries of a tree. The
// entries inside the range are removed. An entry that sticks out at an end keeps what is
// outside. An entry may stick out at both ends.
type Overlay[K any] struct {
	Left  *Entry[K] // the entry that sticks out at the low end, or nil
	Right *Entry[K] // the entry that sticks out at the high end, or nil

	left, right Cursor[K] // where they are
	key         uint64    // what right's leaf will hold for the high bound
	fits        bool      // the high bound begins as the keys of that leaf do
	inside      int       // the number of entries that are removed
	cut         Cut[K]    // those entries, with a plan for what comes in their place
	slot        Slot[K]   // where the new entry goes if there are none
}

// both reports whether one entry sticks out at both ends.
func (x *Overlay[K]) both() bool { return x.Left != nil && x.Left == x.Right }

// PlanOverlay plans to lay [lo, hi) over the entries of t. hi means nothing if unbounded.
// It calls f with each entry that overlaps [lo, hi), in order. It may change the shape of
// the tree, but not its entries.
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

// planOverlay plans, and returns the number of entries that overlap [lo, hi).
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
				return n // shape corrects that
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
		s.at.i-- // right begins at lo
	}
	// The next entry begins at or behind hi, once right is trimmed.
	s.raise = s.at.i == s.at.order.n() && t.reachesOver(&s.at, hi, unbounded)
	s.key, s.fits = t.plan(&s.at, lo)
	return n
}

// shape makes room where the plan needs it, and reports whether it did. Then the plan must
// be made again.
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

// Overlay puts add, for which x was planned, into the tree. left takes the place of the
// entry that sticks out at the low end and ends where add begins. right takes the place of
// the entry that sticks out at the high end and begins where add ends. Each is nil if no
// entry sticks out at its end.
//
// Preconditions: the tree has not changed since x was planned.
func (t *Tree[K]) Overlay(x *Overlay[K], left, add, right *Entry[K]) {
	if x.both() {
		c := x.left
		c.leaf.replace(c.i, c.i+1, c.leaf.key(c.order, c.i), left)
		c.Next()
		t.insertLeaf(&c, x.key, true, right)
		t.insertLeaf(&c, x.slot.key, true, add) // it begins as its two neighbours do
		return
	}
	// The separators that add reaches over are raised to the low bound of the entry behind
	// it, so right is put in first. Neither right nor left changes the order of its leaf,
	// so the cursors stay valid.
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
