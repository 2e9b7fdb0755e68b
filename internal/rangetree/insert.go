package rangetree

// This file adds one entry to the tree. [Tree.Place] compares keys. What follows it
// compares none, so it cannot fail.

// Slot is the place of an entry that is not yet in the tree.
type Slot[K any] struct {
	at    Cursor[K] // in the leaf that the low bound descends to, unless lower is set
	key   uint64    // what the leaf will hold for the low bound
	fits  bool      // the low bound begins as the keys of the leaf do
	raise bool      // the separator to the right must be raised to the next entry's low bound

	// The gap reaches over a separator. lo is to the left of the separator, and the entry
	// goes to the right of it, so the separator must be lowered to lo.
	lower bool
	lo    K
}

// Place looks for the gap that [lo, hi) fits in. hi means nothing if unbounded. If an entry
// is in the way, Place returns it; otherwise it returns nil.
//
// Preconditions: lo is below hi.
func (t *Tree[K]) Place(s *Slot[K], lo, hi K, unbounded bool) *Entry[K] {
	c := &s.at
	t.Seek(c, lo)
	before := c.Before()
	if before != nil && !t.endsBy(before, lo) {
		return before
	}
	s.raise, s.lower = false, false
	if c.i < c.order.n() {
		if e := c.leaf.entry(c.order, c.i); unbounded || !t.startsAfter(e, hi) {
			return e
		}
	} else if c.fork() >= 0 {
		next := *c
		e := next.Entry()
		if unbounded || !t.startsAfter(e, hi) {
			return e
		}
		// The gap may reach over the separator between the two leaves, and so may the new
		// entry. It goes into the smaller leaf. Suppose it always went to the left one.
		// Where ranges make room for others from left to right, as in a full arena, each
		// leaf would then have to take entries in place of those of its right neighbour:
		// again and again one leaf would split and the other would merge.
		if t.reachesOver(c, hi, false) {
			if s.lower = next.order.n() < c.order.n(); s.lower {
				s.at, s.lo = next, lo
			} else {
				s.raise = true
			}
		}
	}
	s.key, s.fits = t.plan(c, lo)
	return nil
}

// plan returns what the leaf of c will hold for lo, and reports whether lo begins as the
// keys of that leaf do.
func (t *Tree[K]) plan(c *Cursor[K], lo K) (key uint64, fits bool) {
	l := c.leaf
	skip := t.skip(l)
	fits = skip == 0 ||
		c.order.n() > 0 && t.text.shared(l.entry(c.order, 0).Lo, lo) >= skip
	return t.keyOf(lo, skip), fits
}

// Insert puts e, which has the bounds that s was placed for, into the tree.
//
// Preconditions: the tree has not changed since s was placed.
func (t *Tree[K]) Insert(s *Slot[K], e *Entry[K]) {
	switch {
	case s.raise:
		t.raise(&s.at)
	case s.lower:
		t.lower(s)
	}
	t.insertLeaf(&s.at, s.key, s.fits, e)
}

// MakeRoom changes the shape of the tree, but not its entries, so that [Tree.Insert] at s
// will change one leaf in place and nothing else. It reports whether that is so now; if
// not, s must be placed again.
func (t *Tree[K]) MakeRoom(s *Slot[K]) bool {
	switch {
	case s.raise:
		t.raise(&s.at)
	case s.lower:
		t.lower(s)
	case s.at.order.n() == slots:
		t.halve(&s.at)
	case !s.fits:
		t.unskip(&s.at)
	default:
		return true
	}
	return false
}

// halve splits c's leaf in the middle.
func (t *Tree[K]) halve(c *Cursor[K]) {
	left, right := t.halves(c.leaf)
	t.split(c, left, right)
}

// unskip gives c's leaf hints of the whole keys, so that any key fits.
func (t *Tree[K]) unskip(c *Cursor[K]) {
	l := t.clone(c.leaf)
	t.hintBehind(l, 0)
	t.publishLeaf(c, l)
}

// raise raises the separator behind c's leaf to the low bound of the next entry. No entry
// is between the old separator and the new one, so a reader that descends by either rightly
// finds nothing there. Afterwards c is still valid.
func (t *Tree[K]) raise(c *Cursor[K]) {
	next := *c
	next.nextLeaf()
	d := next.separatorDepth()
	c.nodes[d] = t.setSeparator(&next, d, t.separatorOf(next.leaf, 0))
}

