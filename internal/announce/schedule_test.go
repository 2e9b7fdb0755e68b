//go:build schedule

package announce

import (
	"testing"

	"github.com/spanlock/spanlock/internal/schedule"
	"github.com/spanlock/spanlock/internal/seam"
)

// TestScheduleEither: readers announce and then load a word; a writer changes the word and
// then looks at the lines. The writer does not miss a reader that has found the word
// unchanged, and no two readers get the same place.
func TestScheduleEither(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		l := New(1)
		var word seam.Uint64
		var inside seam.Int64
		for range 3 {
			p.Go("reader", func() {
				place, ok := l.announce(5)
				if !ok {
					return // both slots were taken
				}
				if word.Load() == 0 {
					inside.Add(1)
					inside.Add(-1)
				}
				if !l.Retract(place, 5) {
					schedule.Failf("the mark at %d is gone", place)
				}
			})
		}
		p.Go("writer", func() {
			word.Store(1)
			if !l.Shows(5) && inside.Load() != 0 {
				schedule.Failf("%d readers are in, and the look has shown none", inside.Load())
			}
		})
	})
}
