//go:build schedule

package rangelock_test

import (
	"context"

	"github.com/spanlock/spanlock/internal/schedule"
	"github.com/spanlock/spanlock/rangelock"
)

// An item is the value of a range in the scenarios. Readers are in its room while they
// have a guard; writers that have it excluded, and OnRetire, which never leaves, must be
// there alone.
type item struct {
	schedule.Room
	calls   schedule.Word[int] // of OnRetire
	retired int                // the same, to look at in the end; or moved without a call
}

// world is a map of items, ten keys for each range, and all items there have been.
type world struct {
	*rangelock.Map[int, *item]
	items []*item

	unlinked func(*world) bool // if not nil, must hold when OnRetire is called
}

// newWorld returns a map with items on the first n tens. In the end every item is either
// in the map or has been retired, once.
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

// ten is the range of the i'th ten keys.
func ten(i int) rangelock.Range[int] { return rangelock.Span(10*i, 10*i+10) }

// item returns a new one.
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

// use looks at what a guard holds, which must cover key, and releases it.
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

// try is read by TryAcquire; a range that is always there may be busy.
func (w *world) try(key int) {
	switch g, err := w.TryAcquire(key); err {
	case nil:
		w.use(g, key)
	case rangelock.ErrBusy:
	default:
		schedule.Failf("no range for %d, which always has one: %v", key, err)
	}
}

// change goes into the room of an exclusive guard, which must cover key, as a writer does,
// and releases it.
func (w *world) change(g rangelock.Guard[int, *item], key int) {
	if r := g.Range(); key < r.Lo || key >= r.Hi && !r.Unbounded {
		schedule.Failf("an exclusive guard on %v for %d", r, key)
	}
	v := g.Value()
	v.Enter(true)
	v.Leave(true)
	g.Release()
}

// findAlone acquires a key that always has a range exclusively.
func (w *world) findAlone(key int) {
	g, ok := w.AcquireExclusive(key)
	if !ok {
		schedule.Failf("no range for %d, which always has one", key)
	}
	w.change(g, key)
}

// exclude has the i'th ten in a transaction.
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

// swap puts a new item on the i'th ten.
func (w *world) swap(i int) { succeed(w.Swap(context.Background(), ten(i), w.item())) }

// extract takes the range of key out and goes into its room, for ever, as OnRetire does.
func (w *world) extract(t rangelock.Writer[int, *item], key int) {
	_, v, err := t.Extract(key)
	succeed(err)
	v.Enter(true)
	v.retired++
}

// visit goes into the room of key, which must be excluded, and out again.
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
