//go:build schedule

package rangelock

import "fmt"

// Found reports whether a search finds a range for key, be it excluded or not.
func (m *Map[K, V]) Found(key K) bool {
	pin := m.domain.Pin()
	defer pin.Unpin()
	return m.find(key) != nil
}

// PromoteFound is Promote for a key that may have no range.
func (m *Map[K, V]) PromoteFound(key K) {
	pin := m.domain.Pin()
	defer pin.Unpin()
	if h := m.find(key); h != nil {
		m.promote(h)
	}
}

// Quiet returns what is left over in the end, when nobody uses the map any more: a line,
// a load, a count in an attached range, or a set of stripes that has got lost.
func (m *Map[K, V]) Quiet() error {
	if n := m.Lines(); n != 0 {
		return fmt.Errorf("%d ranges with a line", n)
	}
	if n := len(m.flights.list); n != 0 {
		return fmt.Errorf("%d loads under way", n)
	}
	hotRanges := 0
	for r := range m.All() {
		h := m.find(r.Lo)
		if s := h.State.Load(); s&lowMask&^hot != 0 || m.striped(h) {
			return fmt.Errorf("%v in state %#x, in its stripes: %v", r, s, m.striped(h))
		}
		if h.Word.Load()&promoted != 0 {
			hotRanges++
		}
	}
	p := &m.pool
	if n := p.hotRanges(); n != hotRanges || n+len(p.idle) != p.made {
		return fmt.Errorf("%d sets of stripes made: %d have an owner, %d are idle; %d ranges are hot", p.made, n, len(p.idle), hotRanges)
	}
	for i, x := range p.sets[:p.made] {
		if x.occupied() {
			return fmt.Errorf("somebody is left in the set of stripes %d", i)
		}
	}
	return nil
}
