package main

import (
	"time"

	"github.com/google/btree"
)

// A store is one contender: disjoint ranges of keys, each with a value that may be
// read only while it is protected.
type store[K any] interface {
	name() string

	// read finds the range that covers key and reads its value while no writer can
	// free it. It returns 0 if there is none.
	read(key K) int

	// apply makes the changes together, if the store can do that, and stays the writer
	// for linger afterwards.
	apply(cs []change[K], linger time.Duration)

	// load fills an empty store with ranges in the order of their keys.
	load(rs []ranged[K])

	// walk reads the value of every range in order and returns the sum.
	walk() int

	// hold protects the range that covers key, and everything else that the store has
	// to protect with it, until release is called.
	hold(key K) (release func())
}

// ranged is a range with its value.
type ranged[K any] struct {
	lo, hi K
	v      *int
}

// what is the kind of a change.
type what int

const (
	insert what = iota // a range that is not in the store
	remove             // a range that is in the store
	swap               // replaces a range in the store by one with the same bounds and another value
)

// change is one operation of a writer. A store panics if it cannot do it.
type change[K any] struct {
	what what
	ranged[K]
}

// newStores returns an empty store of each kind, ours first.
func newStores[K any](k *kind[K]) []store[K] {
	return []store[K]{
		newOurs(k, nil), newRWMutex(k), newCounted(k), newRBMutex(k), newSnapshot(k), newTidwall(k), newMutex(k),
	}
}

// storeNames are the names of what newStores returns.
var storeNames = []string{"ours", "rwmutex", "counted", "rbmutex", "snapshot", "tidwall", "mutex"}

// item is what the trees of the rivals hold. The key is in the node. The rest, which a
// search needs only once, is not: for keys of any length this was the fastest.
type item[K any] struct {
	lo K
	s  *segment[K]
}

type segment[K any] struct {
	hi K
	v  *int
}

// tree is a google/btree of segments, which stores with a lock have under it.
type tree[K any] struct {
	kind *kind[K]
	t    *btree.BTreeG[item[K]]
	free []*segment[K] // removed, kept for the next insert: the lock protects them
}

func newTree[K any](k *kind[K]) tree[K] {
	return tree[K]{kind: k, t: btree.NewG(32, k.lessItem)}
}

// floor returns the last item that starts at or before key. Its pivot and its closure
// stay on the stack.
func (t *tree[K]) floor(key K) (found item[K]) {
	t.t.DescendLessOrEqual(item[K]{lo: key}, func(x item[K]) bool {
		found = x
		return false
	})
	return found
}

func (t *tree[K]) find(key K) int {
	x := t.floor(key)
	if x.s != nil && t.kind.before(key, x.s.hi) {
		return *x.s.v
	}
	return 0
}

// segment returns a segment that a removal has left, or a new one.
func (t *tree[K]) segment(hi K, v *int) *segment[K] {
	if n := len(t.free); n > 0 {
		s := t.free[n-1]
		t.free = t.free[:n-1]
		*s = segment[K]{hi, v}
		return s
	}
	return &segment[K]{hi, v}
}

func (t *tree[K]) change(cs []change[K]) {
	for i := range cs {
		c := &cs[i]
		if c.what == remove {
			old, ok := t.t.Delete(item[K]{lo: c.lo})
			must(ok)
			t.free = append(t.free, old.s)
			continue
		}
		old, ok := t.t.ReplaceOrInsert(item[K]{c.lo, t.segment(c.hi, c.v)})
		must(ok == (c.what == swap))
		if ok {
			t.free = append(t.free, old.s)
		}
	}
}

func (t *tree[K]) load(rs []ranged[K]) {
	for i := range rs {
		t.t.ReplaceOrInsert(item[K]{rs[i].lo, &segment[K]{rs[i].hi, rs[i].v}})
	}
}

func (t *tree[K]) walk() (sum int) {
	t.t.Ascend(func(x item[K]) bool {
		sum += *x.s.v
		return true
	})
	return sum
}

// linger spends time as a writer with work to do would.
func linger(d time.Duration) {
	if d > 0 {
		time.Sleep(d)
	}
}

// must panics if a store could not make a change.
func must(ok bool) {
	if !ok {
		panic("benchmarks: a store has refused a change")
	}
}
