//go:build invariants || race

package rangelock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestStatsLooksWhilePinned empties the map when Stats has counted the nodes of the tree
// and is not pinned any more, and waits until they have been cleared. What Stats says of
// the tree must be from before.
//
// It kills 46_read_after_unpin.
func TestStatsLooksWhilePinned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := numbered(30 * rangelock.LeafCap)
		height := m.Height()
		counted := windowAt(t, "rangelock: tree counted")
		var s rangelock.Stats
		looking := start("Stats", func() { s = m.Stats() })
		counted.await(t)
		if _, err := m.Retire(bg, rangelock.From(0)); err != nil {
			t.Fatal(err)
		}
		must(t, m.Drain(bg))
		time.Sleep(time.Second) // limbo is cleared
		counted.letGo()
		looking.returns(t)
		if s.Levels != height+1 {
			t.Errorf("%d levels, want %d", s.Levels, height+1)
		}
		usable(t, m)
	})
}
