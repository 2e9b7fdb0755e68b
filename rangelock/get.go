package rangelock

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/raw"
)

// Get returns the value of the range that covers key, and whether there is one, without a
// guard: when it returns, the range may have left the map, and OnRetire may have freed what
// the value refers to. In a map with an OnRetire use [Map.Acquire] or [Map.View]; Get is for
// values that the garbage collector owns.
//
// It answers as of one instant, as Acquire does. On a closed map it reports false.
//
// It takes no lock unless a writer has the key's range excluded or, for a key
// without a range, has begun to change the set; then it waits for that writer, as
// Acquire does. Where the wait must be bounded, use [Map.AcquireContext]. It does not write
// to the range, so readers of one range do not disturb each other.
func (m *Map[K, V]) Get(key K) (V, bool) {
	if debug {
		m.mayWait("Get", toGet)
	}
	v, a := m.look(key)
	if a >= busy {
		v, a = m.getSlow(key, a, nil)
	}
	if debug && a == entered {
		m.handsOut("Get")
	}
	return v, a == entered
}

// GetRange is [Map.Get] that returns the range's bounds, too. Bounds and value are of one range
// as of one instant.
func (m *Map[K, V]) GetRange(key K) (Range[K], V, bool) {
	if debug {
		m.mayWait("GetRange", toGet)
	}
	var r Range[K]
	v, a := m.lookPinned(key, &r)
	if a >= busy {
		v, a = m.getSlow(key, a, &r)
	}
	if debug && a == entered {
		m.handsOut("GetRange")
	}
	return r, v, a == entered
}

// GetMany is [Map.Get] for each of keys: it calls each with the number of the key in keys,
// the value of the range that covers it, and whether there is one. Where keys are integers
// of four bytes or eight, and a value is one word, it searches for sixteen keys at a time,
// so that what one search waits for in memory comes while the others wait for theirs: in
// large maps that takes a fraction of the time. Elsewhere it is a loop.
//
// Each answer is as of one instant of the call, and they are of different instants: it is no
// snapshot. It waits as Get does. each is called in the order of keys, with nothing held,
// and may use the map.
func (m *Map[K, V]) GetMany(keys []K, each func(i int, v V, ok bool)) {
	if debug {
		m.mayWait("GetMany", toGet)
	}
	m.mustBeMade()
	if debug && len(keys) > 0 {
		m.handsOut("GetMany")
	}
	var found [rangetree.Batch]rangetree.Found[K]
	for at := 0; at < len(keys); at += rangetree.Batch {
		batch := keys[at:min(at+rangetree.Batch, len(keys))]
		if m.plain == raw.Split {
			for i, key := range batch {
				v, ok := m.Get(key)
				each(at+i, v, ok)
			}
			continue
		}
		m.tree.FindBatch(batch, &found)
		for i, key := range batch {
			if e := found[i].Entry; e != nil {
				if v, ok := m.peek(e, found[i].State); ok {
					each(at+i, v, true)
					continue
				}
			}
			v, ok := m.Get(key)
			each(at+i, v, ok)
		}
	}
}

// look is the fast path of Get. Where keys and values are words it writes nothing: the
// value was that of an attached range that covers key when Find loaded the word, if the
// header is in the same life behind the load of the value.
func (m *Map[K, V]) look(key K) (V, outcome) {
	if m.plain == raw.Split {
		return m.lookPinned(key, nil)
	}
	seq := m.pub.Load()
	invariants.At("rangelock: publication sequence read")
	e, s := m.tree.Find(key)
	if e == nil {
		if m.proveMiss(seq) == missed {
			var none V
			return none, missed
		}
		return m.lookPinned(key, nil)
	}
	if v, ok := m.peek(e, s); ok {
		return v, entered
	}
	return m.lookPinned(key, nil)
}

// peek returns the value of a range that Find has found with the word s, if it was attached
// then. Only a header that was retired since, or is in another life, may have another value
// now, or none.
func (m *Map[K, V]) peek(e *rangetree.Entry[K], s uint64) (v V, ok bool) {
	if s&excluded != 0 {
		return v, false
	}
	h := headerOf[K, V](e)
	invariants.At("rangelock: range found")
	v = raw.LoadValue(&h.value, m.plain)
	return v, (h.State.Load()^s)&^uint64(limit|readerMask|reserved|announced|exclusiveHeld|excluded|detached) == 0
}

// lookPinned is look for all other maps, and for who has met something that takes more than
// one look. The value cannot change while the header is attached, and cannot be cleared
// while we are pinned; nor can the bounds, which it stores into r if that is not nil.
func (m *Map[K, V]) lookPinned(key K, r *Range[K]) (v V, a outcome) {
	m.mustBeMade()
	seq := m.pub.Load()
	invariants.At("rangelock: publication sequence read")
	pin := m.domain.Pin()
	defer pin.Unpin() // compare may panic
	h := m.find(key)
	if h == nil {
		if h, a = m.lookAgain(key, seq); h == nil {
			return v, a
		}
	}
	if s := h.State.Load(); s&excluded != 0 {
		return v, refusal(s)
	}
	if r != nil {
		*r = h.bounds()
	}
	return h.value, entered
}

// getSlow is Get after it met a writer; met is what it met.
func (m *Map[K, V]) getSlow(key K, met outcome, r *Range[K]) (v V, a outcome) {
	of := aboutKey("Get", key)
	if r != nil {
		of.op = "GetRange"
	}
	m.fellBack(context.Background(), of, met)
	m.lockShared(context.Background(), of)
	defer m.sem.RUnlock()
	if h := m.find(key); h != nil {
		if r != nil {
			*r = h.bounds()
		}
		return h.value, entered
	}
	return v, missed
}
