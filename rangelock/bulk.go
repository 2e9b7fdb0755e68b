package rangelock

import (
	"iter"

	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/shape"
)

// bulk is what a Load has built behind the last range of the map. Nobody sees it yet: the
// transaction's end puts it into the tree with one store. So its ranges are born open, and
// commit need not touch them again.
//
// Whatever the Writer does in between has to see them. Then settle puts them into the tree
// as if each had been inserted: excluded, until commit opens it.
type bulk[K, V any] struct {
	tree  *rangetree.Builder[K]
	first *header[K, V] // chained by next, in order
	last  *header[K, V]
	n     int            // ranges that Len does not count yet
	room  []header[K, V] // those not used so far
}

const (
	// bulkBytes is how much memory for headers is allocated at a time. One of them that is in
	// use keeps the others from the collector, so each of them is cleared when it is not. Above
	// 512 bytes Go puts a word before objects with pointers: then no header would have its
	// cache lines to itself, and the next size class would waste an eighth.
	bulkBytes = 512

	// bulkAfter is how many ranges in order behind the last one of a map make a Load think
	// that there will be more. To begin to build copies the rightmost way of the tree.
	bulkAfter = 16
)

// Load inserts the ranges that seq yields, one after the other, and returns how
// many it has inserted. It stops at the first that cannot be inserted, with the
// error that Insert gives, wrapped with its number, from 0; those before it stay. Its
// errors are those of [Writer.Insert].
//
// Ranges that come in the order of their keys, behind the last one of the map, fill the
// tree densely, and take a fraction of the time of as many Inserts. seq runs inside the
// transaction and must not end it.
func (w Writer[K, V]) Load(seq iter.Seq2[Range[K], V]) (n int, err error) {
	m, err := w.change("Load")
	if err != nil {
		return 0, err
	}
	defer func() {
		if m.sem.Validate(w.seq) { // else seq has ended the transaction, and another may load now
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

// loadOne inserts one range of a Load, of which so many have come one behind the other.
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
	b.tree.Add(&h.Entry) // no change of the map, so it may look at keys
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

// loadInto inserts a range of a Load that is not built behind the others.
func (w Writer[K, V]) loadInto(r Range[K], v V) error {
	m := w.check("Load")
	m.plan("Load")
	return m.insert(r, v)
}

// bulkHeader returns a new header. It is born open: its word is zero.
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

// countLoaded brings Len up to date.
func (m *Map[K, V]) countLoaded() {
	if b := m.txn.load; b != nil {
		m.length.Add(int64(b.n))
		b.n = 0
	}
}

// publishLoad puts what a Load has built into the tree.
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
		h.State.Store(excluded | detached | retired) // as one that waits for its next life
		m.spare.push(h)
	}
}

// settle is publishLoad where the transaction goes on.
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