// lower lowers the separator before s's leaf to s's low bound. No entry is between the two,
// so a reader that descends by the old separator finds nothing in the left leaf. Afterwards
// s.at is still valid.
func (t *Tree[K]) lower(s *Slot[K]) {
	t.setSeparator(&s.at, s.at.separatorDepth(), separator[K]{code: s.key, key: s.lo})
}

// setSeparator publishes a copy of the node at depth d of c's way, in which the separator
// before the child taken is s, and returns the copy.
func (t *Tree[K]) setSeparator(c *Cursor[K], d int, s separator[K]) *inner[K] {
	p := t.copyOf(c.nodes[d], 0, c.nodes[d].n)
	p.setSeparator(int(c.at[d]), s)
	t.seal(p)
	t.publish(c, d, p)
	return p
}

// publish puts p in place of the inner node at depth d of c's way. It is one atomic store;
// a reader descends by the old node or by the new one.
func (t *Tree[K]) publish(c *Cursor[K], d int, p *inner[K]) {
	if d == 0 {
		t.root.Store(p)
	} else {
		c.nodes[d-1].kids[c.at[d-1]].Store(p)
	}
	c.nodes[d] = p
}

// publishLeaf puts l in place of c's leaf.
func (t *Tree[K]) publishLeaf(c *Cursor[K], l *leaf[K]) {
	d := c.depth - 1
	c.nodes[d].leaves[c.at[d]].Store(l)
	c.leaf, c.order = l, l.now()
}

// insertLeaf inserts e, whose key is key, at c. fits says whether the low bound of e begins
// as the keys of the leaf do.
func (t *Tree[K]) insertLeaf(c *Cursor[K], key uint64, fits bool, e *Entry[K]) {
	if c.order.n() < slots {
		if fits {
			c.leaf.insert(c.i, key, e)
			c.order = c.leaf.now()
			return
		}
		l := t.clone(c.leaf)
		l.insert(c.i, key, e)
		t.rehint(l)
		t.publishLeaf(c, l)
		return
	}
	old, i := c.leaf, c.i
	if i == slots && c.fork() < 0 {
		// Ranges that are inserted in order fill their leaves: the full leaf stays as it
		// is.
		right := t.newLeaf()
		right.insert(0, key, e)
		t.rehint(right)
		t.insertChild(c, c.depth-1, child[K]{leaf: old}, t.separatorOf(right, 0), child[K]{leaf: right})
		return
	}
	left, right := t.halves(old)
	if mid := left.now().n(); i <= mid {
		left.insert(i, key, e)
	} else {
		right.insert(i-mid, key, e)
	}
	t.split(c, left, right)
}

// split publishes left and right, which are unpublished, in place of c's leaf.
func (t *Tree[K]) split(c *Cursor[K], left, right *leaf[K]) {
	t.rehint(left)
	t.rehint(right)
	t.insertChild(c, c.depth-1, child[K]{leaf: left}, t.separatorOf(right, 0), child[K]{leaf: right})
}

// insertChild makes left the child that c takes at depth d, and inserts right after it,
// with s between them. left is that child already, or is unpublished.
func (t *Tree[K]) insertChild(c *Cursor[K], d int, left child[K], s separator[K], right child[K]) {
	old, at := c.nodes[d], int(c.at[d])
	if old.n < fanout {
		p := t.copyOf(old, 0, old.n)
		p.put(at, left)
		p.insert(at+1, s, right)
		t.seal(p)
		t.publish(c, d, p)
		return
	}
	mid := old.n / 2
	if at == old.n-1 {
		mid = old.n - 1 // insertion in order: all but the last stay together
	}
	lower, upper := t.copyOf(old, 0, mid), t.copyOf(old, mid, old.n)
	if at < mid {
		lower.put(at, left)
		lower.insert(at+1, s, right)
	} else {
		upper.put(at-mid, left)
		upper.insert(at-mid+1, s, right)
	}
	between := upper.separator(0)
	t.seal(lower)
	t.seal(upper)
	if d > 0 {
		t.insertChild(c, d-1, child[K]{inner: lower}, between, child[K]{inner: upper})
		return
	}
	root := t.newInner(old.level + 1)
	root.n = 1
	root.put(0, child[K]{inner: lower})
	root.insert(1, between, child[K]{inner: upper})
	t.seal(root)
	t.root.Store(root)
}
