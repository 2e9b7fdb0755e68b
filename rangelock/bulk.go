package rangelock

import (
	"iter"

	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/shape"
)

// This file has Writer.Load. It owns transaction.load.
//
// Ranges that come in the order of their keys, behind the last range of the map, are built into
// leaves beside the tree, where no search finds them. The end of the transaction puts all of
// them into the tree with one store. So they are born open, and commit has nothing to do for
// them. Any other operation of the Writer has to find these ranges. Before such an operation
// settle puts them into the tree as if each had been inserted: excluded, until commit opens it.

// bulk is the ranges that a Load has built behind the last range of the map.
type bulk[K, V any] struct {
	tree  *rangetree.Builder[K]
	first *header[K, V] // linked by next, in order
	last  *header[K, V]
	n     int            // how many ranges Len does not count yet
	room  []header[K, V] // allocated and not used yet
}

const (
	// bulkBytes is how many bytes of headers are allocated at a time. One header that is in use
	// keeps the others of the same allocation from the collector, so each header is cleared
	// when its range has left. Go puts a word before an object of more than 512 bytes that has
	// pointers: then no header would have its cache lines to itself, and the next size class
	// would waste an eighth.
	bulkBytes = 512

	// bulkAfter is how many ranges have to come in order behind the last range of a map before
	// Load expects more of them and begins to build. To begin copies the nodes on the
	// rightmost path of the tree.
	bulkAfter = 16
)

// Load inserts the ranges that seq yields, in the order of seq, and returns how many it has
// inserted. It stops at the first range that cannot be inserted, and returns the error of Insert,
// wrapped with the number of the range, counted from 0. The ranges before it stay in the map. Its
// errors are those of [Writer.Insert].
//
// Ranges that come in the order of their keys, behind the last range of the map, fill the tree
// densely, and take a fraction of the time of as many Inserts. seq runs inside the transaction
// and must not end it.
func (w Writer[K, V]) Load(seq iter.Seq2[Range[K], V]) (n int, err error) {
	m, err := w.change("Load")
	if err != nil {
		return 0, err
	}
	defer func() {
		if m.sem.Validate(w.seq) { // if not, seq has ended the transaction, and another one may run a Load now
			m.countLoaded()
		}
	}()
	rising := 0
	if m.tree.Last() == nil {
		rising = bulkAfter
	}
	for r, v := range seq {
		if err := w.loadOne(r, v, &rising); err != nil {
			return n, &loadError{err, n}
		}
		n++
	}
	return n, nil
}

// loadOne inserts one range of a Load. rising counts the ranges that have come in order behind
// the last range of the map.
func (w Writer[K, V]) loadOne(r Range[K], v V, rising *int) error {
	m := w.checkEnd("Load")
	m.plan("Load")
	if !m.valid(r) {
		return m.refuse(ErrBadRange, r)
	}
	b := m.txn.load
	if b == nil {
		if last := headerOf[K, V](m.tree.Last()); last != nil && !m.endsBy(last, r.Lo) {
			*rising = 0
			return w.loadInto(r, v)
		}
		if *rising++; *rising <= bulkAfter {
			return w.loadInto(r, v)
		}
		b = &bulk[K, V]{tree: m.tree.Append()}
	} else if !m.endsBy(b.last, r.Lo) {
		*rising = 0
		return w.loadInto(r, v)
	}
	if err := m.roomFor(1, r); err != nil {
		return err
	}
	h := m.bulkHeader(b)
	m.birth(h, r, v)
	b.tree.Add(&h.Entry) // this does not change the map yet, so it may compare keys
	m.publishing()
	if b.last == nil {
		b.first = h
	} else {
		b.last.next = h
	}
	b.last = h
	b.n++
	m.txn.load = b
	return nil
}

// loadInto inserts a range of a Load directly into the tree, as Insert does.
func (w Writer[K, V]) loadInto(r Range[K], v V) error {
	m := w.check("Load")
	m.plan("Load")
	return m.insert(r, v)
}

// bulkHeader returns a new header. It is born open: its state word is zero.
func (m *Map[K, V]) bulkHeader(b *bulk[K, V]) *header[K, V] {
	if len(b.room) == 0 {
		size := shape.Size[header[K, V]]()
		if size%cacheLine != 0 || size > bulkBytes/2 {
			return m.allocHeader()
		}
		b.room = make([]header[K, V], bulkBytes/size)
	}
	h := &b.room[0]
	b.room = b.room[1:]
	return h
}

// countLoaded adds the ranges of a Load to Len.
func (m *Map[K, V]) countLoaded() {
	if b := m.txn.load; b != nil {
		m.length.Add(int64(b.n))
		b.n = 0
	}
}

// publishLoad puts the ranges that a Load has built into the tree.
//
// Preconditions: the caller holds sem for writing, and m.txn.load is not nil.
func (m *Map[K, V]) publishLoad() {
	m.countLoaded()
	b := m.txn.load
	m.txn.load = nil
	b.tree.Publish()
	for i := range b.room {
		if m.spare.n >= maxSpareHeaders {
			break
		}
		h := &b.room[i]
		h.m = m
		h.State.Store(excluded | detached | retired) // the state of a header that waits for its next life
		m.spare.push(h)
	}
}

// settle is publishLoad for a transaction that goes on: it excludes the ranges first.
//
// Preconditions: those of publishLoad.
func (m *Map[K, V]) settle() {
	for h := m.txn.load.first; h != nil; {
		next := h.next
		h.next = nil
		h.State.Or(excluded)
		m.touch(h)
		h = next
	}
	m.publishLoad()
}
