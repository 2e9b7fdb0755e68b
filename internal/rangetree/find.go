package rangetree

import (
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/raw"
)

// This file is all that a reader runs in the tree: one descent, with one load a level. It
// takes no lock, writes nothing, and for words calls no function of the user's.

// Find returns an entry that covers key, or nil, and the State that the entry had before
// Find read its bounds. Beside a change, Find may return nil for a key that a range covers,
// or a range that has just left the tree; see the package comment.
func (t *Tree[K]) Find(key K) (*Entry[K], uint64) { return t.find(t, key) }

// findInt is Find where keys are integers.
func findInt[K any](t *Tree[K], key K) (*Entry[K], uint64) {
	code := raw.Word(key) ^ t.sign
	l := descend(t.root.Load(), code)
	l.warm()
	i := rank(&l.keys, code)
	p := l.now()
	// Free slots have the largest key, so they may count; limit i to the entries.
	if i = min(i, p.n()); i == 0 {
		return nil, 0
	}
	e := l.entries[p.slot(i-1)].Load()
	s := e.State.Load()
	invariants.At("rangetree: state loaded")
	flags := e.Flags.Load()
	if t.load(&e.Lo)^t.sign <= code && (code < t.load(&e.Hi)^t.sign || flags&Unbounded != 0) {
		return e, s
	}
	return nil, 0
}

// findFloat is Find where keys are floats.
func findFloat[K any](t *Tree[K], key K) (*Entry[K], uint64) {
	code := t.code(key)
	l := descend(t.root.Load(), code)
	l.warm()
	i := rank(&l.keys, code)
	p := l.now()
	if i = min(i, p.n()); i == 0 {
		return nil, 0
	}
	e := l.entries[p.slot(i-1)].Load()
	s := e.State.Load()
	invariants.At("rangetree: state loaded")
	flags := e.Flags.Load()
	// A NaN is above all floats or below all of them.
	if floatCode(t.load(&e.Lo), t.sign) <= code &&
		(code < floatCode(t.load(&e.Hi), t.sign) || flags&Unbounded != 0 && code <= t.top) {
		return e, s
	}
	return nil, 0
}

// findOther is Find where nodes hold nothing of the keys. findText falls back to it.
func findOther[K any](t *Tree[K], key K) (*Entry[K], uint64) {
	l := t.leafOf(key)
	p := l.now()
	i := t.upper(l, p, key)
	if i == 0 {
		return nil, 0
	}
	e := l.entry(p, i-1)
	s := e.State.Load()
	if !t.Covers(e, key) {
		return nil, 0
	}
	return e, s
}

// findText is Find where keys are texts.
func findText[K string | []byte](t *Tree[K], key K) (*Entry[K], uint64) {
	in := t.root.Load()
	for in.level > 1 {
		in = in.kids[childText(in, key)&(fanout-1)].Load()
	}
	l := in.leaves[childText(in, key)&(fanout-1)].Load()
	l.warm()
	w := hint(key, raw.Outer[textLeaf[K]](l).skip)
	i := rank(&l.keys, w)
	p := l.now()
	n := p.n()
	i = min(i, n)
	var e *Entry[K]
	for ; i > 0; i-- {
		// Of the keys with the same hint, take the last that is at or below key.
		if e = l.entry(p, i-1); atMost(e.Lo, key) {
			break
		}
	}
	switch {
	case i == 0:
	case e.Unbounded() || !atMost(e.Hi, key):
		return e, e.State.Load() // bounds do not change while the caller is pinned
	case i < n && !atMost(l.entry(p, i).Lo, key):
		return nil, 0 // between two neighbours, so no other descent would have led elsewhere
	}
	return findOther(t, key)
}

// childText is codes.child for texts.
func childText[K string | []byte](in *inner[K], key K) int {
	if in.n < 2 {
		return 0
	}
	w := hint(key, in.skip)
	i := in.codes.child(w)
	for i > 0 && in.codes.keys[i] == w && !atMost(in.keys[i], key) {
		i--
	}
	return i
}

// Covers reports whether e covers key.
func (t *Tree[K]) Covers(e *Entry[K], key K) bool {
	return t.compare(e.Lo, key) <= 0 && (e.Unbounded() || t.compare(key, e.Hi) < 0)
}

// Look calls f with each entry that covers key in the leaf that key descends to, until f
// returns true, and reports whether f did. An entry that covers key, and was in the tree
// from before the call until after it, is among them, whatever else changes.
func (t *Tree[K]) Look(key K, f func(*Entry[K]) bool) bool {
	l := t.leafOf(key)
	p := l.now()
	for i := range p.n() {
		if e := l.entry(p, i); t.Covers(e, key) && f(e) {
			return true
		}
	}
	return false
}

// leafOf returns the leaf that key descends to.
func (t *Tree[K]) leafOf(key K) *leaf[K] {
	in := t.root.Load()
	for in.level > 1 {
		in = in.kids[t.childOf(in, key)].Load()
	}
	return in.leaves[t.childOf(in, key)].Load()
}

// childOf returns the index of the child of in that key descends to.
func (t *Tree[K]) childOf(in *inner[K], key K) int {
	if t.kind == words {
		return in.codes.child(t.code(key))
	}
	lo, hi := 0, in.n-1
	for lo < hi {
		mid := int(uint(lo+hi+1) >> 1)
		if t.compare(in.keys[mid], key) <= 0 {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}

// upper returns the number of entries of l, in the order p, that start at or below key.
func (t *Tree[K]) upper(l *leaf[K], p order, key K) int {
	if t.kind == words {
		return min(rank(&l.keys, t.code(key)), p.n())
	}
	lo, hi := 0, p.n()
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if t.compare(l.entry(p, mid).Lo, key) <= 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
