package rangelock

import (
	"fmt"
	"iter"
)

// item is a range that was read while pinned, to be yielded when not.
type item[K, V any] struct {
	r Range[K]
	v V
}

// All yields the attached ranges with their values in key order. It takes no lock
// and never waits: while others change the map it yields what it finds, each range
// at most once, none that overlaps another, and each was attached at some instant
// of the iteration, be it by a transaction that has not ended. It is not a
// snapshot, and a gap between two ranges need never have been there; a [Reader]'s
// Overlapping shows one state.
//
// It leaves no guard, so a value may be retired before the body sees it or while it
// uses it; the body may use the map, also to change it.
//
// It allocates nothing where the compiler sees the call and the loop over its result
// together; otherwise, as behind an interface, one closure. Where 32 ranges with their
// values are more than the compiler puts into a local variable, which is 128 KiB, each
// loop allocates room for them.
//
// It panics when the next range does not end above the last one: then a key's memory was
// changed after the map had got it, or the map's comparison is no order. It looks once in
// at most 32 ranges.
func (m *Map[K, V]) All() iter.Seq2[Range[K], V] {
	return func(yield func(Range[K], V) bool) { m.walkAll(yield) }
}

// Overlapping yields the attached ranges that overlap r, the whole of each, with
// their values, in key order, none that overlaps another. It sees what the transaction
// has done. The body may go on with the transaction: of the ranges ahead that it inserts
// or takes out, some are yielded and some not, since several are read at a time. It must
// not end the transaction and go on. If r is not valid Overlapping yields nothing. It
// allocates, and panics, as [Map.All] does.
func (w Writer[K, V]) Overlapping(r Range[K]) iter.Seq2[Range[K], V] {
	w.mayWalk()
	return func(yield func(Range[K], V) bool) { w.overlapping(r, yield) }
}

// mayWalk and overlapping are the two halves of Overlapping, which has to be so small
// that it is inlined: then what it returns is not allocated. So are those of a Reader.
//
//go:noinline
func (w Writer[K, V]) mayWalk() { w.check("Overlapping") }

func (w Writer[K, V]) overlapping(r Range[K], yield func(Range[K], V) bool) {
	w.m.overlapping(r, holder[K, V]{w: w}, yield)
}

// holder is the Writer or the Reader in whose time a walk takes place, or neither. It is
// no function and no interface: those would be allocated.
type holder[K, V any] struct {
	w Writer[K, V]
	r Reader[K, V]
}

// check panics if that has ended.
func (o *holder[K, V]) check() {
	if o.w.m != nil {
		o.w.check("Overlapping")
	} else if o.r.t != nil {
		o.r.check("Overlapping")
	}
}

// page is the ranges of one leaf from some place on.
//
// The ranges are disjoint, although a writer may store into the leaf's slots while they
// are read. A slot's low bound never changes, so a new range in a slot starts where the
// old one did. It ends at or before the low bound of the next slot, too: that slot has a
// range for as long as the leaf is in the tree, and nobody stores into a leaf that has
// left the tree.
type page[K, V any] struct {
	items [leafCap]item[K, V]
	n     int
}

// walkAll is the loop of All.
func (m *Map[K, V]) walkAll(yield func(Range[K], V) bool) {
	m.mustBeMade()
	var p page[K, V]
	m.readFirst(&p)
	m.walk(&p, nil, holder[K, V]{}, yield)
}

// overlapping is the loop of Overlapping.
func (m *Map[K, V]) overlapping(r Range[K], o holder[K, V], yield func(Range[K], V) bool) {
	o.check()
	if !m.valid(r) {
		return
	}
	var p page[K, V]
	m.readOverlap(&p, r)
	var end *K
	if !r.Unbounded {
		end = &r.Hi
	}
	m.walk(&p, end, o, yield)
}

