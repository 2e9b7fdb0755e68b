package rangetree

import "fmt"

// Verify checks every node of t, and returns an error that says what is wrong, or nil. It
// is for tests.
//
// Preconditions: t does not change meanwhile.
func (t *Tree[K]) Verify() error {
	v := verifier[K]{t: t}
	root := t.root.Load()
	v.checkInner(root, root.level, nil, nil)
	if v.err == nil && v.leaves > 1 && v.empty > 0 {
		v.fail("%d empty leaves of %d", v.empty, v.leaves)
	}
	if v.err == nil && root.level > 1 && root.n == 1 {
		v.fail("a root with one child that is no leaf")
	}
	return v.err
}

// verifier is one pass of Verify.
type verifier[K any] struct {
	t             *Tree[K]
	last          *Entry[K]
	leaves, empty int
	err           error
}

func (v *verifier[K]) fail(format string, args ...any) {
	if v.err == nil {
		v.err = fmt.Errorf("rangetree: "+format, args...)
	}
}

// checkInner checks p, whose keys are in [lo, hi). A nil bound is no bound.
func (v *verifier[K]) checkInner(p *inner[K], level int, lo, hi *separator[K]) {
	if p.level != level || p.n < 1 || p.n > fanout {
		v.fail("inner node with %d children, level %d in level %d", p.n, p.level, level)
		return
	}
	for i := range p.n {
		from, to := lo, hi
		if i > 0 {
			s := p.separator(i)
			from = &s
			if v.t.kind == texts {
				if got, want := p.codes.keys[i], v.t.text.hint(p.keys[i], p.skip); got != want {
					v.fail("separator %v has hint %x, not %x", p.keys[i], got, want)
				}
			}
			if v.t.kind != others && v.descent(p, s) != i {
				v.fail("separator %d of %d does not lead to its child, but to %d", i, p.n, v.descent(p, s))
			}
		}
		if i+1 < p.n {
			s := p.separator(i + 1)
			to = &s
		}
		if from != nil && to != nil && v.compare(*from, *to) >= 0 {
			v.fail("separators %v and %v", *from, *to)
		}
		if level > 1 {
			v.checkInner(p.kids[i].Load(), level-1, from, to)
		} else {
			v.checkLeaf(p.leaves[i].Load(), from, to)
		}
	}
}

// descent returns where a search for s goes in p, by numbers.
func (v *verifier[K]) descent(p *inner[K], s separator[K]) int {
	i := p.codes.child(s.code)
	if v.t.kind == texts {
		for i = p.codes.child(v.t.text.hint(s.key, p.skip)); i > 0 && v.t.compare(p.keys[i], s.key) > 0; i-- {
		}
	}
	return i
}

func (v *verifier[K]) compare(a, b separator[K]) int {
	if v.t.kind != words {
		return v.t.compare(a.key, b.key)
	}
	switch {
	case a.code < b.code:
		return -1
	case a.code > b.code:
		return 1
	}
	return 0
}

// checkLeaf checks l, whose keys are in [lo, hi).
func (v *verifier[K]) checkLeaf(l *leaf[K], lo, hi *separator[K]) {
	p := l.now()
	v.leaves++
	if p.n() == 0 {
		v.empty++
	}
	seen := 0
	for i := range 15 {
		seen |= 1 << p.slot(i)
	}
	if p.n() > slots || seen != 1<<15-1 {
		v.fail("order %016x is no permutation", uint64(p))
		return
	}
	for i := p.n(); i < slots; i++ {
		if l.key(p, i) != free {
			v.fail("free slot %d has key %x", p.slot(i), l.key(p, i))
		}
	}
	for i := range p.n() {
		v.checkEntry(l, l.entry(p, i), l.key(p, i), lo, hi)
	}
}

// checkEntry checks e, an entry of l whose key is key.
func (v *verifier[K]) checkEntry(l *leaf[K], e *Entry[K], key uint64, lo, hi *separator[K]) {
	t := v.t
	if want := t.keyOf(e.Lo, t.skip(l)); key != want {
		v.fail("entry at %v has key %x, not %x", e.Lo, key, want)
	}
	if t.skip(l) > 0 && t.text.shared(v.first(l).Lo, e.Lo) < t.skip(l) {
		v.fail("entry at %v does not begin as the keys of its leaf do", e.Lo)
	}
	if !e.Unbounded() && t.compare(e.Lo, e.Hi) >= 0 {
		v.fail("entry [%v, %v)", e.Lo, e.Hi)
	}
	if v.last != nil && (v.last.Unbounded() || t.compare(v.last.Hi, e.Lo) > 0) {
		v.fail("entry [%v, %v) before one at %v", v.last.Lo, v.last.Hi, e.Lo)
	}
	v.last = e
	bound := func(key K) separator[K] {
		if t.kind == words {
			return separator[K]{code: t.code(key)}
		}
		return separator[K]{key: key}
	}
	if lo != nil && v.compare(bound(e.Lo), *lo) < 0 {
		v.fail("entry at %v below its separator %v", e.Lo, *lo)
	}
	if hi != nil && (e.Unbounded() || v.compare(bound(e.Hi), *hi) > 0) {
		v.fail("entry [%v, %v) reaches over its separator %v", e.Lo, e.Hi, *hi)
	}
}

// first returns the first entry of l.
func (v *verifier[K]) first(l *leaf[K]) *Entry[K] { return l.entry(l.now(), 0) }
