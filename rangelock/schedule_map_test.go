//go:build schedule

package rangelock_test

import (
	"context"
	"testing"

	"github.com/spanlock/spanlock/internal/schedule"
	"github.com/spanlock/spanlock/rangelock"
)

// TestScheduleNoGap: every reader finds a key that has a range before and after a transaction,
// whatever the transaction does in between.
func TestScheduleNoGap(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(t rangelock.Writer[int, *item], w *world)
		bound  int
	}{
		{"Swap", func(t rangelock.Writer[int, *item], w *world) { succeed(t.Swap(ten(0), w.item())) }, 3},
		{"Swap two", func(t rangelock.Writer[int, *item], w *world) {
			succeed(t.Swap(rangelock.Span(0, 20), w.item()))
		}, 3},
		{"Update", func(t rangelock.Writer[int, *item], w *world) { succeed(t.Update(5, w.item())) }, 3},
		{"Replace", func(t rangelock.Writer[int, *item], w *world) { succeed(t.Replace(ten(0), w.item())) }, 3},
		{"Remove and Insert", func(t rangelock.Writer[int, *item], w *world) {
			t.Remove(ten(0))
			succeed(t.Insert(rangelock.Span(3, 7), w.item()))
		}, 3},
		{"Retire and Insert", func(t rangelock.Writer[int, *item], w *world) {
			t.Retire(ten(0))
			succeed(t.Insert(rangelock.Span(3, 7), w.item()))
		}, 3},
		{"Put", func(t rangelock.Writer[int, *item], w *world) {
			succeed(t.Put(rangelock.Span(-3, 12), w.item()))
		}, 2},
		{"Put beside", func(t rangelock.Writer[int, *item], w *world) {
			succeed(t.Put(rangelock.Span(7, 10), w.item()))
		}, 2},
		{"Put inside", func(t rangelock.Writer[int, *item], w *world) {
			succeed(t.Put(rangelock.Span(2, 4), w.item()))
		}, 2},
		{"Evict and Insert", func(t rangelock.Writer[int, *item], w *world) {
			_, err := t.Evict(rangelock.Span(7, 8))
			succeed(err)
			succeed(t.Insert(rangelock.Span(3, 7), w.item()))
		}, 3},
		{"Extract and Insert", func(t rangelock.Writer[int, *item], w *world) {
			w.extract(t, 5)
			succeed(t.Insert(rangelock.Span(3, 7), w.item()))
		}, 3},
		{"Split", func(t rangelock.Writer[int, *item], w *world) { succeed(t.Split(3)) }, 3},
		{"Merge", func(t rangelock.Writer[int, *item], w *world) {
			w.move(t, 5)
			w.move(t, 15)
			succeed(t.Merge(10))
		}, 3},
		{"Resize", func(t rangelock.Writer[int, *item], w *world) { succeed(t.Resize(5, rangelock.Span(2, 8))) }, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{Bound: tt.bound}, func(p *schedule.Program) {
				w := newWorld(p, 2)
				p.Go("reader", func() { w.find(5) })
				p.Go("writer", func() {
					w.transaction(func(t rangelock.Writer[int, *item]) { tt.change(t, w) })
				})
			})
		})
	}
}

// TestScheduleNeighbour: a transaction that changes one range does not affect a reader of another
// range in the same leaf, even if the leaf is split or removed.
func TestScheduleNeighbour(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(t rangelock.Writer[int, *item], w *world)
	}{
		{"leaf splits", func(t rangelock.Writer[int, *item], w *world) {
			succeed(t.Insert(rangelock.Span(12, 15), w.item()))
		}},
		{"leaf goes", func(t rangelock.Writer[int, *item], w *world) { t.Retire(rangelock.Span(40, 60)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
				w := newWorld(p, 6)
				if tt.name == "leaf splits" {
					w.transaction(func(t rangelock.Writer[int, *item]) { t.Retire(ten(1)) })
				}
				p.Go("reader", func() {
					w.find(5)
					w.find(35)
				})
				p.Go("writer", func() {
					w.transaction(func(t rangelock.Writer[int, *item]) { tt.change(t, w) })
				})
			})
		})
	}
}

