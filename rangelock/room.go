package rangelock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spanlock/spanlock/internal/seam"
)

// Room waits until an operation of the given cost fits under Options.MaxPending. It
// reserves nothing: another writer may be quicker. It holds no lock while it waits, and
// those that wait are served in the order in which they came. The cost is in units of
// Options.Cost; what a refused operation would have cost stands in its [BacklogError].
//
// A transaction that finds no room ends, waits in Room, and begins anew; the example
// shows it. The one-operation forms do that by themselves where Options.WaitForRoom says
// so.
//
// ctx ends the wait, with a [WaitError]; where nothing has to be waited for, Room succeeds
// also when ctx is done. It returns [ErrBacklog] at once if the cost is more than
// MaxPending, because it will never fit, and [ErrClosed] on a closed map. Without a
// MaxPending there is always room. It panics if the cost is negative.
//
// It must not be called from OnRetire, nor by a goroutine that has a guard on a range
// that has left the map: both may be what it waits for.
func (m *Map[K, V]) Room(ctx context.Context, cost int64) error {
	return m.room(ctx, subject[K]{op: "Room"}, cost)
}

// room is Room for a call about of.
func (m *Map[K, V]) room(ctx context.Context, of subject[K], cost int64) error {
	if cost < 0 {
		panic(fmt.Sprintf("rangelock: Room for a negative cost %d", cost))
	}
	m.mustBeMade()
	if debug && ctx.Done() == nil {
		m.mayWait("Room", toDrain)
	}
	max := m.options.MaxPending
	switch {
	case m.closed.Load():
		return ErrClosed
	case max == 0:
		return nil
	case cost > max:
		return &BacklogError[K]{Cost: cost, Pending: m.pending.costNow(), MaxPending: max, rangeless: true}
	}
	t := m.waitInfo(ctx, of, ForRoom)
	since, ok := m.pending.awaitRoom(ctx, cost, max, func() { m.waitStart(t) })
	return m.afterWait(ctx, t, ForRoom, since, ok, nil)
}

// retry reports whether a one-operation form that returned err is to be tried again:
// there was no room for it, and now there is.
func (m *Map[K, V]) retry(ctx context.Context, of subject[K], err error) (bool, error) {
	if err == nil || !m.options.WaitForRoom {
		return false, err
	}
	var full *BacklogError[K]
	if !errors.As(err, &full) || full.Cost > full.MaxPending {
		return false, err
	}
	err = m.room(ctx, of, full.Cost)
	return err == nil, err
}

// roomer is a call of Room that waits.
type roomer struct {
	cost   int64
	max    int64
	since  time.Time
	parker *seam.Parker
}

// costNow returns the cost of what is pending.
func (p *pending[K, V]) costNow() int64 {
	_, cost := p.sum()
	return cost
}

// awaitRoom waits until cost more fits under max, and reports whether it does, and when
// the wait began; if not, ctx has ended. It calls begin before it parks.
func (p *pending[K, V]) awaitRoom(ctx context.Context, cost, max int64, begin func()) (since time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := &roomer{cost: cost, max: max}
	if len(p.rooms) == 0 && x.fits(p.cost) {
		return since, true
	}
	x.since, x.parker = time.Now(), seam.NewParker()
	p.rooms = append(p.rooms, x)
	defer func() {
		if at := slices.Index(p.rooms, x); at >= 0 {
			p.rooms = slices.Delete(p.rooms, at, at+1)
			p.grantLocked() // it may have been what those behind it waited for
		} else {
			ok = true // granted, also if ctx has ended meanwhile
		}
	}()
	return x.since, parkUnlocked(ctx, &p.mu, x.parker, "rangelock.Room", begin)
}

// fits reports whether x's cost fits beside what is pending.
func (x *roomer) fits(there total) bool {
	there.add(x.cost)
	return there.within(x.max)
}

// grantLocked lets those at the head of the line go for whom there is room together.
//
// Preconditions: the caller holds mu.
func (p *pending[K, V]) grantLocked() {
	there := p.cost
	for len(p.rooms) > 0 && p.rooms[0].fits(there) {
		there.add(p.rooms[0].cost)
		p.rooms[0].parker.Wake()
		p.rooms = slices.Delete(p.rooms, 0, 1)
	}
}
