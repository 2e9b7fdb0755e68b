package rangelock

import (
	"context"
	"slices"
	"time"

	"github.com/spanlock/spanlock/internal/seam"
)

// Drain, DrainRange and Close wait in the table of pending.go until ranges have been through
// OnRetire. A call is a drainer there while it waits.

// Drain waits until OnRetire has returned for every range that left the map before the call. In a
// map without an OnRetire it waits until the guards on those ranges are released and the map has
// dropped their values. Ranges that leave the map while Drain waits do not prolong the wait.
//
// When ctx is done Drain stops waiting and returns a [WaitError]. If there is nothing to wait for
// it succeeds even if ctx is done. Any number of goroutines may call Drain at once.
//
// Drain must not be called from OnRetire, nor by a goroutine that holds a guard on a range that
// has left the map. It may be called during a transaction, also by the goroutine of that
// transaction, unless OnRetire waits for the transaction.
func (m *Map[K, V]) Drain(ctx context.Context) error {
	return m.drain(ctx, "Drain")
}

// drain is Drain for the method op.
func (m *Map[K, V]) drain(ctx context.Context, op string) error {
	m.mustBeMade()
	if debug && ctx.Done() == nil {
		m.watched.mayWait("Drain", toDrain)
	}
	start := time.Now()
	t := m.waitInfo(ctx, subject[K]{op: op}, ForRetire)
	ok := m.pending.wait(ctx, func() { m.waitStart(t) })
	if err := m.afterWait(ctx, t, ForRetire, start, ok, nil); err != nil {
		return err
	}
	m.sweep(ctx)
	return nil
}

// DrainRange is like [Map.Drain], but waits only for those ranges that overlap r. So a program
// can remove the file that was mapped at r while readers of other files go on. DrainRange retires
// nothing.
//
// If r is not valid DrainRange returns a [RangeError] with [ErrBadRange]. When ctx is done it
// returns a [WaitError] with r as its Range; Held has the ranges over r that still have guards.
// If there is nothing to wait for it succeeds, even if ctx is done or the map is closed.
//
// DrainRange compares r once with the bounds of every pending range, and allocates a little for
// each range that it has to wait for. In a map without an OnRetire it waits only for guards: the
// map may keep a value for a moment longer, and only Drain waits for that.
func (m *Map[K, V]) DrainRange(ctx context.Context, r Range[K]) error {
	m.mustBeMade()
	if !m.valid(r) {
		return &RangeError[K]{Op: "DrainRange", Range: r, Err: ErrBadRange}
	}
	if debug && ctx.Done() == nil {
		m.mayDrain(r)
	}
	start := time.Now()
	t := m.waitInfo(ctx, subject[K]{op: "DrainRange", r: r}, ForRetire)
	ok := m.pending.waitRange(ctx, r, func() { m.waitStart(t) })
	return m.afterWait(ctx, t, ForRetire, start, ok, &r)
}

// sweep waits for a grace period and clears the headers in limbo, so that the map keeps no value
// of a range that has left it. If ctx ends the wait, the timer of limbo clears them.
func (m *Map[K, V]) sweep(ctx context.Context) {
	m.limbo.mu.Lock()
	empty := len(m.limbo.bags) == 0
	m.limbo.mu.Unlock()
	if empty || m.domain.Synchronize(ctx) != nil {
		return
	}
	m.limbo.mu.Lock()
	m.pollLocked()
	m.limbo.mu.Unlock()
}

