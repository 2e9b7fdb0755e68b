//go:build schedule

package rangelock_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/spanlock/spanlock/internal/schedule"
	"github.com/spanlock/spanlock/rangelock"
)

// newAnnounced is newWorld with ranges that are all announced.
func newAnnounced(p *schedule.Program, n int) *world {
	w := newWorld(p, n)
	for i := range n {
		if !w.Announcing(10 * i) {
			schedule.Failf("the readers of %v do not announce themselves", ten(i))
		}
	}
	return w
}

// TestScheduleAnnounced: no reader is in an announced range that is excluded, or has an exclusive
// guard. The last reader that leaves wakes the waiter.
func TestScheduleAnnounced(t *testing.T) {
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
		{"TryAcquireExclusive", func(w *world) {
			if g, err := w.TryAcquireExclusive(5); err == nil {
				w.change(g, 5)
			}
		}, 3},
		{"Retire", func(w *world) { w.Retire(context.Background(), ten(0)) }, 2},
		{"Swap", func(w *world) { w.swap(0) }, 2},
		{"Extract", func(w *world) {
			w.transaction(func(t rangelock.Writer[int, *item]) { w.extract(t, 5) })
		}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{Bound: tt.bound}, func(p *schedule.Program) {
				w := newAnnounced(p, 1)
				g, _ := w.Acquire(5)
				p.Go("holder", func() { w.use(g, 5) })
				p.Go("reader", func() { w.read(5) })
				p.Go("writer", func() { tt.change(w) })
			})
		})
	}
}

// TestScheduleAnnouncing: a range becomes announced while a goroutine begins to keep readers out of
// it. That goroutine sees a reader that announces itself then.
func TestScheduleAnnouncing(t *testing.T) {
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
					w.AnnouncingFound(5)
					w.read(5)
				})
				p.Go("writer", func() { tt.change(w) })
			})
		})
	}
}

// TestScheduleLinesFull: two guards fill the line, and a third reader counts, or announces itself
// when one of them has left. A goroutine that wants the range for itself waits for all three.
func TestScheduleLinesFull(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(w *world)
	}{
		{"Exclude", func(w *world) { w.exclude(0) }},
		{"AcquireExclusive", func(w *world) { w.findAlone(5) }},
		{"Swap", func(w *world) { w.swap(0) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
				w := newAnnounced(p, 1)
				g, _ := w.Acquire(5)
				h, _ := w.Acquire(5)
				p.Go("holder", func() {
					w.use(g, 5)
					w.use(h, 5)
				})
				p.Go("reader", func() { w.read(5) })
				p.Go("writer", func() { tt.change(w) })
			})
		})
	}
}

// TestScheduleAnnouncedBoth is a smaller scenario with more preemptions: a reader announces itself
// at the time of the look.
//
// It kills 174_marks_before_bits.
func TestScheduleAnnouncedBoth(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 3}, func(p *schedule.Program) {
		w := newAnnounced(p, 2)
		p.Go("reader", func() { w.read(15) })
		p.Go("writer", func() {
			w.transaction(func(t rangelock.Writer[int, *item]) {
				if n, err := t.Clear(); n != 2 || err != nil {
					schedule.Failf("%d ranges, %v", n, err)
				}
			})
		})
	})
}

