package rangetree

import (
	"bytes"
	"cmp"
	"reflect"

	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/seam"
)

// Tree is a tree of ranges whose bounds are of type K. One goroutine at a time may change
// it; any number may search it meanwhile. The zero Tree cannot be used: [Init] and
// [InitOrdered] make it ready.
type Tree[K any] struct {
	// root is stored by the writer when the top of the tree changes, which is rare. Every
	// reader loads it.
	root seam.Pointer[inner[K]]

	// Init or InitOrdered sets the fields below; every goroutine reads them.
	kind  kind
	float bool // the words are floats

	// unpinned says that a search may read bounds while they change, so that each bound is
	// stored and loaded atomically.
	unpinned bool

	sign    uint64 // of words: the sign bit, if there is one
	top     uint64 // of floats: the code of infinity
	compare func(a, b K) int
	find    func(t *Tree[K], key K) (*Entry[K], uint64)
	text    *text[K] // where keys are texts
}

// kind says what the nodes hold of their keys.
type kind uint8

const (
	others kind = iota // nothing
	words              // a code each
	texts              // a hint each
)

// InitOrdered makes t an empty tree of keys in the order of <. No range covers a NaN.
func InitOrdered[K cmp.Ordered](t *Tree[K]) {
	t.init(cmp.Compare[K])
	switch k := reflect.TypeFor[K](); k.Kind() {
	case reflect.String:
		useHints(t)
	case reflect.Float32, reflect.Float64:
		t.kind, t.find, t.float, t.sign = words, findFloat[K], true, 1<<(k.Bits()-1)
		if t.top = t.sign | 0x7ff<<52; k.Bits() == 32 {
			t.top = t.sign | 0xff<<23
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		t.kind, t.find, t.sign = words, findInt[K], 1<<(k.Bits()-1)
	default:
		t.kind, t.find = words, findInt[K]
	}
	t.unpinned = t.kind == words && raw.Atomic[K]()
	t.Clear()
}

// Init makes t an empty tree of keys in the order of compare.
func Init[K any](t *Tree[K], compare func(a, b K) int) {
	t.init(compare)
	if isBytesCompare(compare) {
		useHints(t)
	}
	t.Clear()
}

func (t *Tree[K]) init(compare func(a, b K) int) {
	t.kind, t.compare, t.find = others, compare, findOther[K]
}

// isBytesCompare reports whether compare is bytes.Compare. No other function has its
// address, because bytes.Compare is not a closure.
func isBytesCompare(compare any) bool {
	f, ok := compare.(func(a, b []byte) int)
	return ok && reflect.ValueOf(f).Pointer() == reflect.ValueOf(bytes.Compare).Pointer()
}

// Words reports whether a search of t calls no function of the user's and follows no
// pointer of a key, so that it cannot panic, and whether it reads bounds of entries only
// atomically, so that [Tree.Find] may be called while the memory of any entry is used for
// another range. This is so where keys are integers or floats of four bytes or eight.
func (t *Tree[K]) Words() bool { return t.unpinned }

// Clear makes t empty, with one store.
func (t *Tree[K]) Clear() {
	p := t.newInner(1)
	p.n = 1
	p.leaves[0].Store(t.newLeaf())
	t.seal(p)
	t.root.Store(p)
}

// code returns a number that is in the order of the keys. Both zeros of a float have the
// same code.
//
// Preconditions: keys are words.
func (t *Tree[K]) code(key K) uint64 {
	w := raw.Word(key)
	if t.float {
		return floatCode(w, t.sign)
	}
	return w ^ t.sign
}

// floatCode returns the code of the float whose bits are w. The bits of floats below zero
// are in the reverse order.
func floatCode(w, sign uint64) uint64 {
	switch {
	case w&sign == 0:
		return w | sign
	case w == sign:
		return sign // it is -0, which is equal to 0
	}
	return ^w & (sign<<1 - 1)
}

// load loads a bound.
func (t *Tree[K]) load(p *K) uint64 {
	if raw.Atomic[K]() {
		return raw.Load(p)
	}
	return raw.Word(*p)
}

// keyOf returns what a leaf with this skip stores for key.
func (t *Tree[K]) keyOf(key K, skip int) uint64 {
	switch t.kind {
	case words:
		return t.code(key)
	case texts:
		return t.text.hint(key, skip)
	}
	return free
}
