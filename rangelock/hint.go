package rangelock

import (
	"bytes"
	"reflect"
)

// A comparison of two texts follows two pointers, and each of them can be a line that
// no cache has. So in maps whose keys are strings, or byte slices in the order of
// bytes.Compare, a node keeps eight bytes of each of its keys beside the keys: those
// behind what all of them begin with. A search compares these, as numbers.
//
// They are hints. A search that they lead to the wrong place, because the key begins
// otherwise than those in the node do, notices that by the range that it finds, or by
// the keys beside the gap, and searches again by the keys. So no hint can make an
// answer wrong, and a node may lack them.
//
// The idea is that of the abbreviated keys of PostgreSQL's sort and of the prefix B-tree
// (Bayer and Unterauer, 1977).

// text is the kinds of keys that have hints.
type text interface{ string | []byte }

// hinting is what a map knows of its keys as texts. It depends on the type of the keys
// alone, so that a program has two of them, whatever its values are.
type hinting[K any] struct {
	floor  func(keys []K, hints []uint64, skip int, key K) int // floorText
	upper  func(keys []K, key K) int                           // upperText
	atMost func(a, b K) bool                                   // atMost
	shared func(a, b K) int                                    // shared
	hint   func(key K, skip int) uint64                        // hint
}

// hintingOf returns what is known of keys of type K, or nil if they have no hints.
func hintingOf[K any]() *hinting[K] {
	o := new(hinting[K])
	switch o := any(o).(type) {
	case *hinting[string]:
		*o = textHinting[string]()
	case *hinting[[]byte]:
		*o = textHinting[[]byte]()
	default:
		return nil
	}
	return o
}

// textHinting returns the functions below, for keys of type K.
func textHinting[K text]() hinting[K] {
	return hinting[K]{floorText[K], upperText[K], atMost[K], shared[K], hint[K]}
}

// useHints makes m search by hints if the type of its keys is one that has them.
//
// Preconditions: m's order is the language's own, or that of bytes.Compare.
func (m *Map[K, V]) useHints() {
	if m.hinting = hintingOf[K](); m.hinting != nil {
		m.find = findText[K, V](m.hinting)
		m.upper = m.hinting.upper
	}
}

// isBytesCompare reports whether compare is bytes.Compare. No other function has its
// address: it is no closure.
func isBytesCompare[K any](compare func(a, b K) int) bool {
	f, ok := any(compare).(func(a, b []byte) int)
	return ok && reflect.ValueOf(f).Pointer() == reflect.ValueOf(bytes.Compare).Pointer()
}

// hintLeaf gives l, which nobody else sees, its hints. Those of ranges that are in old,
// too, need not be made anew.
//
// Preconditions: the ranges that are in both are in the same order.
func (m *Map[K, V]) hintLeaf(l, old *leaf[K, V]) {
	o := m.hinting
	if o == nil || l.n == 0 {
		return
	}
	if l.hints == nil {
		l.hints = make([]uint64, leafCap)
	}
	common := o.shared(l.keys[0], l.keys[l.n-1])
	known := 0 // ranges of old before this one have been passed, or are not in l
	if l.skip = common; old.hints == nil || old.skip > common || old.skip < common-2 {
		known = old.n
	} else {
		l.skip = old.skip
	}
next:
	for i := range l.n {
		h := l.ranges[i].Load()
		for j := known; j < old.n; j++ {
			if old.ranges[j].Load() == h {
				l.hints[i] = old.hints[j]
				known = j + 1
				continue next
			}
		}
		l.hints[i] = o.hint(l.keys[i], l.skip)
	}
}

// hintInner gives p, which nobody else sees, its hints.
func (m *Map[K, V]) hintInner(p *inner[K, V]) {
	o := m.hinting
	if o == nil || p.n < 2 { // with one child it is not searched
		return
	}
	if p.hints == nil {
		p.hints = make([]uint64, innerCap)
	}
	p.skip = o.shared(p.keys[1], p.keys[p.n-1])
	for i := 1; i < p.n; i++ {
		p.hints[i] = o.hint(p.keys[i], p.skip)
	}
}

// shared returns how many bytes a and b have in common at their beginning.
func shared[K text](a, b K) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// hint returns eight bytes of key as a number, the first one in its highest bits; skip is
// how many bytes are before them. Where key ends there are zeros. Of two keys that begin
// with the same skip bytes the one with the smaller hint is the smaller one.
func hint[K text](key K, skip int) uint64 {
	if len(key) >= skip+8 {
		k := key[skip : skip+8]
		return uint64(k[7]) | uint64(k[6])<<8 | uint64(k[5])<<16 | uint64(k[4])<<24 |
			uint64(k[3])<<32 | uint64(k[2])<<40 | uint64(k[1])<<48 | uint64(k[0])<<56
	}
	var w uint64
	for i := skip; i < len(key); i++ {
		w |= uint64(key[i]) << (56 - 8*(i-skip))
	}
	return w
}

// findText returns a function that does for texts what findOrdered does.
func findText[K, V any](o *hinting[K]) func(*inner[K, V], K) *header[K, V] {
	return func(root *inner[K, V], key K) *header[K, V] {
		in := root
		for in.level > 1 {
			in = in.kids[o.floor(in.keys[:in.n], in.hints, in.skip, key)&(innerCap-1)].Load()
		}
		l := in.leaves[o.floor(in.keys[:in.n], in.hints, in.skip, key)&(innerCap-1)].Load()
		i := o.floor(l.keys[:l.n], l.hints, l.skip, key)
		h := l.ranges[i&(leafCap-1)].Load()
		if h == nil || !o.atMost(h.lo, key) {
			return findByKeys(o, root, key)
		}
		if h.unbounded || !o.atMost(h.hi, key) {
			return h
		}
		if i+1 < l.n && !o.atMost(l.keys[(i+1)&(leafCap-1)], key) {
			return nil // it is between two neighbours: no other way would have led elsewhere
		}
		return findByKeys(o, root, key)
	}
}

// findByKeys is what findText does without hints.
func findByKeys[K, V any](o *hinting[K], root *inner[K, V], key K) *header[K, V] {
	in := root
	for {
		at := o.upper(in.keys[1:in.n], key)
		if in.level > 1 {
			in = in.kids[at&(innerCap-1)].Load()
			continue
		}
		l := in.leaves[at&(innerCap-1)].Load()
		i := o.upper(l.keys[:l.n], key) - 1
		if i < 0 {
			return nil
		}
		h := l.ranges[i&(leafCap-1)].Load()
		if h != nil && o.atMost(h.lo, key) && (h.unbounded || !o.atMost(h.hi, key)) {
			return h
		}
		return nil
	}
}

// floorText returns the last of the keys that is at or below key, where the first stands
// for the lower end. If key does not begin as all of them do it may return any.
func floorText[K text](keys []K, hints []uint64, skip int, key K) int {
	if len(hints) < len(keys) {
		return max(upperText(keys, key)-1, 0)
	}
	w := hint(key, skip)
	base, n := 0, len(keys)
	for n > 1 {
		half := n >> 1
		base += half & -one(hints[base+half] <= w)
		n -= half
	}
	if base > 0 && hints[base] == w && !atMost(keys[base], key) {
		return max(upperText(keys, key)-1, 0)
	}
	return base
}

// atMost reports whether a is at or below b.
func atMost[K text](a, b K) bool { return string(a) <= string(b) }

// upperText returns how many of the sorted keys are at or below key.
func upperText[K text](keys []K, key K) int {
	lo, hi := 0, len(keys)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if atMost(keys[mid], key) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