// TestScheduleUntold: a range leaves a map without an OnRetire, and is finished at once if no reader
// is in it. Meanwhile a reader enters and makes the range announced. When Drain returns no reader
// is in the range.
func TestScheduleUntold(t *testing.T) {
	type untold = rangelock.Map[int, *schedule.Room]
	for _, tt := range []struct {
		name  string
		leave func(m *untold) error
		bound int // if the range is not announced from the beginning
	}{
		{"Retire", func(m *untold) error { _, err := m.Retire(context.Background(), ten(0)); return err }, 3},
		{"Retire both", func(m *untold) error { _, err := m.Retire(context.Background(), rangelock.Span(0, 20)); return err }, 2},
		{"Swap", func(m *untold) error { return m.Swap(context.Background(), ten(0), new(schedule.Room)) }, 2},
		{"Exclude and Retire", func(m *untold) error {
			t := m.Lock()
			defer t.Unlock()
			if err := t.Exclude(ten(0)); err != nil {
				return err
			}
			_, err := t.Retire(ten(0))
			return err
		}, 2},
	} {
		for _, already := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/announced=%t", tt.name, already), func(t *testing.T) {
				bound := 2
				if !already {
					bound = tt.bound
				}
				schedule.Test(t, schedule.Options{Bound: bound}, func(p *schedule.Program) {
					m := rangelock.New[int, *schedule.Room](nil)
					room := new(schedule.Room)
					succeed(m.Insert(context.Background(), ten(0), room))
					succeed(m.Insert(context.Background(), ten(1), new(schedule.Room)))
					read := func() {
						if g, ok := m.Acquire(5); ok {
							g.Value().Enter(false)
							g.Value().Leave(false)
							g.Release()
						}
					}
					p.Go("reader", read)
					if already {
						m.Announcing(5)
						p.Go("second reader", read)
					} else {
						p.Go("meeting", func() { m.AnnouncingFound(5) })
					}
					p.Go("writer", func() {
						succeed(tt.leave(m))
						succeed(m.Drain(context.Background()))
						room.Enter(true)
					})
					p.After(func() { succeed(m.Quiet()) })
				})
			})
		}
	}
}

// TestScheduleAnnouncedSwaps: an announced range is swapped three times in a row, each time into a
// header that was used before, and made announced again, while readers release the first range
// late.
func TestScheduleAnnouncedSwaps(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		w := newAnnounced(p, 1)
		g, _ := w.Acquire(5)
		p.Go("holder", func() { w.use(g, 5) })
		p.Go("writer", func() {
			for range 3 {
				w.swap(0)
				succeed(w.Drain(context.Background()))
				w.Announcing(5)
			}
		})
	})
}

// TestScheduleClone: a guard is cloned and released while another goroutine wants the range for
// itself, or takes it out of the map. No goroutine enters beside the clone, and every waiter is
// woken.
func TestScheduleClone(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(w *world)
	}{
		{"Exclude", func(w *world) { w.exclude(0) }},
		{"AcquireExclusive", func(w *world) { w.findAlone(5) }},
		{"TryAcquireExclusive", func(w *world) {
			if g, err := w.TryAcquireExclusive(5); err == nil {
				w.change(g, 5)
			}
		}},
		{"Retire", func(w *world) { w.Retire(context.Background(), ten(0)) }},
	} {
		for _, marked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/announced=%t", tt.name, marked), func(t *testing.T) {
				schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
					w := newWorld(p, 1)
					if marked {
						w.Announcing(5)
					}
					g, _ := w.Acquire(5)
					p.Go("holder", func() {
						c := g.Clone()
						g.Release()
						v := c.Value()
						v.Enter(false)
						v.Leave(false)
						w.use(c, 5)
					})
					p.Go("reader", func() { w.read(5) })
					p.Go("writer", func() { tt.change(w) })
				})
			})
		}
	}
}

// TestScheduleDowngrade: an exclusive guard becomes a shared one while other goroutines wait in the
// queue, and while a writer excludes the range or takes it out of the map.
func TestScheduleDowngrade(t *testing.T) {
	for _, tt := range []struct {
		name  string
		other func(w *world)
	}{
		{"AcquireExclusive", func(w *world) { w.findAlone(5) }},
		{"Exclude", func(w *world) { w.exclude(0) }},
		{"Swap", func(w *world) { w.swap(0) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
				w := newWorld(p, 1)
				e, _ := w.AcquireExclusive(5)
				p.Go("holder", func() {
					v := e.Value()
					v.Enter(true)
					v.Leave(true)
					e.Downgrade()
					w.use(e, 5)
				})
				p.Go("reader", func() { w.find(5) })
				p.Go("other", func() { tt.other(w) })
			})
		})
	}
}
