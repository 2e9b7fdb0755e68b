// Package reuse has guards that are used after their release.
package reuse

import "github.com/spanlock/spanlock/rangelock"

type guard = rangelock.Guard[int, []byte]

type ranges = rangelock.Map[int, []byte]

func value(m *ranges) int {
	g, ok := m.Acquire(1)
	if !ok {
		return 0
	}
	g.Release()
	return len(g.Value()) // want `Value of a guard that was released at line 15`
}

func bounds(m *ranges) {
	if g, err := m.TryAcquire(1); err == nil {
		g.Release()
		println(g.Range().Lo) // want `Range of a guard that was released at line 21`
	}
}

func twice(m *ranges) {
	g, ok := m.Acquire(1)
	if ok {
		g.Release()
		g.Release() // want `Release of a guard that was released at line 29`
	}
}

func deferredToo(m *ranges, early bool) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	defer g.Release() // want `Release of a guard that was released at line 41`
	if early {
		g.Release()
	}
}

func onSomePath(m *ranges, big bool) int {
	g, ok := m.Acquire(1)
	if !ok {
		return 0
	}
	if big {
		g.Release()
	}
	n := len(g.Value()) // want `Value of a guard that was released at line 51`
	if !big {
		g.Release()
	}
	return n
}

func inLoop(m *ranges, more func() bool) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	for {
		g.Release() // want `Release of a guard that was released here before, in a loop`
		if !more() {
			return
		}
	}
}

func parameter(g guard) int {
	g.Release()
	return len(g.Value()) // want `Value of a guard that was released at line 74`
}

func pointer(g *guard) {
	g.Release()
	println(len(g.Value())) // want `Value of a guard that was released at line 79`
}

func cloned(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	g.Release()
	c := g.Clone() // want `Clone of a guard that was released at line 88`
	c.Release()
}

func downgraded(m *ranges) {
	g, ok := m.AcquireExclusive(1)
	if !ok {
		return
	}
	g.Release()
	g.Downgrade() // want `Downgrade of a guard that was released at line 98`
}

func yielded(m *ranges) {
	for g := range m.Guards(rangelock.Span(0, 10)) {
		g.Release()
		println(g.Range().Lo) // want `Range of a guard that was released at line 104`
	}
}
