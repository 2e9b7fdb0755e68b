// Package ignored has lines that are silenced.
package ignored

import "github.com/spanlock/spanlock/rangelock"

type ranges = rangelock.Map[int, string]

func dropped(m *ranges) {
	m.Acquire(1) //spanlockvet:ignore it is kept until the process ends
	//spanlockvet:ignore so is this
	m.Acquire(2)
	m.Acquire(3) // want `guard of Acquire is dropped` `Acquire may wait`
}

func noReason(m *ranges) {
	/* want "say why" */ //spanlockvet:ignore
	m.Acquire(2)
	m.Acquire(3) //spanlockvet:ignoreddd is something else // want `guard of Acquire is dropped` `Acquire may wait`
}

func others(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	g.Release()
	g.Release() //spanlockvet:ignore panics, as it should
	w := m.Lock()
	w.Unlock()
}
