package rangetree

import "github.com/spanlock/spanlock/internal/raw"

// A comparison of two texts follows two pointers, and each of them can be a line that no
// cache has. So nodes have eight bytes of each of their keys: those behind what all of
// them begin with. A search compares these, as numbers.
//
// They are hints. A search that they lead to the wrong place, because the key begins
// otherwise than those in the node do, notices that by the range that it finds, or by the
// keys beside the gap, and searches again by the keys.

// text is what a tree knows of its keys as texts.
type text[K any] struct {
	shared func(a, b K) int             // shared
	hint   func(key K, skip int) uint64 // hint
}

// useHints makes a tree search by hints if it is one of texts. It is outlined, and not
// generic, so that the code for texts is compiled here and not for every kind of keys.
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

// shared returns how many bytes a and b have in common at their beginning.
func shared[K string | []byte](a, b K) int {
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

// rehint gives l, which nobody else sees, its hints anew.
func (t *Tree[K]) rehint(l *leaf[K]) {
	p := l.now()
	n := p.n()
	if t.kind != texts || n == 0 {
		return
	}
	t.hintBehind(l, t.text.shared(l.entry(p, 0).Lo, l.entry(p, n-1).Lo))
}

// hintBehind gives l, which nobody else sees, hints of what stands behind so many bytes, with
// which all of its keys begin.
func (t *Tree[K]) hintBehind(l *leaf[K], skip int) {
	raw.Outer[textLeaf[K]](l).skip = skip
	p := l.now()
	for i := range p.n() {
		l.keys[p.slot(i)].Store(t.text.hint(l.entry(p, i).Lo, skip))
	}
}
