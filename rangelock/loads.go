package rangelock

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/seam"
)

// loads is the load calls of a map that have not completed. It decides which call a miss joins,
// so that no two loads of one range run at once. It owns the waiters of the calls in its list.
// The steps are those of load.go.
type loads[K, V any] struct {
	m    *Map[K, V] // set by the constructor
	mu   seam.Mutex
	list []*loadCall[K, V]

	// n is the length of list. It is stored with mu held. A writer loads it without mu, and has
	// nothing to invalidate if it is 0, because list grows only with sem held for reading.
	n seam.Int64

	// closers is the calls of Close that wait until list is empty. When there is one the map is
	// closed, so list does not grow any more.
	closers []*seam.Parker
}

// join does steps 1 and 2. It returns the call that the caller has joined or started, with the
// caller's waiter; or a waiter in the queue of the range that covers the key; or a guard or an
// error, without a call.
//
// While it has the semaphore for reading no range appears, and no call that has a range to
// insert completes: such a call leaves the list in the transaction that inserts its range. So a
// miss finds either the range or the call.
func (ls *loads[K, V]) join(ctx context.Context, of subject[K], claim Range[K], load loader[K, V]) (g Guard[K, V], t *waiter[K, V], c *loadCall[K, V], w *loadWaiter[K, V], err error) {
	m := ls.m
	if err := m.lockShared(ctx, of); err != nil {
		return g, nil, nil, nil, err
	}
	defer m.sem.RUnlock()
	invariants.At("rangelock: boarding")
	key := of.key
	if h := m.find(key); h != nil {
		g, _, t := m.hold(h, false)
		return g, t, nil, nil, nil
	}
	if ctx.Err() != nil {
		return g, nil, nil, nil, m.notWaited(ctx, ForLoad)
	}
	if m.closed.Load() {
		return g, nil, nil, nil, ErrClosed
	}
	here := m.gapOf(key)
	w = &loadWaiter[K, V]{key: key, since: time.Now(), parker: seam.NewParker()}
	ls.mu.Lock()
	defer ls.mu.Unlock() // compare may panic
	for _, c := range ls.list {
		if here.has(m, c.key) && (m.options.LoadRange == nil || m.contains(c.claim, key)) {
			from, _ := ctx.Value(origin{}).(*ancestry)
			for ; from != nil; from = from.from {
				if from == c.ancestry {
					panic(fmt.Sprintf("rangelock: AcquireOrLoad of %v in the load of %v, of the same gap, waits for itself", key, c.key))
				}
			}
			if m.options.LoadRange != nil {
				w.own = m.same(claim, c.claim)
			} else {
				w.own = m.compare(key, c.key) == 0
			}
			w.late = c.givenUp || c.window.narrowed()
			c.waiters = append(c.waiters, w)
			return g, nil, c, w, nil
		}
	}
	c, loadCtx := newLoadCall(ctx, m, w, claim)
	ls.start(c)
	seam.Go(func() { c.run(loadCtx, load) })
	return g, nil, c, w, nil
}

// start puts c into the list.
//
// Preconditions: the caller holds mu, and the map's sem for reading.
func (ls *loads[K, V]) start(c *loadCall[K, V]) {
	ls.list = append(ls.list, c)
	ls.n.Store(int64(len(ls.list)))
}

// leave removes w from c, and reports whether it could: it cannot if c has completed. The last
// waiter to leave ends the context of load.
func (ls *loads[K, V]) leave(c *loadCall[K, V], w *loadWaiter[K, V]) bool {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if c.completed {
		return false
	}
	c.waiters = slices.DeleteFunc(c.waiters, func(o *loadWaiter[K, V]) bool { return o == w })
	if len(c.waiters) == 0 {
		c.givenUp = true
		c.cancel()
	}
	return true
}

// complete removes c from the list and returns its waiters. From here on they cannot leave, but
// wait until c wakes them. A second complete of the same call only returns the waiters.
//
// Preconditions: the caller is the goroutine of c.
func (ls *loads[K, V]) complete(c *loadCall[K, V]) []*loadWaiter[K, V] {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if c.completed {
		return c.settled
	}
	c.completed = true
	c.settled, c.waiters = c.waiters, nil
	ls.list = slices.DeleteFunc(ls.list, func(o *loadCall[K, V]) bool { return o == c })
	ls.n.Store(int64(len(ls.list)))
	if len(ls.list) == 0 {
		for _, p := range ls.closers {
			p.Wake()
		}
	}
	return c.settled
}

// cancelAll ends the contexts of all loads, and waits until their calls have completed. What
// they have loaded is counted as pending then. It reports whether they have completed; if not,
// ctx has ended. It calls begin before it parks.
//
// Preconditions: the map is closed.
func (ls *loads[K, V]) cancelAll(ctx context.Context, begin func()) bool {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if len(ls.list) == 0 {
		return true
	}
	for _, c := range ls.list {
		c.closing = true
		c.cancel()
	}
	p := seam.NewParker()
	ls.closers = append(ls.closers, p)
	defer func() { ls.closers = slices.DeleteFunc(ls.closers, func(o *seam.Parker) bool { return o == p }) }()
	return parkUnlocked(ctx, &ls.mu, p, "rangelock.Load", begin) || len(ls.list) == 0
}

// gap is the neighbours of a key without a range; nil at the ends of the map.
type gap[K, V any] struct {
	left, right *header[K, V]
}

// gapOf returns the gap of key, which no range covers.
//
// Preconditions: the caller holds sem.
func (m *Map[K, V]) gapOf(key K) (g gap[K, V]) {
	var c rangetree.Cursor[K]
	m.tree.Seek(&c, key)
	back := c
	g.left = headerOf[K, V](back.Back())
	g.right = headerOf[K, V](c.Entry())
	return g
}

// has reports whether key lies in the gap.
func (g gap[K, V]) has(m *Map[K, V], key K) bool {
	return (g.left == nil || m.endsBy(g.left, key)) &&
		(g.right == nil || m.compare(key, g.right.Lo) < 0)
}