// Close retires every range, makes later changes return ErrClosed, and waits as [Map.Drain]
// does. Options.MaxPending does not stop it. From then on readers find an empty map. Guards that
// are held stay valid, and Close waits for them. Close also ends the contexts of all loads of
// [Map.AcquireOrLoad] that are under way, waits for these loads, and retires what they return.
//
// When ctx is done Close returns a [WaitError]. If it was still waiting for the writer's lock,
// nothing has changed; later, the map is closed, but OnRetire has not returned for all ranges. In
// both cases another call of Close goes on. A Close of a closed map only waits for what is still
// pending.
//
// Close must not be called from OnRetire or from a load, nor by a goroutine that has a
// transaction, a Reader or a guard of the map.
func (m *Map[K, V]) Close(ctx context.Context) error {
	if debug && ctx.Done() == nil {
		m.watched.mayWait("Close", toClose)
	}
	if !m.closed.Load() {
		if err := m.closeLocked(ctx); err != nil {
			return err
		}
	}
	start := time.Now()
	t := m.waitInfo(ctx, subject[K]{op: "Close"}, ForLoad)
	ok := m.loads.cancelAll(ctx, func() { m.waitStart(t) })
	if err := m.afterWait(ctx, t, ForLoad, start, ok, nil); err != nil {
		return err
	}
	return m.drain(ctx, "Close")
}

// closeLocked takes sem, clears the map and marks it as closed.
func (m *Map[K, V]) closeLocked(ctx context.Context) error {
	w, err := m.lockFor(ctx, "Close", Range[K]{})
	if err == ErrClosed {
		return nil
	}
	if err != nil {
		return err
	}
	defer w.Unlock()
	if _, err := m.clear(false); err != nil {
		return err
	}
	m.closed.Store(true)
	return nil
}

// drainer is a call that waits: a Drain until the phases up to last are empty, or, if ranged is
// true, a DrainRange until count ranges over r have been through OnRetire.
type drainer[K any] struct {
	last   uint16
	count  int
	r      Range[K]
	ranged bool
	since  time.Time
	parker *seam.Parker
}

// wait waits until every range that left before the call has been through OnRetire, and reports
// whether all have. If not, ctx has ended. It calls begin before it parks.
func (p *pending[K, V]) wait(ctx context.Context, begin func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := &drainer[K]{last: p.nextPhaseLocked()}
	return p.emptyLocked(d.last) || p.parkLocked(ctx, d, begin) || p.emptyLocked(d.last)
}

// waitRange is wait for the ranges that overlap r.
func (p *pending[K, V]) waitRange(ctx context.Context, r Range[K], begin func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := &drainer[K]{last: p.nextPhaseLocked(), r: r, ranged: true}
	defer func() { // ctx may have ended, and compare may panic
		if d.count > 0 {
			p.unwatchLocked(d)
		}
	}()
	p.eachLocked(func(i uint32, s *slot[K, V]) bool {
		if int16(s.phase-d.last) <= 0 && p.m.overlap(s.h.bounds(), r) {
			if p.watches == nil {
				p.watches = make(map[uint32][]*drainer[K])
			}
			p.watches[i] = append(p.watches[i], d)
			d.count++
		}
		return true
	})
	return d.count == 0 || p.parkLocked(ctx, d, begin) || d.count == 0
}

// unwatchLocked removes d from all slots that it watches.
//
// Preconditions: the caller holds mu. This holds for the next method, too.
func (p *pending[K, V]) unwatchLocked(d *drainer[K]) {
	for i, ds := range p.watches {
		if ds = slices.DeleteFunc(ds, func(o *drainer[K]) bool { return o == d }); len(ds) > 0 {
			p.watches[i] = ds
		} else {
			delete(p.watches, i)
		}
	}
}

// parkLocked calls begin, and parks d until it is woken or ctx ends. It gives mu to others
// meanwhile.
func (p *pending[K, V]) parkLocked(ctx context.Context, d *drainer[K], begin func()) (woken bool) {
	d.since, d.parker = time.Now(), seam.NewParker()
	p.drains = append(p.drains, d)
	defer func() { p.drains = slices.DeleteFunc(p.drains, func(o *drainer[K]) bool { return o == d }) }()
	return parkUnlocked(ctx, &p.mu, d.parker, "rangelock.Drain", begin)
}
