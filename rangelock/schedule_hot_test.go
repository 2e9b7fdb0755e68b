//go:build schedule

package rangelock_test

import (
	"context"
	"testing"

	"github.com/spanlock/spanlock/internal/schedule"
	"github.com/spanlock/spanlock/rangelock"
)

// newHot is newWorld with ranges that are all hot.
func newHot(p *schedule.Program, n int) *world {
	w := newWorld(p, n)
	for i := range n {
		if !w.Promote(10 * i) {
			schedule.Failf("%v is not hot", ten(i))
		}
	}
	return w
}

// TestScheduleHot: nobody is in a hot range that is excluded, or has an exclusive guard;
// the last who leaves a stripe wakes who waits.
func TestScheduleHot(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(w *world)
		bound  int
	}{
		{"Exclude", func(w *world) { w.exclude(0) }, 3},
		{"TryExclude", func(w *world) {
			w.transaction(func(t rangelock.Writer[int, *item]) {
				if t.TryExclude(ten(0)) {
					visit(t, 5)
				}
			})
		}, 3},
		{"AcquireExclusive", func(w *world) { w.findAlone(5) }, 3},
		{"Retire", func(w *world) { w.Retire(context.Background(), ten(0)) }, 2},
		{"Swap", func(w *world) { w.swap(0) }, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{Bound: tt.bound}, func(p *schedule.Program) {
				w := newHot(p, 1)
				g, _ := w.Acquire(5)
				p.Go("holder", func() { w.use(g, 5) })
				p.Go("reader", func() { w.read(5) })
				p.Go("writer", func() { tt.change(w) })
			})
		})
	}
}

// TestScheduleHotPromote: a range becomes hot while somebody keeps readers out of it. A
// reader that goes into the new stripes is seen.
func TestScheduleHotPromote(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(w *world)
		bound  int
	}{
		{"Exclude", func(w *world) { w.exclude(0) }, 3},
		{"AcquireExclusive", func(w *world) { w.findAlone(5) }, 3},
		{"Retire", func(w *world) { w.Retire(context.Background(), ten(0)) }, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{Bound: tt.bound}, func(p *schedule.Program) {
				w := newWorld(p, 1)
				p.Go("reader", func() {
					w.PromoteFound(5)
					w.read(5)
				})
				p.Go("writer", func() { tt.change(w) })
			})
		})
	}
}

// TestScheduleHotSweep: a hot range becomes cold while readers come and go and while
// somebody keeps them out, and another range gets its stripes.
func TestScheduleHotSweep(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(w *world)
	}{
		{"Exclude", func(w *world) { w.exclude(0) }},
		{"AcquireExclusive", func(w *world) { w.findAlone(5) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
				w := newHot(p, 1)
				p.Go("reader", func() { w.find(5) })
				p.Go("writer", func() { tt.change(w) })
				p.Go("sweeper", w.Sweep)
			})
		})
	}
}

// TestScheduleHotPassedOn: the stripes of a range that has become cold serve another one.
// A reader of the first that comes late holds up nobody there, and is held up by nobody.
func TestScheduleHotPassedOn(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 2)
		w.Promote(5)
		p.Go("reader", func() { w.find(5) })
		p.Go("writer", func() {
			w.Sweep()
			w.Promote(15)
			w.exclude(1)
			w.exclude(0)
		})
	})
}

// TestScheduleHotSwaps: a hot range is swapped three times in a row, each time into a
// range object that was used before, and made hot again, while readers come late to
// release the first.
func TestScheduleHotSwaps(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		w := newHot(p, 1)
		g, _ := w.Acquire(5)
		p.Go("holder", func() { w.use(g, 5) })
		p.Go("writer", func() {
			for range 3 {
				w.swap(0)
				succeed(w.Drain(context.Background()))
				w.Promote(5)
			}
		})
	})
}
