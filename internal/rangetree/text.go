package rangetree

import "github.com/spanlock/spanlock/internal/raw"

// A comparison of two texts follows two pointers, and each may lead to a line that is in no
// cache. So nodes hold eight bytes of each of their keys: those behind the bytes with which
// all keys of the node begin. A search compares these eight bytes, as a number.
//
// They are hints. They lead a search to the wrong place if the key begins otherwise than
// the keys of the node. The search notices that by the range that it finds, or by the keys
// beside the gap, and then searches again by whole keys.

// text holds what a tree of texts calls.
type text[K any] struct {
	shared func(a, b K) int             // the function shared
	hint   func(key K, skip int) uint64 // the function hint
}

// useHints makes a tree search by hints if its keys are texts. It is outlined and not
// generic, so that the code for texts is compiled here, and not for every type of key.
//
//go:noinline
func useHints(tree any) {
	switch t := tree.(type) {
	case *Tree[string]:
		useText(t)
	case *Tree[[]byte]:
		useText(t)
	}
}

// useText makes t search by hints.
func useText[K string | []byte](t *Tree[K]) {
	t.kind, t.find = texts, findText[K]
	t.text = &text[K]{shared[K], hint[K]}
}

// shared returns the length of the common prefix of a and b.
func shared[K string | []byte](a, b K) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// hint returns the eight bytes of key behind the first skip bytes, as a number with the
// first of the eight in the highest bits. It has zeros behind the end of key. Of two keys
// with the same first skip bytes, the one with the smaller hint is the smaller one.
func hint[K string | []byte](key K, skip int) uint64 {
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

// atMost reports whether a is at or below b.
func atMost[K string | []byte](a, b K) bool { return string(a) <= string(b) }

// rehint computes the hints of l, which is unpublished, anew.
func (t *Tree[K]) rehint(l *leaf[K]) {
	p := l.now()
	n := p.n()
	if t.kind != texts || n == 0 {
		return
	}
	t.hintBehind(l, t.text.shared(l.entry(p, 0).Lo, l.entry(p, n-1).Lo))
}

// hintBehind gives l, which is unpublished, hints of the bytes behind the first skip bytes.
// All keys of l have the same first skip bytes.
func (t *Tree[K]) hintBehind(l *leaf[K], skip int) {
	raw.Outer[textLeaf[K]](l).skip = skip
	p := l.now()
	for i := range p.n() {
		l.keys[p.slot(i)].Store(t.text.hint(l.entry(p, i).Lo, skip))
	}
}
