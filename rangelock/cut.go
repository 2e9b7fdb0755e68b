package rangelock

// This file takes a run of neighbouring ranges out of the tree, and may put one
// range in their place, with one publication. It compares nothing: the cursors
// say where.

// cut describes the change: ranges from the one at l up to, not including, the one
// at r leave; r nil means to the end. The range that comes in their place, or nil,
// is passed beside it: in it, it would make the cursors escape to the heap.
type cut[K, V any] struct {
	l, r *cursor[K, V]
}

// apply publishes the tree after the cut.
//
// Preconditions: the caller holds sem for writing and has made pub odd; at least
// one range leaves; if add starts before the separator of l's leaf, the separator
// has been lowered to its start.
func (m *Map[K, V]) apply(x *cut[K, V], add *header[K, V]) {
	if m.cutOneLeaf(x, add) {
		return
	}
	old := m.root.Load()
	root := m.cutInner(x, add, 0, old, way{left: true, right: x.r != nil, only: true})
	if root == nil {
		root = m.emptyRoot()
	}
	for root.level > 1 && root.n == 1 {
		m.killInner(root)
		root = root.kids[0].Load()
	}
	if root != old {
		m.root.Store(root)
	}
}

// cutOneLeaf does the common case, a change inside one leaf that leaves enough in
// it, and reports whether it was that.
func (m *Map[K, V]) cutOneLeaf(x *cut[K, V], add *header[K, V]) bool {
	old, i, d := x.l.leaf, x.l.i, x.l.depth-1
	j := old.n
	if x.r != nil {
		if x.r.leaf == old {
			j = x.r.i
		} else if add != nil || x.r.i > 0 || x.r.nodes[d] != x.l.nodes[d] || x.r.at[d] != x.l.at[d]+1 {
			return false
		}
	} else if x.l.fork() >= 0 {
		return false
	}
	n := old.n - (j - i)
	if add != nil {
		n++
	}
	if n == 0 || mergeable(x.l.nodes[d], x.l.at[d], n, leafCap) {
		return false
	}
	l := m.newLeaf()
	l.copyFrom(old, 0, i)
	if add != nil {
		l.push(add)
	}
	l.append(old, j, old.n)
	m.hintLeaf(l, old)
	x.l.nodes[d].leaves[x.l.at[d]].Store(l)
	m.killLeaf(old)
	return true
}

// way says how a cut passes through a node.
type way struct {
	left  bool // the way of l goes through it; if not, the cut starts before it
	right bool // the way of r goes through it; if not, the cut goes on behind it
	only  bool // nothing outside of it changes: a change below may be published in place
}

// cutInner returns what is left of in, which is at depth d: in itself, if nothing
// changed or the change was published further down; a new node; or nil if nothing
// is left.
func (m *Map[K, V]) cutInner(x *cut[K, V], add *header[K, V], d int, in *inner[K, V], w way) *inner[K, V] {
	a, b := 0, in.n-1
	if w.left {
		a = x.l.at[d]
	}
	if w.right {
		b = x.r.at[d]
	}
	if w.only && a == b {
		return m.cutChild(x, add, d, in, a, w)
	}
	if !w.left && b == 0 {
		// The cut may end just before the first range of this node.
		old := in.child(0)
		c := m.cutBelow(x, add, d, old, way{right: true})
		if c == old {
			return in
		}
		p := m.newInner(in.level)
		p.copyFrom(in, 0, in.n)
		p.put(0, c)
		m.killInner(in)
		return m.settle(p, 0)
	}
	p := m.newInner(in.level)
	p.copyFrom(in, 0, a)
	for i := a; i <= b; i++ {
		c, key := in.child(i), in.keys[i]
		switch {
		case i == a && w.left:
			c = m.cutBelow(x, add, d, c, way{left: true})
		case i == b && w.right:
			c = m.cutBelow(x, add, d, c, way{right: true})
			if w.left {
				// The added range may reach over the old separator. The new one is the low
				// bound of the first range behind the cut.
				key = x.r.leaf.keys[x.r.i]
			}
		default:
			m.killTree(c)
			continue
		}
		if !c.none() {
			p.insert(p.n, key, c)
		}
	}
	p.append(in, b+1, in.n)
	m.killInner(in)
	return m.settle(p, a)
}