// TestScheduleSlot: a slot of a leaf gets another range. A reader of a range in that leaf finds
// neither the old content of the slot nor a part of the new one.
//
// It kills 20_tree_in_place.
func TestScheduleSlot(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(t rangelock.Writer[int, *item], w *world)
	}{
		{"new", func(rangelock.Writer[int, *item], *world) {}},
		{"used again", func(t rangelock.Writer[int, *item], w *world) {
			succeed(t.Insert(rangelock.Span(-5, 0), w.item()))
			t.Retire(rangelock.Span(-5, 0))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
				w := newWorld(p, 2)
				w.transaction(func(t rangelock.Writer[int, *item]) { tt.before(t, w) })
				p.Go("reader", func() { w.find(5) })
				p.Go("writer", func() {
					w.transaction(func(t rangelock.Writer[int, *item]) {
						succeed(t.Insert(rangelock.Span(-10, 0), w.item()))
					})
				})
			})
		})
	}
}

// move records that the item on key is about to leave by a Merge, without an
// OnRetire.
func (w *world) move(t rangelock.Writer[int, *item], key int) {
	_, v, _ := t.Find(key)
	v.retired++
}

// TestScheduleTogether: a reader that has seen one range of a transaction also sees the other,
// and a reader that misses a range that the transaction has removed finds the one that it has
// inserted.
func TestScheduleTogether(t *testing.T) {
	for _, tt := range []struct {
		name string
		look func(w *world) bool
	}{
		{"come", func(w *world) bool { return !w.read(15) || w.read(25) }},
		{"come and go", func(w *world) bool { return !w.read(15) || !w.read(5) }},
		{"gone", func(w *world) bool { return w.read(5) || w.read(25) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
				w := newWorld(p, 1)
				p.Go("writer", func() {
					w.transaction(func(t rangelock.Writer[int, *item]) {
						succeed(t.Insert(ten(2), w.item()))
						t.Retire(ten(0))
						succeed(t.Insert(ten(1), w.item()))
					})
				})
				p.Go("reader", func() {
					if !tt.look(w) {
						schedule.Failf("half a transaction")
					}
				})
			})
		})
	}
}

// TestScheduleBorn: no reader enters an inserted range before Unlock.
func TestScheduleBorn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(t rangelock.Writer[int, *item], w *world)
	}{
		{"Insert", func(t rangelock.Writer[int, *item], w *world) { succeed(t.Insert(ten(1), w.item())) }},
		{"Swap", func(t rangelock.Writer[int, *item], w *world) { succeed(t.Swap(rangelock.Span(0, 20), w.item())) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
				w := newWorld(p, 1)
				p.Go("reader", func() { w.read(15) })
				p.Go("writer", func() {
					w.transaction(func(t rangelock.Writer[int, *item]) {
						tt.change(t, w)
						visit(t, 15)
					})
				})
			})
		})
	}
}

// TestScheduleGet: Get finds the value of one state, without a guard.
func TestScheduleGet(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		p.Go("reader", func() {
			if v, ok := w.Get(5); !ok || v == nil {
				schedule.Failf("Get: %v, %v", v, ok)
			}
		})
		p.Go("writer", func() { w.swap(0) })
		p.Go("other", func() { w.find(5) })
	})
}

// TestScheduleNext: one transaction removes the range after the first and inserts a nearer one.
// AcquireNext returns one of the two, and never the range behind them.
func TestScheduleNext(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		w := newWorld(p, 0)
		w.transaction(func(t rangelock.Writer[int, *item]) {
			succeed(t.Insert(ten(3), w.item()))
			succeed(t.Insert(ten(5), w.item()))
		})
		p.Go("reader", func() {
			g, ok := w.AcquireNext(12)
			if !ok {
				schedule.Failf("nothing behind 12")
			}
			if lo := g.Range().Lo; lo != 30 && lo != 20 {
				schedule.Failf("a gap from 12 to %d, which never was", lo)
			}
			w.use(g, g.Range().Lo)
		})
		p.Go("writer", func() {
			w.transaction(func(t rangelock.Writer[int, *item]) {
				t.Retire(ten(3))
				succeed(t.Insert(ten(2), w.item()))
			})
		})
	})
}

