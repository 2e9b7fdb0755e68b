package rangelock

import (
	"fmt"
	"iter"
	"slices"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
)

// This file walks over the map without guards, in key order: All, and Overlapping of a Writer and
// a Reader. A walk reads one leaf at a time while it is pinned, and yields its ranges while it is
// not. It changes nothing. backward.go has the walks in the other direction.

// item is a range that was read while pinned, to be yielded when not pinned.
type item[K, V any] struct {
	r Range[K]
	v V
}

// All yields the attached ranges with their values in key order, without guards: OnRetire may have
// freed what a value refers to before the body sees it, or may free it while the body uses it. In
// a map with an OnRetire use [Map.Guards], or Overlapping of a [Reader].
//
// All takes no lock and never waits. While other goroutines change the map it yields what it
// finds: each range at most once, and none that overlaps another. Each range was attached at some
// instant of the iteration, perhaps by a transaction that has not ended. All is not a snapshot, and
// between two ranges that it yields there may never have been a gap. Overlapping of a Reader yields
// one state of the map. The body may use the map, and may change it.
//
// All allocates nothing if the compiler sees the call and the loop over its result together. If
// not, for example behind an interface, it allocates one closure. If 15 ranges with their values
// are larger than the largest local variable, which is 128 KiB, each loop allocates room for them.
//
// All panics if the next range does not end above the last one. Then the memory of a key was
// changed after the map got the key, or the map's comparison is not an order. It checks this once
// in at most 15 ranges.
func (m *Map[K, V]) All() iter.Seq2[Range[K], V] {
	return func(yield func(Range[K], V) bool) { m.walkAll("All", yield) }
}

// Overlapping yields the attached ranges that overlap r, each as a whole, with their values, in
// key order. None overlaps another. It sees what the transaction has done so far. The body may go
// on with the transaction. Of the ranges ahead that the body inserts or removes, some are yielded
// and some are not, because several ranges are read at a time. The body must not end the
// transaction and continue. If r is not valid Overlapping yields nothing. It allocates, and
// panics, as [Map.All] does.
func (w Writer[K, V]) Overlapping(r Range[K]) iter.Seq2[Range[K], V] {
	w.mayWalk()
	return func(yield func(Range[K], V) bool) { w.overlapping(r, yield) }
}

// mayWalk and overlapping are the two halves of Overlapping. It must be so small that it is
// inlined, because then its result is not allocated. The same holds for those of a Reader.
//
//go:noinline
func (w Writer[K, V]) mayWalk() { w.check("Overlapping") }

func (w Writer[K, V]) overlapping(r Range[K], yield func(Range[K], V) bool) {
	w.m.overlapping(r, holder[K, V]{w: w}, yield)
}

// holder is the Writer or the Reader during which a walk takes place, or neither. It is not a
// function or an interface because those would be allocated.
type holder[K, V any] struct {
	w Writer[K, V]
	r Reader[K, V]
}

// check panics if the Writer or the Reader has ended.
func (o *holder[K, V]) check() {
	if o.w.m != nil {
		o.w.check("Overlapping")
	} else if o.r.t != nil {
		o.r.check("Overlapping")
	}
}

// page is some ranges of one leaf.
type page[K, V any] struct {
	items [rangetree.LeafCap]item[K, V]
	n     int
}

// walkAll is the loop of All, on behalf of method.
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
		m.handsOut("AllIn") // no range leaves while there is a Writer or a Reader
	}
	m.walk(&p, end, o, yield)
}

// walk yields the ranges in p, and then those after them up to end, or all if end is nil. It reads
// a leaf while pinned and yields it when not pinned.
//
// It seeks the next leaf by the end of the last range. A range that was inserted since, and starts
// before that end, is passed over: it would overlap a range that was yielded. A range that is
// attached during the whole walk is never passed over, because it is disjoint from those that were
// yielded.
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
		// The walk ends, whatever has happened to the keys, because the ends of the leaves rise.
		if p.n > 0 {
			m.mustRise(last, p.items[p.n-1].r)
		}
	}
}

// mustRise panics unless next ends above last, which was yielded before it.
func (m *Map[K, V]) mustRise(last, next Range[K]) {
	if !next.Unbounded && m.compare(next.Hi, last.Hi) <= 0 {
		walkedBack(last, next)
	}
}

// walkedBack panics. It is outlined because correct programs never call it.
//
//go:noinline
func walkedBack[K any](last, next Range[K]) {
	panic(fmt.Sprintf("rangelock: a walk has come to %v after it had yielded %v: the memory of a key was changed after the map had got it, or the map's comparison is no order",
		next, last))
}

// from says with which range a page begins.
type from int

const (
	fromFirst   from = iota // the first of all
	fromOverlap             // the first that ends after a key
	fromStart               // the first that starts at or after a key
)

// read reads ranges of one leaf into p, while pinned.
func (m *Map[K, V]) read(p *page[K, V], at from, key K, end *K) {
	pin := m.domain.Pin()
	defer pin.Unpin() // compare may panic, and a key may be in memory that cannot be read
	var buf [rangetree.LeafCap]*rangetree.Entry[K]
	p.fill(m.leafFrom(buf[:0], at, key, end))
}

// fill copies the entries of a leaf into p.
//
// Preconditions: the caller is pinned.
func (p *page[K, V]) fill(es []*rangetree.Entry[K]) {
	for i, e := range es {
		h := headerOf[K, V](e)
		p.items[i] = item[K, V]{h.bounds(), h.value}
	}
	p.n = len(es)
}

// leafFrom appends to buf ranges of one leaf: those from the position at on, and below end if end
// is not nil. If the leaf has none it appends those of the next leaf that has some.
//
// While a writer changes the tree, it may use a slot of a leaf for another range between two
// loads. Then leafFrom looks at the whole leaf, and leaves out what does not belong.
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
