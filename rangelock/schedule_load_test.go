//go:build schedule

package rangelock_test

import (
	"context"
	"errors"
	"testing"

	"github.com/spanlock/spanlock/internal/schedule"
	"github.com/spanlock/spanlock/rangelock"
)

// loads has the load that AcquireOrLoad calls in the scenarios, and counts its calls. The load
// returns the ten of the key.
type loads struct {
	w     *world
	calls schedule.Word[int]
	err   error // load returns it if it is not nil
}

func (l *loads) load(_ context.Context, key int) (rangelock.Range[int], *item, error) {
	l.calls.Store(l.calls.Load() + 1)
	if l.err != nil {
		return rangelock.Range[int]{}, nil, l.err
	}
	return ten(key / 10), l.w.item(), nil
}

// find calls AcquireOrLoad for key, and uses the guard. An error must be one of may.
func (l *loads) find(ctx context.Context, key int, may ...error) {
	g, err := l.w.AcquireOrLoad(ctx, key, l.load)
	if err == nil {
		l.w.use(g, key)
		return
	}
	for _, e := range may {
		if errors.Is(err, e) {
			return
		}
	}
	schedule.Failf("AcquireOrLoad of %d: %v", key, err)
}

// TestScheduleLoad: two misses wait for one load.
func TestScheduleLoad(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		l := &loads{w: newWorld(p, 1)}
		p.Go("reader", func() { l.find(context.Background(), 15) })
		p.Go("reader", func() { l.find(context.Background(), 15) })
		p.After(func() {
			if n := l.calls.Load(); n != 1 {
				schedule.Failf("%d loads", n)
			}
		})
	})
}

// TestScheduleLoadElsewhere: there are two misses in one gap, and the load of each covers only its
// own key.
func TestScheduleLoadElsewhere(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		l := &loads{w: newWorld(p, 0)}
		p.Go("reader", func() { l.find(context.Background(), 15) })
		p.Go("reader", func() { l.find(context.Background(), 25) })
		p.After(func() {
			if n := l.calls.Load(); n != 2 {
				schedule.Failf("%d loads", n)
			}
		})
	})
}

// TestScheduleLoadCancel: one caller leaves or gets its guard, and the other waits on.
func TestScheduleLoadCancel(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		l := &loads{w: newWorld(p, 0)}
		ctx, cancel := p.Context()
		p.Go("leaver", func() { l.find(ctx, 5, context.Canceled) })
		p.Go("canceller", cancel)
		p.Go("reader", func() { l.find(context.Background(), 5) })
		p.After(func() {
			if n := l.calls.Load(); n != 1 {
				schedule.Failf("%d loads", n)
			}
		})
	})
}

// TestScheduleLoadLeft: the only caller leaves. The loaded range is inserted all the same.
func TestScheduleLoadLeft(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		l := &loads{w: newWorld(p, 0)}
		ctx, cancel := p.Context()
		p.Go("leaver", func() { l.find(ctx, 5, context.Canceled) })
		p.Go("canceller", cancel)
		p.After(func() {
			if n := l.calls.Load(); n > 1 || l.w.Found(5) != (n == 1) {
				schedule.Failf("%d loads, found %v", n, l.w.Found(5))
			}
		})
	})
}

// TestScheduleLoadFails: each caller that waits for a load that fails gets the error, and no caller
// is left waiting.
func TestScheduleLoadFails(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		l := &loads{w: newWorld(p, 0), err: errors.New("no such thing")}
		p.Go("reader", func() { l.find(context.Background(), 5, l.err) })
		p.Go("reader", func() { l.find(context.Background(), 5, l.err) })
		p.After(func() {
			if n := l.calls.Load(); n < 1 || n > 2 || l.w.Found(5) {
				schedule.Failf("%d loads", n)
			}
		})
	})
}

// TestScheduleLoadLate: a load obeys its context, which ends when its only caller leaves. A caller
// that comes before the load call has completed searches again, and loads.
func TestScheduleLoadLate(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		l := &loads{w: newWorld(p, 0)}
		ctx, cancel := p.Context()
		var left schedule.Flag
		obey := func(ctx context.Context, key int) (rangelock.Range[int], *item, error) {
			left.Wait()
			l.err = ctx.Err()
			return l.load(ctx, key)
		}
		p.Go("leaver", func() {
			if g, err := l.w.AcquireOrLoad(ctx, 5, obey); err == nil {
				l.w.use(g, 5)
			} else if !errors.Is(err, context.Canceled) {
				schedule.Failf("%v", err)
			}
			left.Open()
		})
		p.Go("canceller", cancel)
		p.Go("reader", func() {
			g, err := l.w.AcquireOrLoad(context.Background(), 5, obey)
			succeed(err)
			l.w.use(g, 5)
		})
	})
}