// TestScheduleMiss: every reader misses a key that is in a gap throughout, and TryAcquire reports
// ErrBusy or ErrNotFound.
func TestScheduleMiss(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		p.Go("reader", func() {
			if w.read(15) {
				schedule.Failf("a range for 15, which never has one")
			}
		})
		p.Go("try", func() {
			if _, err := w.TryAcquire(15); err != rangelock.ErrBusy && err != rangelock.ErrNotFound {
				schedule.Failf("TryAcquire: %v", err)
			}
		})
		p.Go("writer", func() { w.swap(0) })
	})
}

// TestScheduleReader: no transaction is under way while a Reader is.
func TestScheduleReader(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		p.Go("reader", func() {
			r := w.RLock()
			_, a, _ := r.Find(5)
			_, b, ok := r.Find(5)
			if !ok || a != b {
				schedule.Failf("the set changed under a Reader")
			}
			g, _ := r.Acquire(5)
			r.Unlock()
			w.use(g, 5)
		})
		p.Go("downgrader", func() {
			t := w.Lock()
			v := w.item()
			succeed(t.Swap(ten(0), v))
			r := t.Downgrade()
			if _, got, _ := r.Find(5); got != v {
				schedule.Failf("another writer between Downgrade and Unlock")
			}
			r.Unlock()
		})
		p.Go("writer", func() { w.swap(0) })
	})
}

// TestScheduleDrain: when Drain returns, OnRetire has been called for all ranges that had left.
func TestScheduleDrain(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		old := w.items[0]
		p.Go("reader", func() { w.find(5) })
		p.Go("writer", func() {
			w.swap(0)
			succeed(w.Drain(context.Background()))
			if old.calls.Load() != 1 {
				schedule.Failf("Drain has not waited for OnRetire")
			}
		})
	})
}

// TestScheduleDrainRange: when DrainRange returns, OnRetire has been called for the range over
// its keys that had left, even if another range leaves meanwhile and gets a slot that is free
// again.
func TestScheduleDrainRange(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 1}, func(p *schedule.Program) {
		w := newWorld(p, 2)
		old := w.items[0]
		p.Go("reader", func() { w.find(5) })
		p.Go("writer", func() {
			w.swap(0)
			succeed(w.DrainRange(context.Background(), rangelock.Span(9, 10)))
			if old.calls.Load() != 1 {
				schedule.Failf("DrainRange has not waited for OnRetire")
			}
		})
		p.Go("another", func() { w.swap(1) })
	})
}

// TestScheduleClose: a Close beside a reader, and beside another writer.
func TestScheduleClose(t *testing.T) {
	t.Run("reader", func(t *testing.T) {
		schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
			w := newWorld(p, 1)
			p.Go("reader", func() { w.read(5) })
			p.Go("closer", func() { succeed(w.Close(context.Background())) })
		})
	})
	t.Run("writer", func(t *testing.T) {
		schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
			w := newWorld(p, 1)
			p.Go("closer", func() { succeed(w.Close(context.Background())) })
			p.Go("writer", func() {
				v := w.item()
				switch err := w.Swap(context.Background(), ten(0), v); err {
				case nil:
				case rangelock.ErrClosed:
					v.retired = 1 // it never was in the map
				default:
					schedule.Failf("%v", err)
				}
			})
		})
	})
}

// TestScheduleTimers: the timer of limbo fires at any time.
func TestScheduleTimers(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2, Timers: true}, func(p *schedule.Program) {
		w := newWorld(p, 1)
		p.Go("writer", func() { w.swap(0) })
		p.Go("reader", func() { w.find(5) })
	})
}
