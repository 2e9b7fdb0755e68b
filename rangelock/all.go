package rangelock

import (
	"fmt"
	"iter"
	"slices"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
)

// item is a range that was read while pinned, to be yielded when not.
type item[K, V any] struct {
	r Range[K]
	v V
}

// All yields the attached ranges with their values in key order, without a guard: OnRetire may
// have freed what a value refers to before the body sees it, or may do so while the body
// uses it. In a map with an OnRetire use [Map.Guards], or a [Reader]'s Overlapping.
//
// It takes no lock and never waits: while others change the map it yields what it finds,
// each range at most once, none that overlaps another, and each was attached at some instant
// of the iteration, be it by a transaction that has not ended. It is not a snapshot, and
// a gap between two ranges need never have been there; a Reader's Overlapping shows one
// state. The body may use the map, also to change it.
//
// It allocates nothing where the compiler sees the call and the loop over its result
// together; otherwise, as behind an interface, one closure. Where 15 ranges with their
// values are more than the compiler puts into a local variable, which is 128 KiB, each
// loop allocates room for them.
//
// It panics when the next range does not end above the last one: then a key's memory was
// changed after the map had got it, or the map's comparison is no order. It looks once in
// at most 15 ranges.
func (m *Map[K, V]) All() iter.Seq2[Range[K], V] {
	return func(yield func(Range[K], V) bool) { m.walkAll("All", yield) }
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

// page is ranges of one leaf.
type page[K, V any] struct {
	items [rangetree.LeafCap]item[K, V]
	n     int
}

// walkAll is the loop of All, for method.
func (m *Map[K, V]) walkAll(method string, yield func(Range[K], V) bool) {
	m.mustBeMade()
	var p page[K, V]
	var none K
	m.read(&p, fromFirst, none, nil)
	if debug && p.n > 0 {
		m.handsOut(method)
	}
	m.walk(&p, nil, holder[K, V]{}, yield)
}

// overlapping is the loop of Overlapping.
func (m *Map[K, V]) overlapping(r Range[K], o holder[K, V], yield func(Range[K], V) bool) {
	o.check()
	if !m.valid(r) {
		return
	}
	var p page[K, V]
	var end *K
	if !r.Unbounded {
		end = &r.Hi
	}
	m.read(&p, fromOverlap, r.Lo, end)
	if debug && p.n > 0 && o == (holder[K, V]{}) {
		m.handsOut("AllIn") // beside a Writer or a Reader nothing leaves
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
		m.read(p, fromStart, last.Hi, end)
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

// from says which range a page begins with.
type from int

const (
	fromFirst   from = iota // the first of all
	fromOverlap             // the first that ends after a key
	fromStart               // the first that starts at or after a key
)

// read reads the ranges of one leaf, while pinned.
func (m *Map[K, V]) read(p *page[K, V], at from, key K, end *K) {
	pin := m.domain.Pin()
	defer pin.Unpin() // compare may panic, and a key be in memory that cannot be read
	var buf [rangetree.LeafCap]*rangetree.Entry[K]
	p.fill(m.leafFrom(buf[:0], at, key, end))
}

// fill copies what is in the entries of a leaf. The caller is pinned.
func (p *page[K, V]) fill(es []*rangetree.Entry[K]) {
	for i, e := range es {
		h := headerOf[K, V](e)
		p.items[i] = item[K, V]{h.bounds(), h.value}
	}
	p.n = len(es)
}

// leafFrom appends to buf ranges of one leaf: those from at on that start below end, if
// that is not nil. If there are none it appends those of the next leaf that has some.
//
// While a writer changes the tree, a slot of a leaf may be used for another range between
// two looks. Then all of the leaf is looked at, and what does not belong is left out.
//
// Preconditions: the caller is pinned.
func (m *Map[K, V]) leafFrom(buf []*rangetree.Entry[K], at from, key K, end *K) []*rangetree.Entry[K] {
	seq := m.pub.Load()
	var c rangetree.Cursor[K]
	switch at {
	case fromFirst:
		m.tree.First(&c)
	case fromOverlap:
		m.tree.SeekOverlap(&c, key)
	case fromStart:
		m.tree.SeekFrom(&c, key)
	}
	found := m.tree.Rest(&c, end, buf)
	invariants.At("rangelock: leaf read")
	if m.proveMiss(seq) == missed {
		return found
	}
	if at == fromFirst {
		m.tree.First(&c)
	} else {
		m.tree.SeekLeaf(&c, key)
	}
	for more := true; more; {
		found, more = m.tree.Settled(&c, buf)
		found = slices.DeleteFunc(found, func(e *rangetree.Entry[K]) bool {
			return at == fromOverlap && !e.Unbounded() && m.compare(e.Hi, key) <= 0 ||
				at == fromStart && m.compare(e.Lo, key) < 0 ||
				end != nil && m.compare(e.Lo, *end) >= 0
		})
		if len(found) > 0 {
			return found
		}
	}
	return buf
}
