package rangelock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spanlock/spanlock/internal/seam"
)

// This file is the wait for room under Options.MaxPending. It owns pending.rooms, the queue of the
// calls of Room, first come first served. pending.mu protects it. Whatever takes cost off the
// pending ranges calls grantLocked.

// Room waits until an operation of the given cost fits under Options.MaxPending. It reserves
// nothing, so another writer may use the room first. It holds no lock while it waits. Calls of
// Room are served in the order in which they came. The cost is in units of Options.Cost; the
// [BacklogError] of a refused operation has the cost of that operation.
//
// A transaction that finds no room ends, waits in Room, and begins anew; see the example. With
// Options.WaitForRoom the one-operation forms do so by themselves.
//
// If ctx ends first Room returns a [WaitError]. If there is room at once Room succeeds even if
// ctx has ended. It returns [ErrBacklog] at once if the cost is more than MaxPending, because that
// will never fit, and [ErrClosed] on a closed map. Without a MaxPending there is always room.
// Room panics if the cost is negative.
//
// Room must not be called from OnRetire, or by a goroutine that holds a guard on a range that has
// left the map, because Room may wait for them.
func (m *Map[K, V]) Room(ctx context.Context, cost int64) error {
	return m.room(ctx, subject[K]{op: "Room"}, cost)
}

// room is Room for the call that of describes.
func (m *Map[K, V]) room(ctx context.Context, of subject[K], cost int64) error {
	if cost < 0 {
		panic(fmt.Sprintf("rangelock: Room for a negative cost %d", cost))
	}
	m.mustBeMade()
	if debug && ctx.Done() == nil {
		m.watched.mayWait("Room", toDrain)
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

// retry reports whether a one-operation form that has returned err must be tried again: there
// was no room for it, and retry has waited until there was.
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

// roomWaiter is a call of Room that waits.
type roomWaiter struct {
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

// awaitRoom waits until cost fits under max beside what is pending. It returns when the wait
// began, and whether the cost fits; if not, ctx has ended. It calls begin before it parks.
func (p *pending[K, V]) awaitRoom(ctx context.Context, cost, max int64, begin func()) (since time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := &roomWaiter{cost: cost, max: max}
	if len(p.rooms) == 0 && x.fits(p.cost) {
		return since, true
	}
	x.since, x.parker = time.Now(), seam.NewParker()
	p.rooms = append(p.rooms, x)
	defer func() {
		if at := slices.Index(p.rooms, x); at >= 0 {
			p.rooms = slices.Delete(p.rooms, at, at+1)
			p.grantLocked() // the calls behind it may have waited only for it
		} else {
			ok = true // granted; this stands even if ctx has ended meanwhile
		}
	}()
	return x.since, parkUnlocked(ctx, &p.mu, x.parker, "rangelock.Room", begin)
}

// fits reports whether the cost of x fits beside there, the cost of what is pending.
func (x *roomWaiter) fits(there total) bool {
	there.add(x.cost)
	return there.within(x.max)
}

// grantLocked wakes the calls at the head of the queue, as many as fit together.
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
