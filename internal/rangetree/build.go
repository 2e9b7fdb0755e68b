package rangetree

import "github.com/spanlock/spanlock/internal/raw"

// Builder appends entries to a tree. It builds full leaves, and inner nodes from the bottom
// up with one open node a level. No reader sees any of it before [Builder.Publish]. The
// zero Builder cannot be used; [Tree.Append] makes Builders.
type Builder[K any] struct {
	t *Tree[K]

	// leaf is being filled, slot by slot, and has n entries. open[l-1] is the open node of
	// level l. A nil leaf or node means that the next child makes a new one.
	leaf *leaf[K]
	n    int
	open [maxLevel]*inner[K]

	// below holds the separator before the leaf, then those before the open nodes.
	below [maxLevel + 1]separator[K]

	height int // levels with an open node
	last   *Entry[K]
}

// Append returns a Builder for entries behind the last one of t.
func (t *Tree[K]) Append() *Builder[K] {
	b := &Builder[K]{t: t, last: t.Last()}
	in := t.root.Load()
	b.height = in.level
	// The nodes on the way to the last leaf are copied without their last child, which is
	// added again when it is complete.
	var s separator[K]
	for {
		b.below[in.level] = s
		s = in.separator(in.n - 1)
		b.below[in.level-1] = s
		b.open[in.level-1] = t.copyOf(in, 0, in.n-1)
		if in.level == 1 {
			break
		}
		in = in.kids[in.n-1].Load()
	}
	// The last leaf is copied too, with its entries in the first slots.
	old := in.leaves[in.n-1].Load()
	p := old.now()
	b.leaf, b.n = t.allocLeaf(), p.n()
	if t.kind == texts {
		raw.Outer[textLeaf[K]](b.leaf).skip = t.skip(old)
	}
	for i := range b.n {
		b.leaf.keys[i].Store(old.key(p, i))
		b.leaf.entries[i].Store(old.entry(p, i))
	}
	return b
}

// Last returns the last entry, or nil if there is none.
func (b *Builder[K]) Last() *Entry[K] { return b.last }

// Add appends e. If reading its key panics, nothing has changed.
//
// Preconditions: e begins at or behind the end of the last entry.
func (b *Builder[K]) Add(e *Entry[K]) {
	t := b.t
	if l := b.leaf; l != nil && b.n < slots {
		l.keys[b.n].Store(t.keyOf(e.Lo, t.skip(l)))
		l.entries[b.n].Store(e)
		b.n++
		b.last = e
		return
	}
	key := t.keyOf(e.Lo, 0)
	b.closeLeaf()
	l := t.allocLeaf()
	l.keys[0].Store(key)
	l.entries[0].Store(e)
	b.leaf, b.n, b.last = l, 1, e
	b.below[0] = separator[K]{code: key}
	if t.kind != words {
		b.below[0].key = e.Lo
	}
}

// closeLeaf puts the leaf into the open node above.
func (b *Builder[K]) closeLeaf() {
	l := b.leaf
	if l == nil {
		return
	}
	for i := b.n; i < slots; i++ {
		l.keys[i].Store(free)
	}
	l.order.Store(uint64(emptyOrder | order(b.n)<<60))
	b.t.rehint(l)
	b.push(1, b.below[0], child[K]{leaf: l})
	b.leaf = nil
}

// push adds a child to the open node of a level.
func (b *Builder[K]) push(level int, s separator[K], c child[K]) {
	p := b.open[level-1]
	if p != nil && p.n == fanout {
		b.close(level)
		p = nil
	}
	if p == nil {
		p = b.t.newInner(level)
		b.open[level-1] = p
		b.below[level] = s
		b.height = max(b.height, level)
	}
	p.insert(p.n, s, c)
}

// close puts the open node of a level into the open node above.
func (b *Builder[K]) close(level int) {
	p := b.open[level-1]
	b.t.seal(p)
	b.open[level-1] = nil
	b.push(level+1, b.below[level], child[K]{inner: p})
}

// Publish puts what was built into the tree, with one store. The Builder must not be used
// afterwards.
func (b *Builder[K]) Publish() {
	b.closeLeaf()
	level := 1
	for ; level < b.height; level++ {
		b.close(level)
	}
	root := b.open[level-1]
	b.t.seal(root)
	b.t.root.Store(root)
}
