package rangetree

import "cmp"

// Cursor is a place in the tree: the way down from the root, and an index in the leaf,
// which may be one past its last entry.
//
// A cursor of the writer is void after a change of the tree, unless the change says
// otherwise. A cursor of a reader shows what each leaf held when the cursor came to it,
// except in slots that have been used again.
type Cursor[K any] struct {
	nodes [maxLevel]*inner[K] // nodes[0] is the root
	at    [maxLevel]uint8     // the index of the child taken in each
	depth int                 // the number of inner nodes
	leaf  *leaf[K]
	order order // of the leaf, when the cursor came to it
	i     int
}

// enter places c at the first entry of child i of in, where in is the last node of the way.
func (c *Cursor[K]) enter(in *inner[K], i int) {
	c.leaf = in.leaves[i].Load()
	c.leaf.warm()
	c.order, c.i = c.leaf.now(), 0
}

// Seek places c behind the last entry that starts at or before key, in the leaf that key
// descends to.
func (t *Tree[K]) Seek(c *Cursor[K], key K) {
	t.SeekLeaf(c, key)
	c.i = t.upper(c.leaf, c.order, key)
}

// SeekLeaf places c at the first entry of the leaf that key descends to.
func (t *Tree[K]) SeekLeaf(c *Cursor[K], key K) {
	c.depth = 0
	in := t.root.Load()
	for {
		at := t.childOf(in, key)
		c.nodes[c.depth], c.at[c.depth] = in, uint8(at)
		c.depth++
		if in.level == 1 {
			c.enter(in, at)
			return
		}
		in = in.kids[at].Load()
	}
}

// First places c at the first entry.
func (t *Tree[K]) First(c *Cursor[K]) {
	c.depth = 0
	c.descend(t.root.Load())
}

// Last returns the last entry, or nil if there is none.
func (t *Tree[K]) Last() *Entry[K] {
	in := t.root.Load()
	for in.level > 1 {
		in = in.kids[in.n-1].Load()
	}
	l := in.leaves[in.n-1].Load()
	p := l.now()
	if p.n() == 0 {
		return nil
	}
	return l.entry(p, p.n()-1)
}

// descend goes from in, which is at depth c.depth of the way, down to the first entry below
// it.
func (c *Cursor[K]) descend(in *inner[K]) {
	for {
		c.nodes[c.depth], c.at[c.depth] = in, 0
		c.depth++
		if in.level == 1 {
			c.enter(in, 0)
			return
		}
		in = in.kids[0].Load()
	}
}

// descendLast goes from in, which is at depth c.depth of the way, down behind the last
// entry below it.
func (c *Cursor[K]) descendLast(in *inner[K]) {
	for {
		c.nodes[c.depth], c.at[c.depth] = in, uint8(in.n-1)
		c.depth++
		if in.level == 1 {
			c.enterLast(in, in.n-1)
			return
		}
		in = in.kids[in.n-1].Load()
	}
}

// enterLast places c behind the last entry of child i of in, where in is the last node of
// the way.
func (c *Cursor[K]) enterLast(in *inner[K], i int) {
	c.enter(in, i)
	c.i = c.order.n()
}

// fork returns the depth of the last inner node of the way that has a child to the right
// of the one taken, or -1.
func (c *Cursor[K]) fork() int {
	d := c.depth - 1
	for d >= 0 && int(c.at[d])+1 >= c.nodes[d].n {
		d--
	}
	return d
}

// nextLeaf moves c to the first entry of the next leaf, and reports whether there is one.
func (c *Cursor[K]) nextLeaf() bool {
	d := c.fork()
	if d < 0 {
		return false
	}
	c.at[d]++
	c.depth = d + 1
	if in := c.nodes[d]; in.level == 1 {
		c.enter(in, int(c.at[d]))
	} else {
		c.descend(in.kids[c.at[d]].Load())
	}
	return true
}

