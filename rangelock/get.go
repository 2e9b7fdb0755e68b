package rangelock

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/raw"
)

// This file looks up values without a guard. It follows the steps of acquire.go, but in step 5 it
// looks only for the flag excluded, and it adds nothing and announces nothing. If keys are words
// and the value is one word or a pointer, it writes nothing at all: it loads the value, and then
// loads the state word again, which shows whether the header was retired or recycled meanwhile.
// Otherwise it copies the value while it is pinned, or in step 8.

// Get returns the value of the range that covers key, and whether there is one. It takes no guard:
// when it returns, the range may have left the map, and OnRetire may have freed what the value
// refers to. In a map with an OnRetire use [Map.Acquire] or [Map.View]; Get is for values that the
// garbage collector owns.
//
// The answer is true as of one instant between call and return, as that of Acquire. On a closed
// map Get reports false.
//
// Get takes no lock, unless a writer has excluded the key's range or, for a key without a range,
// has begun to change the map. Then it waits for that writer, as Acquire does. Use
// [Map.AcquireContext] to bound the wait. Get does not write to the range, so readers of one
// range do not slow each other down.
func (m *Map[K, V]) Get(key K) (V, bool) {
	if debug {
		m.watched.mayWait("Get", toGet)
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

// GetRange is like [Map.Get] and also returns the bounds of the range. Bounds and value are those
// of one range at one instant.
func (m *Map[K, V]) GetRange(key K) (Range[K], V, bool) {
	if debug {
		m.watched.mayWait("GetRange", toGet)
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

// GetMany looks up all keys as [Map.Get] does. For each it calls each with the index of the key in
// keys, the value of the range that covers the key, and whether there is such a range. If the keys
// are integers of four or eight bytes, and a value is one word, it searches for sixteen keys at a
// time, so that the searches wait for memory together. In large maps this takes a fraction of the
// time. For other keys and values it is a loop over Get.
//
// Each answer is true as of one instant during the call, but the instants differ: together the
// answers are not a snapshot. GetMany waits as Get does. It calls each in the order of keys and
// holds nothing meanwhile, so each may use the map.
func (m *Map[K, V]) GetMany(keys []K, each func(i int, v V, ok bool)) {
	if debug {
		m.watched.mayWait("GetMany", toGet)
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

// look is the fast path of Get. If keys and values are words it writes nothing. If the header is
// in the same life after the load of the value, that is the value of a range that covered key and
// was attached when Find loaded the state word.
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

// peek returns the value of a range that Find has found in state s, if it was attached then. Its
// value can be another one now, or cleared, only if the header was retired since, or is in
// another life.
func (m *Map[K, V]) peek(e *rangetree.Entry[K], s uint64) (v V, ok bool) {
	if s&excluded != 0 {
		return v, false
	}
	h := headerOf[K, V](e)
	invariants.At("rangelock: range found")
	v = raw.LoadValue(&h.value, m.plain)
	return v, (h.State.Load()^s)&^uint64(limit|readerMask|reserved|announced|exclusiveHeld|excluded|detached) == 0
}

// lookPinned is look for all other maps, and for a caller that needs more than one look. Value and
// bounds cannot change while the header is attached, and cannot be cleared while the caller is
// pinned. It stores the bounds into r if r is not nil.
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

// getSlow is the rest of Get after it met a writer; met is what the fast path returned.
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