// walk yields the ranges in p, and then those behind them as far as end, or all if that
// is nil. It reads a leaf while pinned and yields it when not.
//
// The next leaf is sought by where the last range ended. What has been put there since
// and starts before that is passed over: it would overlap what was yielded. A range that
// is attached during the whole walk is not, since it is disjoint from each of those.
func (m *Map[K, V]) walk(p *page[K, V], end *K, o holder[K, V], yield func(Range[K], V) bool) {
	for p.n > 0 {
		for i := range p.n {
			if it := &p.items[i]; !yield(it.r, it.v) {
				return
			}
			o.check()
		}
		last := p.items[p.n-1].r
		if last.Unbounded {
			return
		}
		m.readAfter(p, last.Hi, end)
		// Ends of leaves that rise make the walk end, whatever has become of the keys.
		if p.n > 0 {
			m.mustRise(last, p.items[p.n-1].r)
		}
	}
}

// mustRise panics unless next ends above last, which a walk has yielded before.
func (m *Map[K, V]) mustRise(last, next Range[K]) {
	if !next.Unbounded && m.compare(next.Hi, last.Hi) <= 0 {
		walkedBack(last, next)
	}
}

// walkedBack panics. It is outlined: it is never on the way.
//
//go:noinline
func walkedBack[K any](last, next Range[K]) {
	panic(fmt.Sprintf("rangelock: a walk has come to %v after it had yielded %v: the memory of a key was changed after the map had got it, or the map's comparison is no order",
		next, last))
}

// readFirst reads the first leaf.
func (m *Map[K, V]) readFirst(p *page[K, V]) {
	pin := m.domain.Pin()
	defer pin.Unpin() // a key may be in memory that cannot be read
	var c cursor[K, V]
	c.first(m.root.Load())
	p.read(&c, c.leaf.n)
}

// readOverlap reads a leaf from the first range that overlaps r.
func (m *Map[K, V]) readOverlap(p *page[K, V], r Range[K]) {
	pin := m.domain.Pin()
	defer pin.Unpin() // compare may panic
	var c cursor[K, V]
	m.seekOverlap(&c, m.root.Load(), r.Lo)
	n := c.leaf.n
	if !r.Unbounded {
		n = m.below(&c, r.Hi)
	}
	p.read(&c, n)
}

// readAfter reads a leaf from the first range that starts at or after key, as far as end
// if that is not nil.
func (m *Map[K, V]) readAfter(p *page[K, V], key K, end *K) {
	pin := m.domain.Pin()
	defer pin.Unpin() // compare may panic
	var c cursor[K, V]
	m.seekFrom(&c, m.root.Load(), key)
	n := c.leaf.n
	if end != nil {
		n = m.below(&c, *end)
	}
	p.read(&c, n)
}

// read reads the ranges from c up to index n of its leaf.
//
// Preconditions: the caller is pinned.
func (p *page[K, V]) read(c *cursor[K, V], n int) {
	p.n = 0
	for ; c.i < n; c.i++ {
		h := c.leaf.ranges[c.i].Load()
		p.items[p.n] = item[K, V]{h.bounds(), h.value}
		p.n++
	}
}

// seekFrom places c at the first range that starts at or after key, or behind the last
// range.
//
// Preconditions: the caller is pinned.
func (m *Map[K, V]) seekFrom(c *cursor[K, V], root *inner[K, V], key K) {
	m.seek(c, root, key)
	if c.i > 0 && m.compare(c.leaf.keys[c.i-1], key) == 0 {
		c.i--
		return
	}
	c.header()
}

// below returns the index in c's leaf up to which ranges start below end: for most leaves
// of a long walk one comparison, and not one a range.
//
// Preconditions: the caller is pinned.
func (m *Map[K, V]) below(c *cursor[K, V], end K) int {
	n := c.leaf.n
	if n <= c.i || m.compare(c.leaf.keys[n-1], end) < 0 {
		return n
	}
	n = c.i + m.upper(c.leaf.keys[c.i:n], end)
	if n > c.i && m.compare(c.leaf.keys[n-1], end) == 0 {
		n--
	}
	return n
}
