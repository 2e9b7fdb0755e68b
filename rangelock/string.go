package rangelock

import "github.com/spanlock/spanlock/internal/shape"

// This file describes maps, guards, transactions and Readers in one line. It waits for no lock.

// String returns one line about the map and its present state:
//
//	rangelock.Map[uint64]: 12 ranges, 3 pending, a transaction under way, others wait
//
// It is short, names no key, and may be called at any time, also from OnRetire and in a
// transaction. It never waits, and omits a number for which it would have to wait. It reads the
// parts one after another, so they need not fit together. [Map.Stats] has more.
func (m *Map[K, V]) String() string {
	var l sentence
	l.head = mapName[K]() + ": "
	l.always(m.length.Load(), "range", "ranges")
	if p := &m.pending; p.mu.TryLock() {
		n := 0
		for _, c := range p.counts {
			n += c
		}
		p.mu.Unlock()
		l.count(int64(n), "pending", "pending")
	}
	_, free := m.sem.Speculate()
	l.gauge(!free, "a transaction under way")
	l.gauge(m.sem.Contended(), "others wait")
	l.gauge(m.closed.Load(), "closed")
	return l.b.String()
}

// GoString returns the same as String, so that %#v does not read the fields of the map while other
// goroutines change it.
func (m *Map[K, V]) GoString() string { return m.String() }

// mapName returns the name of a map's type, without V.
func mapName[K any]() string { return "rangelock.Map[" + shape.Name[K]() + "]" }

// String returns the guard's range as [Range.String] does, or says that the guard holds nothing.
// For a copy of a released guard the result is as undefined as that of Range.
func (g Guard[K, V]) String() string {
	if g.h == nil {
		return "no guard"
	}
	return g.Range().String()
}

// String names the map of the transaction, or says that the transaction has ended.
func (w Writer[K, V]) String() string {
	if w.m == nil || !w.m.sem.Validate(w.seq) {
		return "a transaction that has ended"
	}
	return "a transaction of " + w.m.String()
}

// String names the map of the Reader, or says that the Reader has ended.
func (r Reader[K, V]) String() string {
	if r.t == nil || r.t.gen.Load() != r.gen {
		return "a Reader that has ended"
	}
	return "a Reader of " + r.m.String()
}
