//go:build schedule

package rangelock

// Found reports whether a search finds a range for key, be it excluded or not.
func (m *Map[K, V]) Found(key K) bool {
	pin := m.domain.Pin()
	defer pin.Unpin()
	return m.find(m.root.Load(), key) != nil
}
