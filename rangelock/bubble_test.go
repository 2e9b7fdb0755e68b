package rangelock_test

import (
	"testing"
	"testing/synctest"
	"weak"

	"github.com/spanlock/spanlock/rangelock"
)

// TestLeakBubble: a map that was made outside of a bubble of testing/synctest and is
// first written to inside, which sets its timer, keeps nothing when the bubble has ended,
// though the bubble's timers never fire then. Neither does a later write outside count on
// that timer.
//
// With time.AfterFunc alone behind seam.AfterFunc it fails each time.
func TestLeakBubble(t *testing.T) {
	for name, again := range map[string]bool{"nobody writes": false, "another write": true} {
		t.Run(name, func(t *testing.T) {
			m := rangelock.New[int, *block](nil)
			var kept weak.Pointer[block]
			synctest.Test(t, func(*testing.T) {
				v := new(block)
				kept = weak.Make(v)
				m.Insert(bg, rg(0, 10), v)
				m.Remove(bg, rg(0, 10))
				m.Insert(bg, rg(100, 110), nil)
			})
			if again {
				v := new(block)
				kept = weak.Make(v)
				m.Insert(bg, rg(0, 10), v)
				m.Remove(bg, rg(0, 10))
			}
			if !collected([]weak.Pointer[block]{kept}) {
				t.Error("the map keeps a value that was removed")
			}
			if _, ok := m.Get(105); !ok {
				t.Error("the map is gone, and that is why it keeps nothing")
			}
		})
	}
	wantNoGoroutines(t)
}

// TestBubbleEnds: a test in a bubble that ends right after a write succeeds: nothing of
// the map's is left in the bubble.
func TestBubbleEnds(t *testing.T) {
	var m *intMap
	synctest.Test(t, func(*testing.T) {
		m = rangelock.New[int, string](nil)
		m.Insert(bg, rg(0, 10), "x")
		m.Remove(bg, rg(0, 10))
	})
	m.Insert(bg, rg(0, 10), "x") // the map is as good as new
	usable(t, m)
}
