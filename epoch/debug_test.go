//go:build spanlockdebug

package epoch_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/epoch"
)

func pinHere(d *epoch.Domain) epoch.Guard { return d.Pin() }

func unpinThere(g *epoch.Guard) { g.Unpin() }

// A second Unpin through a copy is caught although the slot's count would not show it, and
// the report has both places.
func TestDebugCopiedGuard(t *testing.T) {
	d := epoch.NewAt(0, 1, 0)
	other := d.Pin()
	g := pinHere(d)
	h := g
	unpinThere(&g)
	mustPanic(t, h.Unpin, "a copy of it was unpinned before", "pinHere", "unpinThere", "debug_test.go")
	if n := d.Stats().Pins; n != 1 {
		t.Errorf("%d pins after a refused Unpin, want 1", n)
	}
	other.Unpin()
}

func TestDebugOldestPin(t *testing.T) {
	var d epoch.Domain
	first := d.Pin()
	second := pinHere(&d)
	if s := d.Stats().OldestPin; strings.Contains(s, "pinHere") || !strings.Contains(s, "TestDebugOldestPin") {
		t.Errorf("oldest of two: %s", s)
	}
	first.Unpin()
	if s := d.Stats().OldestPin; !strings.HasPrefix(s, "github.com/spanlock/spanlock/epoch_test.pinHere") {
		t.Errorf("oldest of one: %s", s)
	}
	second.Unpin()
}

func TestDebugBarrierInCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d, other epoch.Domain
		d.Retire(func() {
			mustPanic(t, func() { d.Barrier(t.Context()) }, "Barrier in a callback")
			if err := other.Barrier(t.Context()); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
	})
}
