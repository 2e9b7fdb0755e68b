package rangetree

// This file removes a run of neighbouring entries from the tree, and may put one entry in
// their place. It compares no keys: the cursors say where.

// Cut is a run of entries that [Tree.Collect] has found.
type Cut[K any] struct {
	l, r Cursor[K] // at the first entry, and behind the last
	tail bool      // no entry is behind the run: r is void

	// Supplant plans these for the entry that comes in place of the run.
	key   uint64 // what l's leaf will hold for its low bound
	fits  bool   // its low bound begins as the keys of the leaf do
	over  bool   // it reaches over the separator behind the leaf
	lower int    // the depth of the separator before the leaf if it must be lowered, else -1
}

// Collect calls f with each entry that overlaps [lo, hi), in order, and records in x where
// they are. hi means nothing if unbounded.
func (t *Tree[K]) Collect(x *Cut[K], lo, hi K, unbounded bool, f func(*Entry[K])) {
	e := t.SeekOverlap(&x.l, lo)
	x.r = x.l
	for e != nil && (unbounded || !t.startsAfter(e, hi)) {
		f(e)
		x.r.i++
		e = x.r.Entry()
	}
	x.tail = e == nil
}

// CollectAt is Collect for the one entry that covers key. It returns that entry, or nil if
// there is none; then x means nothing.
func (t *Tree[K]) CollectAt(x *Cut[K], key K) *Entry[K] {
	t.Seek(&x.l, key)
	e := x.l.Before()
	if e == nil || !t.Covers(e, key) {
		return nil
	}
	x.r = x.l
	x.l.i--
	x.tail = x.r.Entry() == nil
	return e
}

// Supplant plans to put [lo, hi) in place of the entries of x. hi means nothing if
// unbounded.
//
// Preconditions: x is not empty, and the new range overlaps no other entry.
func (t *Tree[K]) Supplant(x *Cut[K], lo, hi K, unbounded bool) {
	x.key, x.fits = t.plan(&x.l, lo)
	x.over = t.reachesOver(&x.l, hi, unbounded)
	x.lower = -1
	if x.l.i == 0 {
		if d := x.l.separatorDepth(); d >= 0 && t.compareSeparator(x.l.nodes[d], int(x.l.at[d]), lo) < 0 {
			x.lower = d
		}
	}
}

// Remove removes the entries of x.
func (t *Tree[K]) Remove(x *Cut[K]) { t.apply(x, nil) }

// Replace puts add, for which x was planned, in place of the entries of x.
func (t *Tree[K]) Replace(x *Cut[K], add *Entry[K]) {
	if x.lower >= 0 {
		s := separator[K]{code: x.key, key: add.Lo}
		t.setSeparator(&x.l, x.lower, s)
	}
	t.apply(x, add)
}

// Split puts left in place of the one entry of x, which has the same low bound, and right,
// for which x was planned, behind it. The old entry did not reach over a separator, so
// neither half does.
func (t *Tree[K]) Split(x *Cut[K], left, right *Entry[K]) {
	c := x.l
	c.leaf.replace(c.i, c.i+1, c.leaf.key(c.order, c.i), left)
	c.i++
	t.insertLeaf(&c, x.key, x.fits, right)
}

// Move puts e into s, which has room (see [Tree.MakeRoom]), and removes the one entry of x.
// A walk may see both, or neither.
func (t *Tree[K]) Move(x *Cut[K], s *Slot[K], e *Entry[K]) {
	t.Insert(s, e)
	if x.l.leaf == s.at.leaf {
		x.l.order = s.at.order
		if s.at.i <= x.l.i {
			x.l.i++
		}
	}
	x.r = x.l
	x.r.i++
	x.tail = x.r.Entry() == nil
	t.Remove(x)
}

// apply publishes the tree after the cut, with add in it if add is not nil.
func (t *Tree[K]) apply(x *Cut[K], add *Entry[K]) {
	if t.cutOneLeaf(x, add) {
		return
	}
	old := t.root.Load()
	root := t.cutInner(x, add, 0, old, way{left: true, right: !x.tail, only: true})
	if root == nil {
		t.Clear()
		return
	}
	for root.level > 1 && root.n == 1 {
		root = root.kids[0].Load()
	}
	if root != old {
		t.root.Store(root)
	}
}

// cutOneLeaf handles the common case: a change inside one leaf that leaves enough entries
// in it. It reports whether this was that case.
func (t *Tree[K]) cutOneLeaf(x *Cut[K], add *Entry[K]) bool {
	l, i, d := x.l.leaf, x.l.i, x.l.depth-1
	n := x.l.order.n()
	j := n
	if !x.tail {
		if x.r.leaf == l {
			j = x.r.i
		} else if next := x.l; add != nil && x.over || x.r.i > 0 || !next.nextLeaf() || next.leaf != x.r.leaf {
			return false
		}
	} else if x.l.fork() >= 0 {
		return false
	}
	left := n - (j - i)
	if add != nil {
		left++
	}
	if left == 0 || left < n && mergeable(x.l.nodes[d], int(x.l.at[d]), left, slots) {
		return false
	}
	t.edit(&x.l, j, x, add)
	return true
}

// edit removes the entries from c up to index j of c's leaf. If add is not nil, it puts add
// in their place.
func (t *Tree[K]) edit(c *Cursor[K], j int, x *Cut[K], add *Entry[K]) {
	switch {
	case add == nil:
		c.leaf.remove(c.i, j)
	case x.fits:
		c.leaf.replace(c.i, j, x.key, add)
	default:
		l := t.clone(c.leaf)
		l.replace(c.i, j, x.key, add)
		t.rehint(l)
		t.publishLeaf(c, l)
	}
}

