package rangelock

import "github.com/spanlock/spanlock/internal/invariants"

// This file adds one range to the tree. All comparisons come first: if the user's
// compare panics nothing has changed.

// slot is where a range to insert goes.
type slot[K, V any] struct {
	at    cursor[K, V] // in the leaf that the range's low bound descends to
	raise bool         // the separator to the right must be raised to succ.lo
	next  cursor[K, V] // if raise: the first range of the next leaf
}

// place looks for the gap that r fits in and returns ErrOverlap, wrapped with what
// is in the way, if there is none.
//
// Preconditions: the caller holds sem for writing; r is valid.
func (m *Map[K, V]) place(s *slot[K, V], r Range[K]) error {
	m.seek(&s.at, m.root.Load(), r.Lo)
	if h := s.at.before(); h != nil && !m.endsBy(h, r.Lo) {
		return overlap(r, h.bounds())
	}
	s.raise = false
	if s.at.i < s.at.leaf.n {
		if h := s.at.leaf.ranges[s.at.i].Load(); !m.startsAfter(h, r) {
			return overlap(r, h.bounds())
		}
		return nil
	}
	if s.at.fork() < 0 {
		return nil
	}
	s.next = s.at
	h := s.next.header()
	if !m.startsAfter(h, r) {
		return overlap(r, h.bounds())
	}
	// The gap may reach over the separator between the two leaves, and r with it.
	d := s.next.separatorDepth()
	s.raise = m.compare(r.Hi, s.next.separator(d)) > 0
	return nil
}

// attach puts h into the slot that place found for its bounds.
//
// Preconditions: the caller holds sem for writing, has made pub odd, and h is
// excluded.
func (m *Map[K, V]) attach(s *slot[K, V], h *header[K, V]) {
	if s.raise {
		// Nothing is between the old separator and the new one, so a reader that
		// descends by either misses there, rightly.
		d := s.next.separatorDepth()
		p := m.setSeparator(&s.next, d, s.next.header().lo)
		s.at.nodes[d] = p
	}
	m.insertLeaf(&s.at, h)
	m.length.Add(1)
	m.touch(h)
}

// setSeparator publishes a copy of the node at depth d of c's way, in which the
// separator before the child taken is key.
func (m *Map[K, V]) setSeparator(c *cursor[K, V], d int, key K) *inner[K, V] {
	old := c.nodes[d]
	p := m.newInner(old.level)
	p.copyFrom(old, 0, old.n)
	p.keys[c.at[d]] = key
	m.hintInner(p)
	m.publish(c, d, p)
	m.killInner(old)
	return p
}

// publish puts p in the place of the inner node at depth d of c's way. It is one
// atomic store; a reader descends by the old node or by the new one.
func (m *Map[K, V]) publish(c *cursor[K, V], d int, p *inner[K, V]) {
	if d == 0 {
		m.root.Store(p)
	} else {
		c.nodes[d-1].kids[c.at[d-1]].Store(p)
	}
	c.nodes[d] = p
}

// insertLeaf inserts h at c.
func (m *Map[K, V]) insertLeaf(c *cursor[K, V], h *header[K, V]) {
	old, i, d := c.leaf, c.i, c.depth-1
	if old.n < leafCap {
		l := m.newLeaf()
		l.copyFrom(old, 0, i)
		l.push(h)
		l.append(old, i, old.n)
		m.hintLeaf(l, old)
		invariants.At("rangelock: before a leaf is published")
		c.nodes[d].leaves[c.at[d]].Store(l)
		m.killLeaf(old)
		return
	}
	right := m.newLeaf()
	if i == old.n && c.fork() < 0 {
		// Ranges that come in order fill their leaves: the full leaf stays as it is.
		right.push(h)
		m.hintLeaf(right, old)
		m.insertChild(c, d, child[K, V]{leaf: old}, h.lo, child[K, V]{leaf: right})
		return
	}
	left := m.newLeaf()
	if mid := old.n / 2; i <= mid {
		left.copyFrom(old, 0, i)
		left.push(h)
		left.append(old, i, mid)
		right.copyFrom(old, mid, old.n)
	} else {
		left.copyFrom(old, 0, mid)
		right.copyFrom(old, mid, i)
		right.push(h)
		right.append(old, i, old.n)
	}
	m.hintLeaf(left, old)
	m.hintLeaf(right, old)
	m.insertChild(c, d, child[K, V]{leaf: left}, right.keys[0], child[K, V]{leaf: right})
	m.killLeaf(old)
}

// splitLeaf makes two leaves of c's, with half of its ranges each.
func (m *Map[K, V]) splitLeaf(c *cursor[K, V]) {
	old, mid := c.leaf, c.leaf.n/2
	left, right := m.newLeaf(), m.newLeaf()
	left.copyFrom(old, 0, mid)
	right.copyFrom(old, mid, old.n)
	m.hintLeaf(left, old)
	m.hintLeaf(right, old)
	m.insertChild(c, c.depth-1, child[K, V]{leaf: left}, right.keys[0], child[K, V]{leaf: right})
	m.killLeaf(old)
}

// insertChild makes left the child that c takes at depth d and inserts right after
// it, with key between them. Left is that child already or nobody sees it.
func (m *Map[K, V]) insertChild(c *cursor[K, V], d int, left child[K, V], key K, right child[K, V]) {
	old, at := c.nodes[d], c.at[d]
	if old.n < innerCap {
		p := m.newInner(old.level)
		p.copyFrom(old, 0, old.n)
		p.put(at, left)
		p.insert(at+1, key, right)
		m.hintInner(p)
		m.publish(c, d, p)
		m.killInner(old)
		return
	}
	lower, upper := m.newInner(old.level), m.newInner(old.level)
	mid := old.n / 2
	if at == old.n-1 {
		mid = old.n - 1 // in order: all but the last stay together
	}
	lower.copyFrom(old, 0, mid)
	upper.copyFrom(old, mid, old.n)
	if at < mid {
		lower.put(at, left)
		lower.insert(at+1, key, right)
	} else {
		upper.put(at-mid, left)
		upper.insert(at-mid+1, key, right)
	}
	m.hintInner(lower)
	m.hintInner(upper)
	between := upper.keys[0]
	if d > 0 {
		m.insertChild(c, d-1, child[K, V]{inner: lower}, between, child[K, V]{inner: upper})
	} else {
		root := m.newInner(old.level + 1)
		root.n = 2
		root.keys[1] = between
		root.put(0, child[K, V]{inner: lower})
		root.put(1, child[K, V]{inner: upper})
		m.hintInner(root)
		m.root.Store(root)
	}
	m.killInner(old)
}

// emptyRoot returns the tree of an empty map.
func (m *Map[K, V]) emptyRoot() *inner[K, V] {
	p := m.newInner(1)
	p.n = 1
	p.leaves[0].Store(m.newLeaf())
	return p
}
