package rangelock_test

import (
	"testing"
	"testing/synctest"
	"weak"

	"github.com/spanlock/spanlock/rangelock"
)

// TestLeakBubble makes a map outside of a bubble of testing/synctest, and first writes to it
// inside, which sets the map's timer. When the bubble has ended its timers never fire. The map
// must keep nothing all the same, and a later write outside must not rely on that timer.
//
// It fails each time if seam.AfterFunc only calls time.AfterFunc.
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
				t.Error("the map has lost its range, so the test shows nothing")
			}
		})
	}
	wantNoGoroutines(t)
}

// TestBubbleEnds checks that a bubble can end right after a write: the map leaves no goroutine and
// no timer in it that would keep it from ending.
func TestBubbleEnds(t *testing.T) {
	var m *intMap
	synctest.Test(t, func(*testing.T) {
		m = rangelock.New[int, string](nil)
		m.Insert(bg, rg(0, 10), "x")
		m.Remove(bg, rg(0, 10))
	})
	m.Insert(bg, rg(0, 10), "x") // the map can be used outside
	usable(t, m)
}
