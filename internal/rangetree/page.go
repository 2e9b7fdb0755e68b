package rangetree

import (
	"reflect"

	"github.com/spanlock/spanlock/internal/seam"
)

// LeafCap is the number of entries that a leaf can hold.
const LeafCap = slots

// Rest appends to buf the entry at c and those behind it in its leaf. If end is not nil, it
// stops before the first entry that starts at or above end. The tree must not change
// meanwhile.
func (t *Tree[K]) Rest(c *Cursor[K], end *K, buf []*Entry[K]) []*Entry[K] {
	n := c.order.n()
	if end != nil && c.i < n && t.compare(c.leaf.entry(c.order, n-1).Lo, *end) < 0 {
		end = nil // for most leaves of a long walk, one comparison instead of one for each range
	}
	for ; c.i < n; c.i++ {
		e := c.leaf.entry(c.order, c.i)
		if end != nil && t.compare(e.Lo, *end) >= 0 {
			break
		}
		buf = append(buf, e)
	}
	return buf
}

// RestBelow appends to buf the entries before c in its leaf, except those that end at or
// below lo, if lo is not nil. The tree must not change meanwhile.
func (t *Tree[K]) RestBelow(c *Cursor[K], lo *K, buf []*Entry[K]) []*Entry[K] {
	i := c.i
	for i > 0 && (lo == nil || !t.endsBy(c.leaf.entry(c.order, i-1), *lo)) {
		i--
	}
	for ; i < c.i; i++ {
		buf = append(buf, c.leaf.entry(c.order, i))
	}
	return buf
}

// SettledBelow is Settled for walks towards the first entry: it moves c to the previous
// leaf, and reports whether there is one.
func (t *Tree[K]) SettledBelow(c *Cursor[K], buf []*Entry[K]) ([]*Entry[K], bool) {
	buf = t.settled(c, buf)
	return buf, c.previousLeaf()
}

// Settled appends to buf entries of the leaf of c, whatever changes meanwhile. Each of them
// was in the tree at an instant of the call, and those that were in the tree throughout are
// among them. They are in order, and none overlaps another. Settled then moves c to the
// next leaf, and reports whether there is one.
func (t *Tree[K]) Settled(c *Cursor[K], buf []*Entry[K]) ([]*Entry[K], bool) {
	buf = t.settled(c, buf)
	return buf, c.nextLeaf()
}

// settled is Settled without moving c.
func (t *Tree[K]) settled(c *Cursor[K], buf []*Entry[K]) []*Entry[K] {
	first := len(buf)
	for i := range c.order.n() {
		e := c.leaf.entry(c.order, i)
		// The slot may have been used again. An entry that has come into it since is in the
		// tree only once the order says so, and the order is stored after the slot.
		if !c.leaf.now().has(c.order.slot(i)) {
			continue
		}
		at := len(buf)
		for at > first && t.compare(buf[at-1].Lo, e.Lo) > 0 {
			at--
		}
		// An entry that is in the tree throughout overlaps no entry that was in it at any
		// time.
		if at > first && !t.endsBy(buf[at-1], e.Lo) || at < len(buf) && (e.Unbounded() || !t.startsAfter(buf[at], e.Hi)) {
			continue
		}
		buf = append(buf, nil)
		copy(buf[at+1:], buf[at:])
		buf[at] = e
	}
	return buf
}

// has reports whether slot is in use.
func (p order) has(slot int) bool {
	for i := range p.n() {
		if p.slot(i) == slot {
			return true
		}
	}
	return false
}

// Size returns the number of levels, and about how much memory the nodes take.
func (t *Tree[K]) Size() (levels int, bytes int64) {
	root := t.root.Load()
	inners, leaves := root.count()
	node := reflect.TypeFor[inner[K]]().Size() + reflect.TypeFor[[fanout]seam.Pointer[leaf[K]]]().Size()
	if root.keys != nil {
		node += fanout * reflect.TypeFor[K]().Size()
	}
	each := reflect.TypeFor[leaf[K]]().Size()
	if t.kind == texts {
		each = reflect.TypeFor[textLeaf[K]]().Size()
	}
	return root.level + 1, int64(inners)*int64(node) + int64(leaves)*int64(each)
}

// count returns the number of nodes from p down.
func (p *inner[K]) count() (inners, leaves int) {
	if p.level == 1 {
		return 1, p.n
	}
	inners = 1
	for i := range p.n {
		in, l := p.kids[i].Load().count()
		inners += in
		leaves += l
	}
	return inners, leaves
}