// way says how a cut passes through a node.
type way struct {
	left  bool // the way of l leads through it; if not, the cut starts before it
	right bool // the way of r leads through it; if not, the cut continues behind it
	only  bool // nothing outside of it changes, so a change below may be published in place
}

// cutInner returns what is left of in, which is at depth d. That is in itself, if nothing
// changed or the change was published further down; or a new node; or nil if nothing is
// left.
func (t *Tree[K]) cutInner(x *Cut[K], add *Entry[K], d int, in *inner[K], w way) *inner[K] {
	a, b := 0, in.n-1
	if w.left {
		a = int(x.l.at[d])
	}
	if w.right {
		b = int(x.r.at[d])
	}
	if w.only && a == b {
		return t.cutChild(x, add, d, in, a, w)
	}
	if !w.left && b == 0 {
		// The cut may end just before the first entry of this node.
		old := in.child(0)
		c := t.cutBelow(x, add, d, old, way{right: true})
		if c == old {
			return in
		}
		p := t.copyOf(in, 0, in.n)
		p.put(0, c)
		return t.settle(p, 0)
	}
	p := t.copyOf(in, 0, a)
	for i := a; i <= b; i++ {
		c, s := in.child(i), in.separator(i)
		switch {
		case i == a && w.left:
			c = t.cutBelow(x, add, d, c, way{left: true})
		case i == b && w.right:
			c = t.cutBelow(x, add, d, c, way{right: true})
			if w.left {
				// The added entry may reach over the old separator. The new separator is
				// the low bound of the first entry behind the cut.
				s = t.separatorOf(x.r.leaf, x.r.i)
			}
		default:
			continue
		}
		if !c.none() {
			p.insert(p.n, s, c)
		}
	}
	p.append(in, b+1, in.n)
	return t.settle(p, a)
}

// cutChild makes a cut that touches only child i of in, and nothing outside of in.
func (t *Tree[K]) cutChild(x *Cut[K], add *Entry[K], d int, in *inner[K], i int, w way) *inner[K] {
	old := in.child(i)
	c := t.cutBelow(x, add, d, old, w)
	if c == old {
		return in
	}
	if !c.none() {
		if n, room := c.size(); !mergeable(in, i, n, room) {
			in.put(i, c) // the publication
			return in
		}
	}
	p := t.copyOf(in, 0, in.n)
	if c.none() {
		p.remove(i)
	} else {
		p.put(i, c)
	}
	return t.settle(p, i)
}

// cutBelow cuts a child of a node at depth d.
func (t *Tree[K]) cutBelow(x *Cut[K], add *Entry[K], d int, c child[K], w way) child[K] {
	if c.leaf != nil {
		return child[K]{leaf: t.cutLeaf(x, add, c.leaf, w)}
	}
	return child[K]{inner: t.cutInner(x, add, d+1, c.inner, w)}
}

// cutLeaf returns what is left of a leaf, with the added entry in it if l's way ends here,
// or nil. It copies the leaf, because readers may be looking in the old one for the entries
// that stay.
func (t *Tree[K]) cutLeaf(x *Cut[K], add *Entry[K], old *leaf[K], w way) *leaf[K] {
	n := old.now().n()
	i, j := 0, n
	if w.left {
		i = x.l.i
	} else {
		add = nil // it goes where l's way ends
	}
	if w.right {
		j = x.r.i
	}
	if i == j && add == nil {
		return old
	}
	if i+n-j == 0 && add == nil {
		return nil
	}
	l := t.clone(old)
	if add != nil {
		l.replace(i, j, x.key, add) // l's way ends at an entry that is removed
	} else {
		l.remove(i, j)
	}
	t.rehint(l)
	return l
}

// settle merges small neighbours around child i of p, which is unpublished. It returns p,
// or nil if p has no children.
func (t *Tree[K]) settle(p *inner[K], i int) *inner[K] {
	if p.n == 0 {
		return nil
	}
	for at := min(i+2, p.n-1); at > 0 && at >= i; at-- {
		t.merge(p, at)
	}
	t.seal(p)
	return p
}

// mergeable reports whether child i of p, when it has n of room, could be merged with a
// neighbour.
func mergeable[K any](p *inner[K], i, n, room int) bool {
	if n > few(room) {
		return false // not small; a small neighbour merges when it changes itself
	}
	if i > 0 {
		if before, _ := p.child(i - 1).size(); fit(before, n, room) {
			return true
		}
	}
	if i+1 < p.n {
		if after, _ := p.child(i + 1).size(); fit(n, after, room) {
			return true
		}
	}
	return false
}

// few is the largest size at which a node should be merged.
func few(room int) int { return (room + 1) / 4 }

// fit reports whether two neighbours should become one: one of them has few, and together
// they leave a quarter free, so that the next few changes neither split nor merge again.
func fit(a, b, room int) bool { return min(a, b) <= few(room) && a+b <= room-room/4 }

// merge merges child i of p, which is unpublished, into the child before it, if they fit.
func (t *Tree[K]) merge(p *inner[K], i int) {
	a, b := p.child(i-1), p.child(i)
	na, room := a.size()
	nb, _ := b.size()
	if !fit(na, nb, room) {
		return
	}
	if a.leaf != nil {
		l, from := t.clone(a.leaf), b.leaf.now()
		for at := range nb {
			l.insert(na+at, b.leaf.key(from, at), b.leaf.entry(from, at))
		}
		t.rehint(l)
		p.put(i-1, child[K]{leaf: l})
	} else {
		q := t.copyOf(a.inner, 0, na)
		q.append(b.inner, 0, nb)
		q.setSeparator(na, p.separator(i))
		t.seal(q)
		p.put(i-1, child[K]{inner: q})
	}
	p.remove(i)
}
