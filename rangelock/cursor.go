package rangelock

// cursor is a place in the tree: the way down from the root, and an index in the
// leaf, which may be one past its last range. It is the writer's, or belongs to
// somebody who is pinned; a change of the tree makes it void.
type cursor[K, V any] struct {
	nodes [maxLevel]*inner[K, V] // nodes[0] is the root
	at    [maxLevel]int          // the child taken in each
	depth int                    // how many inner nodes
	leaf  *leaf[K, V]
	i     int
}

// seek places c behind the last range that starts at or before key, in the leaf
// that key descends to.
func (m *Map[K, V]) seek(c *cursor[K, V], root *inner[K, V], key K) {
	c.depth = 0
	for in := root; ; in = in.kids[c.at[c.depth-1]].Load() {
		at := m.upper(in.keys[1:in.n], key) // keys[0] stands for the lower end
		c.nodes[c.depth], c.at[c.depth] = in, at
		c.depth++
		if in.level == 1 {
			c.leaf = in.leaves[at].Load()
			c.i = m.upper(c.leaf.keys[:c.leaf.n], key)
			return
		}
	}
}

// first places c at the first range under root.
func (c *cursor[K, V]) first(root *inner[K, V]) {
	c.depth = 0
	c.descend(root)
}

// descend goes from in, which is at level depth of the way, down to the first
// range below it.
func (c *cursor[K, V]) descend(in *inner[K, V]) {
	for {
		c.nodes[c.depth], c.at[c.depth] = in, 0
		c.depth++
		if in.level == 1 {
			c.leaf, c.i = in.leaves[0].Load(), 0
			return
		}
		in = in.kids[0].Load()
	}
}

// fork returns the depth of the last inner node of the way that has a child to
// the right of the one taken, or -1.
func (c *cursor[K, V]) fork() int {
	d := c.depth - 1
	for d >= 0 && c.at[d]+1 >= c.nodes[d].n {
		d--
	}
	return d
}

// nextLeaf moves c to the first range of the next leaf, and reports whether there
// is one.
func (c *cursor[K, V]) nextLeaf() bool {
	d := c.fork()
	if d < 0 {
		return false
	}
	c.at[d]++
	c.depth = d + 1
	if in := c.nodes[d]; in.level == 1 {
		c.leaf, c.i = in.leaves[c.at[d]].Load(), 0
	} else {
		c.descend(in.kids[c.at[d]].Load())
	}
	return true
}

// previousLeaf moves c behind the last range of the leaf before, and reports whether
// there is one.
func (c *cursor[K, V]) previousLeaf() bool {
	d := c.separatorDepth()
	if d < 0 {
		return false
	}
	c.at[d]--
	c.depth = d + 1
	for in := c.nodes[d]; in.level > 1; {
		in = in.kids[c.at[c.depth-1]].Load()
		c.nodes[c.depth], c.at[c.depth] = in, in.n-1
		c.depth++
	}
	c.leaf = c.nodes[c.depth-1].leaves[c.at[c.depth-1]].Load()
	c.i = c.leaf.n
	return true
}

// header returns the range at c, moving to the next leaf if c is at the end of
// one, or nil at the end of the tree.
func (c *cursor[K, V]) header() *header[K, V] {
	if c.i >= c.leaf.n && !c.nextLeaf() || c.i >= c.leaf.n {
		return nil
	}
	return c.leaf.ranges[c.i].Load()
}

// before returns the range before c in its leaf, or nil.
func (c *cursor[K, V]) before() *header[K, V] {
	if c.i == 0 {
		return nil
	}
	return c.leaf.ranges[c.i-1].Load()
}

// separatorDepth returns the depth of the node whose key bounds c's leaf from
// below, or -1 for the first leaf.
func (c *cursor[K, V]) separatorDepth() int {
	d := c.depth - 1
	for d >= 0 && c.at[d] == 0 {
		d--
	}
	return d
}

// separator returns the key that bounds c's leaf from below; d is what
// separatorDepth returned.
func (c *cursor[K, V]) separator(d int) K { return c.nodes[d].keys[c.at[d]] }

// seekOverlap places c at the first range that ends after key, and returns it, or
// nil when there is none.
func (m *Map[K, V]) seekOverlap(c *cursor[K, V], root *inner[K, V], key K) *header[K, V] {
	m.seek(c, root, key)
	if h := c.before(); h != nil && !m.endsBy(h, key) {
		c.i--
		return h
	}
	return c.header()
}