// cutChild does a cut that touches child i of in alone, and nothing outside of in.
func (m *Map[K, V]) cutChild(x *cut[K, V], add *header[K, V], d int, in *inner[K, V], i int, w way) *inner[K, V] {
	old := in.child(i)
	c := m.cutBelow(x, add, d, old, w)
	if c == old {
		return in
	}
	if !c.none() {
		if n, room := c.size(); !mergeable(in, i, n, room) {
			in.put(i, c) // the publication
			return in
		}
	}
	p := m.newInner(in.level)
	p.copyFrom(in, 0, in.n)
	if c.none() {
		p.remove(i)
	} else {
		p.put(i, c)
	}
	m.killInner(in)
	return m.settle(p, i)
}

// cutBelow cuts a child of a node at depth d.
func (m *Map[K, V]) cutBelow(x *cut[K, V], add *header[K, V], d int, c child[K, V], w way) child[K, V] {
	if c.leaf != nil {
		return child[K, V]{leaf: m.cutLeaf(x, add, c.leaf, w)}
	}
	return child[K, V]{inner: m.cutInner(x, add, d+1, c.inner, w)}
}

// cutLeaf returns what is left of a leaf, with the added range in it if l's way
// ends here, or nil.
func (m *Map[K, V]) cutLeaf(x *cut[K, V], add *header[K, V], old *leaf[K, V], w way) *leaf[K, V] {
	i, j := 0, old.n
	if w.left {
		i = x.l.i
	}
	if w.right {
		j = x.r.i
	}
	if !w.left {
		add = nil // it comes where l's way ends
	}
	if i == j && add == nil {
		return old
	}
	m.killLeaf(old)
	if i+old.n-j == 0 && add == nil {
		return nil
	}
	l := m.newLeaf()
	l.copyFrom(old, 0, i)
	if add != nil {
		l.push(add)
	}
	l.append(old, j, old.n)
	m.hintLeaf(l, old)
	return l
}

// settle merges small neighbours around child i of p, which nobody else sees, and
// returns p, or nil if nothing is in it.
func (m *Map[K, V]) settle(p *inner[K, V], i int) *inner[K, V] {
	if p.n == 0 {
		m.killInner(p)
		return nil
	}
	for at := min(i+2, p.n-1); at > 0 && at >= i; at-- {
		m.merge(p, at)
	}
	m.hintInner(p)
	return p
}

// mergeable reports whether a node with n of room in it, as child i of p, could be
// merged with a neighbour.
func mergeable[K, V any](p *inner[K, V], i, n, room int) bool {
	if n > room/4 {
		return false // it is not small; a small neighbour merges when it changes itself
	}
	if i > 0 {
		if before, _ := p.child(i - 1).size(); fits(before, n, room) {
			return true
		}
	}
	if i+1 < p.n {
		if after, _ := p.child(i + 1).size(); fits(n, after, room) {
			return true
		}
	}
	return false
}

// fits reports whether two neighbours should become one: one of them is a quarter
// full or less, and together they leave a quarter free, so that the next few
// changes neither split nor merge again.
func fits(a, b, room int) bool {
	return min(a, b) <= room/4 && a+b <= room-room/4
}

// merge merges child i of p, which nobody else sees, into the one before it, if
// they fit.
func (m *Map[K, V]) merge(p *inner[K, V], i int) {
	a, b := p.child(i-1), p.child(i)
	na, room := a.size()
	nb, _ := b.size()
	if !fits(na, nb, room) {
		return
	}
	if a.leaf != nil {
		l := m.newLeaf()
		l.copyFrom(a.leaf, 0, na)
		l.append(b.leaf, 0, nb)
		m.hintLeaf(l, a.leaf)
		m.killLeaf(a.leaf)
		m.killLeaf(b.leaf)
		p.put(i-1, child[K, V]{leaf: l})
	} else {
		q := m.newInner(a.inner.level)
		q.copyFrom(a.inner, 0, na)
		q.append(b.inner, 0, nb)
		q.keys[na] = p.keys[i]
		m.hintInner(q)
		m.killInner(a.inner)
		m.killInner(b.inner)
		p.put(i-1, child[K, V]{inner: q})
	}
	p.remove(i)
}
