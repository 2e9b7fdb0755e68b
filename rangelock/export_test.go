package rangelock

import (
	"fmt"
	"runtime"

	"github.com/spanlock/spanlock/internal/announce"
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/raw"
)

// Debug says whether guards record where they were acquired.
const Debug = debug

// Limit is how many guards one range can have.
const Limit = limit

// LeafCap is how many ranges a leaf of the tree holds in this build.
const LeafCap = rangetree.LeafCap

// Verify looks at the whole tree and returns what is wrong with its structure. No transaction may
// run meanwhile.
func (m *Map[K, V]) Verify() error {
	if err := m.tree.Verify(); err != nil {
		return err
	}
	n := 0
	var c rangetree.Cursor[K]
	m.tree.First(&c)
	for e := c.Entry(); e != nil; e = c.Entry() {
		h := headerOf[K, V](e)
		if !m.valid(h.bounds()) {
			return fmt.Errorf("%v is not valid", h.bounds())
		}
		if h.State.Load()&(detached|retired) != 0 {
			return fmt.Errorf("%v in the tree with state %#x", h.bounds(), h.State.Load())
		}
		n++
		c.Next()
	}
	if m.Len() != n {
		return fmt.Errorf("Len is %d, the tree holds %d", m.Len(), n)
	}
	return nil
}

// SetReaders sets the count of readers of the range that covers key to n, as if that many guards
// were held.
func (m *Map[K, V]) SetReaders(key K, n uint64) {
	h := m.find(key)
	h.State.Store(h.State.Load()&^uint64(readerMask) | n)
}

// SetGeneration sets the generation of the range that covers key, so that a test can start next
// to the wrap-around.
func (m *Map[K, V]) SetGeneration(key K, gen uint32) {
	h := m.find(key)
	h.State.Store(h.State.Load()&lowMask | uint64(gen)*generation)
}

// Generation returns the generation in a state word.
func Generation(state uint64) uint64 { return state / generation }

// Announcing makes the readers of the range that covers key announce themselves from now on,
// and reports whether they do. No transaction may detach the range meanwhile.
func (m *Map[K, V]) Announcing(key K) bool {
	h := m.find(key)
	m.announcing(h)
	return h.State.Load()&announced != 0
}

// Misaligned returns how many range objects of the map do not begin at a cache line.
func (m *Map[K, V]) Misaligned() (n int) {
	for r := range m.All() {
		if raw.Address(m.find(r.Lo))%cacheLine != 0 {
			n++
		}
	}
	return n
}

// Announces reports whether the readers of the range that covers key announce themselves.
func (m *Map[K, V]) Announces(key K) bool { return m.find(key).State.Load()&announced != 0 }

// FillLines fills all lines of announcements for good, so that every reader adds to the count.
func (m *Map[K, V]) FillLines() {
	l := announce.New(runtime.GOMAXPROCS(0))
	for place := range uint32(announce.Places) {
		l.Announce(place, 1)
		for ok := true; ok; {
			_, ok = l.AnnounceBehind(place, 1)
		}
	}
	m.lines.Store(l)
}

// Announced returns how many marks stand in the lines.
func (m *Map[K, V]) Announced() int { return m.Stats().Announced }

// InLine returns the length of the wait queue of the range that covers key.
func (m *Map[K, V]) InLine(key K) int {
	_, n := m.waitingSince(m.find(key), reserved)
	return n
}

// Lines returns how many ranges have a wait queue.
func (m *Map[K, V]) Lines() int {
	m.queues.mu.Lock()
	defer m.queues.mu.Unlock()
	return len(m.queues.byRange)
}

// State returns the state word of the range that covers key.
func (m *Map[K, V]) State(key K) uint64 { return m.find(key).State.Load() }

// Publication returns the publication sequence.
func (m *Map[K, V]) Publication() uint64 { return m.pub.Load() }

// SetPublication sets the publication sequence, so that a test can start next to the wrap-around.
// v must be even.
func (m *Map[K, V]) SetPublication(v uint64) { m.pub.Store(v) }

// Height returns how many levels of inner nodes the tree has.
func (m *Map[K, V]) Height() int {
	levels, _ := m.tree.Size()
	return levels - 1
}

// FreeListBound returns the most cleared headers that a map keeps in each of its two lists.
func FreeListBound() int { return maxSpareHeaders }

// FreeList returns how many cleared headers the map keeps, and how many wait for a grace
// period. No transaction may be under way.
func (m *Map[K, V]) FreeList() (headers, limbo int) {
	m.limbo.mu.Lock()
	defer m.limbo.mu.Unlock()
	for i := range m.limbo.bags {
		limbo += m.limbo.bags[i].headers.n
	}
	return m.limbo.clean.n + m.spare.n, limbo
}

// Excluded reports whether the range that covers key is excluded.
func (m *Map[K, V]) Excluded(key K) bool {
	h := m.find(key)
	return h != nil && h.State.Load()&excluded != 0
}

// Lingering returns how many detached ranges the pending table notes as held by a guard.
func (m *Map[K, V]) Lingering() (n int) {
	m.pending.mu.Lock()
	defer m.pending.mu.Unlock()
	for _, s := range m.pending.table {
		if !s.left.IsZero() {
			n++
		}
	}
	return n
}

// Slots returns the length of the pending table, how many of its slots are in use, and how many
// watches there are.
func (m *Map[K, V]) Slots() (length, used, watched int) {
	m.pending.mu.Lock()
	defer m.pending.mu.Unlock()
	return len(m.pending.table), m.pending.n, len(m.pending.watches)
}

// Latecomer takes a guard on a range that is out of the tree and not yet detached. A reader that
// found the range just before gets such a guard. Latecomer looks in the writer's m.scratch, so a
// test may call it only while it holds the writer between those two steps.
func (m *Map[K, V]) Latecomer(key K) Guard[K, V] {
	for _, h := range m.scratch {
		if m.compare(h.Lo, key) <= 0 && m.compare(key, h.Hi) < 0 {
			return Guard[K, V]{h: h, life: h.State.Add(1) &^ lowMask}
		}
	}
	panic("no such range")
}

// HoldPending holds the lock of the pending table until release is called.
func (m *Map[K, V]) HoldPending() (release func()) {
	m.pending.mu.Lock()
	return m.pending.mu.Unlock
}
