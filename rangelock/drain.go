package rangelock

import (
	"context"
	"slices"
	"time"

	"github.com/spanlock/spanlock/internal/seam"
)

// Drain waits until OnRetire has returned for every range that has left the map
// before the call, or, without an OnRetire, until the guards on those ranges are
// released and the map keeps their values no more. Ranges that keep leaving while it
// waits do not keep it waiting.
//
// When ctx is done it stops waiting and returns a [WaitError]; where there is nothing
// to wait for it succeeds also then. Any number of goroutines may drain at once.
//
// It must not be called from OnRetire, nor by a goroutine that has a guard on a range
// that has left the map. It may be called during a transaction, also by the one who
// holds it, unless OnRetire waits for that transaction.
func (m *Map[K, V]) Drain(ctx context.Context) error {
	return m.drain(ctx, "Drain")
}

// drain is Drain for the method op.
func (m *Map[K, V]) drain(ctx context.Context, op string) error {
	m.mustBeMade()
	if debug && ctx.Done() == nil {
		m.mayWait("Drain", toDrain)
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

// DrainRange is [Map.Drain] for the ranges that have left the map before the call and overlap
// r, the whole of each. It waits for no other range: a file that was mapped there can be
// removed while readers of other files go on. It retires nothing.
//
// An r that is not valid is a [RangeError] with [ErrBadRange]. The [WaitError] has r as its
// Range, and as Held those ranges over r that still have guards. DrainRange compares r with the
// bounds of all that is pending, once, and allocates a little for each range that it has to wait
// for. Where there is nothing to wait for it succeeds, also if ctx is done or the map is closed.
// In a map without an OnRetire it waits for guards only: the map may keep a value for a moment
// longer, for which Drain waits.
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

// sweep waits for a grace period and clears what is in limbo, so that nothing of
// what left the map is kept. If ctx ends it first the timer will do it.
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

// Close retires every range, makes the map refuse further changes with ErrClosed,
// and waits as [Map.Drain] does. MaxPending does not count. Readers find an empty map
// from then on; guards that are held stay good, and Close waits for them. It ends the
// contexts of all loads of [Map.AcquireOrLoad] that are under way, waits for them, too,
// and retires what they return.
//
// When ctx is done before it has its turn as a writer, nothing has changed; when
// ctx is done later, the map is closed, but OnRetire has not returned for some
// ranges yet. In both cases it returns a [WaitError], and calling it again goes on. A
// second Close of a closed map only waits, for what is still pending.
//
// It must not be called from OnRetire, nor during a transaction by the one who holds
// it, nor by a goroutine that has a guard or a Reader of the map, nor by a load.
func (m *Map[K, V]) Close(ctx context.Context) error {
	if debug && ctx.Done() == nil {
		m.mayWait("Close", toClose)
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

// closeLocked clears the map under the semaphore.
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

// drainer is a Drain that waits until the phases up to last are empty, or a DrainRange that
// waits for count ranges over r.
type drainer[K any] struct {
	last   uint16
	count  int
	r      Range[K]
	ranged bool
	since  time.Time
	parker *seam.Parker
}

// wait waits until every range that has left before the call is through, and reports whether
// they are; if not, ctx has ended. It calls begin before it parks.
func (p *pending[K, V]) wait(ctx context.Context, begin func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := &drainer[K]{last: p.turnLocked()}
	return p.emptyLocked(d.last) || p.parkLocked(ctx, d, begin) || p.emptyLocked(d.last)
}

// waitRange is wait for the ranges that overlap r.
func (p *pending[K, V]) waitRange(ctx context.Context, r Range[K], begin func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := &drainer[K]{last: p.turnLocked(), r: r, ranged: true}
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

// unwatchLocked takes away what d watches.
//
// Preconditions: the caller holds mu; so for the next.
func (p *pending[K, V]) unwatchLocked(d *drainer[K]) {
	for i, ds := range p.watches {
		if ds = slices.DeleteFunc(ds, func(o *drainer[K]) bool { return o == d }); len(ds) > 0 {
			p.watches[i] = ds
		} else {
			delete(p.watches, i)
		}
	}
}

// parkLocked calls begin, and parks d until it is woken, or ctx ends. It gives mu back meanwhile.
func (p *pending[K, V]) parkLocked(ctx context.Context, d *drainer[K], begin func()) (woken bool) {
	d.since, d.parker = time.Now(), seam.NewParker()
	p.line = append(p.line, d)
	defer func() { p.line = slices.DeleteFunc(p.line, func(o *drainer[K]) bool { return o == d }) }()
	return parkUnlocked(ctx, &p.mu, d.parker, "rangelock.Drain", begin)
}
