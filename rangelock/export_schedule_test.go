//go:build schedule

package rangelock

import "fmt"

// Found reports whether a search finds a range for key. The range may be excluded.
func (m *Map[K, V]) Found(key K) bool {
	pin := m.domain.Pin()
	defer pin.Unpin()
	return m.find(key) != nil
}

// AnnouncingFound is Announcing for a key that may have no range.
func (m *Map[K, V]) AnnouncingFound(key K) {
	pin := m.domain.Pin()
	defer pin.Unpin()
	if h := m.find(key); h != nil {
		m.announcing(h)
	}
}

// Quiet returns an error if something is left over when no goroutine uses the map any more: a
// wait queue, a load, a count in an attached range, or a mark in the lines of announcements.
func (m *Map[K, V]) Quiet() error {
	if n := m.Lines(); n != 0 {
		return fmt.Errorf("%d ranges with a wait queue", n)
	}
	if n := len(m.loads.list); n != 0 {
		return fmt.Errorf("%d loads under way", n)
	}
	for r := range m.All() {
		if s := m.find(r.Lo).State.Load(); s&lowMask&^announced != 0 {
			return fmt.Errorf("%v in state %#x", r, s)
		}
	}
	if n := m.Announced(); n != 0 {
		return fmt.Errorf("%d marks in the lines", n)
	}
	return nil
}