// previousLeaf moves c behind the last entry of the previous leaf, and reports whether
// there is one.
func (c *Cursor[K]) previousLeaf() bool {
	d := c.separatorDepth()
	if d < 0 {
		return false
	}
	c.at[d]--
	c.depth = d + 1
	if in := c.nodes[d]; in.level == 1 {
		c.enterLast(in, int(c.at[d]))
	} else {
		c.descendLast(in.kids[c.at[d]].Load())
	}
	return true
}

// Entry returns the entry at c, or nil at the end of the tree. If c is at the end of a
// leaf, Entry first moves it to the next leaf.
func (c *Cursor[K]) Entry() *Entry[K] {
	if c.i >= c.order.n() && !c.nextLeaf() || c.i >= c.order.n() {
		return nil
	}
	return c.leaf.entry(c.order, c.i)
}

// Next moves c behind the entry at c.
func (c *Cursor[K]) Next() { c.i++ }

// Before returns the entry before c in its leaf, or nil.
func (c *Cursor[K]) Before() *Entry[K] {
	if c.i == 0 {
		return nil
	}
	return c.leaf.entry(c.order, c.i-1)
}

// Back moves c to the previous entry and returns that entry, or nil if there is none.
func (c *Cursor[K]) Back() *Entry[K] {
	if c.i == 0 && !c.previousLeaf() {
		return nil
	}
	c.i--
	return c.leaf.entry(c.order, c.i)
}

// separatorDepth returns the depth of the node whose separator bounds c's leaf from below,
// or -1 for the first leaf.
func (c *Cursor[K]) separatorDepth() int {
	d := c.depth - 1
	for d >= 0 && c.at[d] == 0 {
		d--
	}
	return d
}

// compareSeparator compares key with the separator before child i of in.
func (t *Tree[K]) compareSeparator(in *inner[K], i int, key K) int {
	if t.kind == words {
		return cmp.Compare(t.code(key), in.codes.keys[i])
	}
	return t.compare(key, in.keys[i])
}

// reachesOver reports whether a range that ends at hi, or is unbounded, reaches over the
// separator that bounds c's leaf from above.
func (t *Tree[K]) reachesOver(c *Cursor[K], hi K, unbounded bool) bool {
	d := c.fork()
	return d >= 0 && (unbounded || t.compareSeparator(c.nodes[d], int(c.at[d])+1, hi) > 0)
}

// SeekFrom places c at the first entry that starts at or after key, or at the end of the
// tree.
func (t *Tree[K]) SeekFrom(c *Cursor[K], key K) {
	t.seekAt(c, key)
	c.Entry()
}

// seekAt places c before the first entry that starts at or after key, in the leaf that key
// descends to. There may be no such entry in that leaf.
func (t *Tree[K]) seekAt(c *Cursor[K], key K) {
	t.Seek(c, key)
	if e := c.Before(); e != nil && t.compare(e.Lo, key) == 0 {
		c.i--
	}
}

// SeekBelow places c behind the last entry that starts below key, or behind the last entry
// of all if key is nil, in the leaf of that entry. It reports whether there is such an
// entry.
func (t *Tree[K]) SeekBelow(c *Cursor[K], key *K) bool {
	if key == nil {
		c.depth = 0
		c.descendLast(t.root.Load())
	} else {
		t.seekAt(c, *key)
	}
	return c.i > 0 || c.previousLeaf() && c.i > 0
}

// SeekOverlap places c at the first entry that ends after key, and returns that entry, or
// nil if there is none.
func (t *Tree[K]) SeekOverlap(c *Cursor[K], key K) *Entry[K] {
	t.Seek(c, key)
	return t.overlap(c, key)
}

// overlap is SeekOverlap after [Tree.Seek] has placed c.
func (t *Tree[K]) overlap(c *Cursor[K], key K) *Entry[K] {
	if e := c.Before(); e != nil && !t.endsBy(e, key) {
		c.i--
		return e
	}
	return c.Entry()
}
