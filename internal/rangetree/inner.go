package rangetree

import "github.com/spanlock/spanlock/internal/seam"

// inner holds up to fanout children: leaves in level 1, inner nodes above. Once it is
// published, only its child pointers change. Any other change copies the node and publishes
// the copy with one store.
type inner[K any] struct {
	level int // 1 above the leaves
	codes     // of the separators, or their hints

	keys []K // the separators; nil where codes are enough
	skip int // bytes of a text before those in its hint

	kids   *[fanout]seam.Pointer[inner[K]] // level > 1; stored by the writer
	leaves *[fanout]seam.Pointer[leaf[K]]  // level 1; stored by the writer
}

// newInner returns an unpublished node without children.
func (t *Tree[K]) newInner(level int) *inner[K] {
	var p *inner[K]
	// The node and its array of children are one object.
	if level == 1 {
		x := new(struct {
			inner[K]
			below [fanout]seam.Pointer[leaf[K]]
		})
		p, x.leaves = &x.inner, &x.below
	} else {
		x := new(struct {
			inner[K]
			below [fanout]seam.Pointer[inner[K]]
		})
		p, x.kids = &x.inner, &x.below
	}
	p.level = level
	if t.kind != words {
		p.keys = make([]K, fanout)
	}
	return p
}

// separator is a key between two children.
type separator[K any] struct {
	code uint64 // where keys are words
	key  K      // elsewhere
}

// separatorOf returns the low bound of entry i of l.
func (t *Tree[K]) separatorOf(l *leaf[K], i int) (s separator[K]) {
	p := l.now()
	if t.kind == words {
		s.code = l.key(p, i)
	} else {
		s.key = l.entry(p, i).Lo
	}
	return s
}

// separator returns the separator before child i.
func (p *inner[K]) separator(i int) (s separator[K]) {
	s.code = p.codes.keys[i]
	if p.keys != nil {
		s.key = p.keys[i]
	}
	return s
}

// setSeparator sets the separator before child i of p, which is unpublished.
func (p *inner[K]) setSeparator(i int, s separator[K]) {
	p.codes.keys[i] = s.code
	if p.keys != nil {
		p.keys[i] = s.key
	}
}

// append adds src's children [i, j) to p, which is unpublished.
func (p *inner[K]) append(src *inner[K], i, j int) {
	if p.level == 1 {
		copy(p.leaves[p.n:], src.leaves[i:j])
	} else {
		copy(p.kids[p.n:], src.kids[i:j])
	}
	if p.keys != nil {
		copy(p.keys[p.n:], src.keys[i:j])
	}
	p.n += copy(p.codes.keys[p.n:], src.codes.keys[i:j])
}

// copyOf returns an unpublished node with src's children [i, j).
func (t *Tree[K]) copyOf(src *inner[K], i, j int) *inner[K] {
	p := t.newInner(src.level)
	p.append(src, i, j)
	return p
}

// insert puts c in as child i of p, with the separator s before it. p is unpublished and
// has room.
func (p *inner[K]) insert(i int, s separator[K], c child[K]) {
	if p.level == 1 {
		copy(p.leaves[i+1:p.n+1], p.leaves[i:p.n])
	} else {
		copy(p.kids[i+1:p.n+1], p.kids[i:p.n])
	}
	copy(p.codes.keys[i+1:p.n+1], p.codes.keys[i:p.n])
	if p.keys != nil {
		copy(p.keys[i+1:p.n+1], p.keys[i:p.n])
	}
	p.n++
	p.setSeparator(i, s)
	p.put(i, c)
}

// remove removes child i of p, which is unpublished.
func (p *inner[K]) remove(i int) {
	if p.level == 1 {
		copy(p.leaves[i:], p.leaves[i+1:p.n])
	} else {
		copy(p.kids[i:], p.kids[i+1:p.n])
	}
	copy(p.codes.keys[i:], p.codes.keys[i+1:p.n])
	if p.keys != nil {
		copy(p.keys[i:], p.keys[i+1:p.n])
	}
	p.n--
	var none separator[K]
	p.setSeparator(p.n, none)
	p.put(p.n, child[K]{})
}

// seal completes p: after it p can be searched.
func (t *Tree[K]) seal(p *inner[K]) {
	if t.kind == texts && p.n > 1 { // with one child it is not searched
		p.skip = t.text.shared(p.keys[1], p.keys[p.n-1])
		for i := 1; i < p.n; i++ {
			p.codes.keys[i] = t.text.hint(p.keys[i], p.skip)
		}
	}
	if t.kind != others {
		p.codes.seal()
	}
}

// child is a node below an inner node: a leaf or an inner node.
type child[K any] struct {
	leaf  *leaf[K]
	inner *inner[K]
}

// none reports whether there is no node.
func (c child[K]) none() bool { return c.leaf == nil && c.inner == nil }

// size returns how many entries or children the node has, and how many fit.
func (c child[K]) size() (n, room int) {
	if c.leaf != nil {
		return c.leaf.now().n(), slots
	}
	return c.inner.n, fanout
}

// child returns child i.
func (p *inner[K]) child(i int) child[K] {
	if p.level == 1 {
		return child[K]{leaf: p.leaves[i].Load()}
	}
	return child[K]{inner: p.kids[i].Load()}
}

// put makes c child i. In a published node this publishes c; it pairs with the loads of a
// reader's descent.
func (p *inner[K]) put(i int, c child[K]) {
	if p.level == 1 {
		p.leaves[i].Store(c.leaf)
	} else {
		p.kids[i].Store(c.inner)
	}
}