// TestScheduleLoadInsert: a transaction inserts a range into the gap during the load. The range
// covers the key, or is only in the way of the loaded range.
func TestScheduleLoadInsert(t *testing.T) {
	for _, tt := range []struct {
		name string
		r    rangelock.Range[int]
		may  []error
	}{
		{"on the key", rangelock.Span(2, 7), nil},
		{"beside it", rangelock.Span(0, 3), []error{rangelock.ErrOverlap}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
				l := &loads{w: newWorld(p, 0)}
				p.Go("reader", func() { l.find(context.Background(), 5, tt.may...) })
				p.Go("writer", func() {
					v := l.w.item()
					switch err := l.w.Insert(context.Background(), tt.r, v); {
					case errors.Is(err, rangelock.ErrOverlap):
						v.retired = 1 // it was never in the map
					case err != nil:
						schedule.Failf("%v", err)
					}
				})
			})
		})
	}
}

// TestScheduleLoadRetire: a writer retires the loaded range at once. By then the reader that has
// waited has a guard on the range. If the load was still under way it is stale, and the reader
// loads a second time.
func TestScheduleLoadRetire(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		l := &loads{w: newWorld(p, 0)}
		p.Go("reader", func() { l.find(context.Background(), 5) })
		p.Go("writer", func() { l.w.Retire(context.Background(), ten(0)) })
		p.After(func() {
			if n := l.calls.Load(); n < 1 || n > 2 {
				schedule.Failf("%d loads", n)
			}
		})
	})
}

// TestScheduleLoadClose: the map is closed during a load. Close waits for the load.
func TestScheduleLoadClose(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		l := &loads{w: newWorld(p, 0)}
		p.Go("reader", func() { l.find(context.Background(), 5, rangelock.ErrClosed) })
		p.Go("closer", func() {
			succeed(l.w.Close(context.Background()))
			for _, v := range l.w.items {
				if v.calls.Load() != 1 {
					schedule.Failf("Close has not waited for OnRetire")
				}
			}
		})
	})
}

// TestScheduleLoadStale: while a load is under way, a writer changes the source and retires a range
// that may not be in the map yet. A reader that comes after that does not get what was read before
// it, and a stale value is retired once.
func TestScheduleLoadStale(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 1}, func(p *schedule.Program) {
		w := newWorld(p, 0)
		var source schedule.Word[int]
		var settled schedule.Flag
		read := make(map[*item]int)
		load := func(_ context.Context, key int) (rangelock.Range[int], *item, error) {
			v := w.item()
			read[v] = source.Load()
			return ten(key / 10), v, nil
		}
		ask := func(least int) {
			g, err := w.AcquireOrLoad(context.Background(), 5, load)
			succeed(err)
			if n := read[g.Value()]; n < least {
				schedule.Failf("version %d, want %d at least", n, least)
			}
			w.use(g, 5)
		}
		p.Go("reader", func() { ask(0) })
		p.Go("writer", func() {
			source.Store(1)
			w.Retire(context.Background(), ten(0))
			settled.Open()
		})
		p.Go("late reader", func() { settled.Wait(); ask(1) })
	})
}

// TestScheduleLoadStaleError is TestScheduleLoadStale with a load that fails.
func TestScheduleLoadStaleError(t *testing.T) {
	schedule.Test(t, schedule.Options{Bound: 2}, func(p *schedule.Program) {
		w := newWorld(p, 0)
		var source schedule.Word[int]
		var settled schedule.Flag
		before, after := errors.New("before"), errors.New("after")
		load := func(context.Context, int) (rangelock.Range[int], *item, error) {
			if source.Load() == 0 {
				return rangelock.Range[int]{}, nil, before
			}
			return rangelock.Range[int]{}, nil, after
		}
		p.Go("reader", func() { w.AcquireOrLoad(context.Background(), 5, load) })
		p.Go("writer", func() {
			source.Store(1)
			w.Retire(context.Background(), rangelock.Span(7, 8)) // the loaded range could have had this key
			settled.Open()
		})
		p.Go("late reader", func() {
			settled.Wait()
			if _, err := w.AcquireOrLoad(context.Background(), 5, load); err != after {
				schedule.Failf("%v", err)
			}
		})
	})
}
