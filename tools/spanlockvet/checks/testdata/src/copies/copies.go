// Package copies has copies of a guard that are both released.
package copies

import "github.com/spanlock/spanlock/rangelock"

type guard = rangelock.Guard[int, string]

type ranges = rangelock.Map[int, string]

func both(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	g2 := g
	g.Release()
	g2.Release() // want `Release of a guard whose copy was released at line 16: only one of them may be`
}

func bothDeferred(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	defer g.Release() // want `Release of a guard whose copy was released at line 27`
	g2 := g
	defer g2.Release()
}

func ofThree(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	g2 := g
	g3 := g2
	g3.Release()
	println(g2.Value()) // want `Value of a guard that was released at line 37`
	g2.Release()        // want `Release of a guard whose copy was released at line 37`
}

func onOnePath(m *ranges, again bool) {
	g, err := m.TryAcquire(1)
	if err != nil {
		return
	}
	var last guard
	if again {
		last = g
	}
	g.Release()
	if again {
		last.Release() // want `Release of a guard whose copy was released at line 51`
	}
}

func ofParameter(g guard) {
	h := g
	h.Release()
	g.Release() // want `Release of a guard whose copy was released at line 59`
}
