//go:build schedule

package rangelock_test

import (
	"context"

	"github.com/spanlock/spanlock/internal/schedule"
	"github.com/spanlock/spanlock/rangelock"
)

// An item is the value of a range in the scenarios. A reader is in its room while it has a guard. A
// writer that has excluded the range, and OnRetire, which never leaves, must be alone in the room.
type item struct {
	schedule.Room
	calls   schedule.Word[int] // of OnRetire
	retired int                // the same, read at the end; also counts a move without a call
}

// world is a map of items, with ten keys for each range, and all items that ever existed.
type world struct {
	*rangelock.Map[int, *item]
	items []*item

	unlinked func(*world) bool // if not nil, must hold when OnRetire is called
}

// newWorld returns a map with items on the first n tens. At the end every item must be in the map,
// or must have been retired once.
func newWorld(p *schedule.Program, n int) *world {
	w := new(world)
	w.Map = rangelock.New(&rangelock.Options[int, *item]{
		OnRetire: func(r rangelock.Range[int], v *item) {
			if w.unlinked != nil && !w.unlinked(w) {
				schedule.Failf("OnRetire of %v, which a search still finds", r)
			}
			v.Enter(true)
			v.calls.Store(v.calls.Load() + 1)
			v.retired++
		},
		SplitValue: func(_ rangelock.Range[int], _ int, v *item) (l, r *item, err error) {
			v.retired++ // it has moved
			return w.item(), w.item(), nil
		},
		MergeValue: func(_, _ rangelock.Range[int], l, r *item) (*item, bool) { return w.item(), true },
	})
	if n > 0 {
		t := w.Lock()
		for i := range n {
			succeed(t.Insert(ten(i), w.item()))
		}
		t.Unlock()
	}
	p.After(w.check)
	return w
}

// ten returns the range of the i'th ten keys.
func ten(i int) rangelock.Range[int] { return rangelock.Span(10*i, 10*i+10) }

// item returns a new item.
func (w *world) item() *item {
	v := new(item)
	w.items = append(w.items, v)
	return v
}

func (w *world) check() {
	succeed(w.Verify())
	succeed(w.Quiet())
	attached := make(map[*item]bool)
	for _, v := range w.All() {
		attached[v] = true
	}
	for i, v := range w.items {
		if attached[v] && v.retired != 0 || !attached[v] && v.retired != 1 {
			schedule.Failf("item %d: attached %v, retired %d times", i, attached[v], v.retired)
		}
	}
	if w.Publication()%2 != 0 {
		schedule.Failf("publication sequence %d in the end", w.Publication())
	}
	if s := w.Stats(); s.Pending != 0 {
		schedule.Failf("%d ranges pending in the end", s.Pending)
	}
}

// use checks that the guard covers key, enters and leaves the room of its item, and releases it.
func (w *world) use(g rangelock.Guard[int, *item], key int) {
	if r := g.Range(); key < r.Lo || key >= r.Hi && !r.Unbounded {
		schedule.Failf("a guard on %v for %d", r, key)
	}
	v := g.Value()
	v.Enter(false)
	v.Leave(false)
	g.Release()
}

// read acquires key and reports whether there was a range.
func (w *world) read(key int) bool {
	g, ok := w.Acquire(key)
	if ok {
		w.use(g, key)
	}
	return ok
}

// find is read for a key that always has a range.
func (w *world) find(key int) {
	if !w.read(key) {
		schedule.Failf("no range for %d, which always has one", key)
	}
}

// try is read by TryAcquire, for a range that is always in the map but may be busy.
func (w *world) try(key int) {
	switch g, err := w.TryAcquire(key); err {
	case nil:
		w.use(g, key)
	case rangelock.ErrBusy:
	default:
		schedule.Failf("no range for %d, which always has one: %v", key, err)
	}
}

// change enters the room of an exclusive guard as a writer does, and releases the guard. The guard
// must cover key.
func (w *world) change(g rangelock.Guard[int, *item], key int) {
	if r := g.Range(); key < r.Lo || key >= r.Hi && !r.Unbounded {
		schedule.Failf("an exclusive guard on %v for %d", r, key)
	}
	v := g.Value()
	v.Enter(true)
	v.Leave(true)
	g.Release()
}

// findAlone takes an exclusive guard for a key that always has a range.
func (w *world) findAlone(key int) {
	g, ok := w.AcquireExclusive(key)
	if !ok {
		schedule.Failf("no range for %d, which always has one", key)
	}
	w.change(g, key)
}

// exclude excludes the i'th ten in a transaction.
func (w *world) exclude(i int) {
	w.transaction(func(t rangelock.Writer[int, *item]) {
		succeed(t.Exclude(ten(i)))
		visit(t, 10*i)
	})
}

// transaction runs f between Lock and Unlock.
func (w *world) transaction(f func(t rangelock.Writer[int, *item])) {
	t := w.Lock()
	f(t)
	t.Unlock()
}

// swap swaps the i'th ten for a new item.
func (w *world) swap(i int) { succeed(w.Swap(context.Background(), ten(i), w.item())) }

// extract takes the range of key out of the map, and enters its room for ever, as OnRetire does.
func (w *world) extract(t rangelock.Writer[int, *item], key int) {
	_, v, err := t.Extract(key)
	succeed(err)
	v.Enter(true)
	v.retired++
}

// visit enters and leaves the room of key, which must be excluded.
func visit(t rangelock.Writer[int, *item], key int) {
	_, v, ok := t.Find(key)
	if !ok {
		schedule.Failf("the writer does not find %d", key)
	}
	v.Enter(true)
	v.Leave(true)
}

func succeed(err error) {
	if err != nil {
		schedule.Failf("%v", err)
	}
}
