package rangelock

import (
	"context"
	"time"
)

// Drain waits until OnRetire has returned for every range that has left the map
// before the call, or, without an OnRetire, until the guards on those ranges are
// released. Ranges that keep leaving while it waits do not keep it waiting.
//
// When ctx is done it stops waiting and returns a [WaitError]; where there is nothing
// to wait for it succeeds also then. Any number of goroutines may drain at once.
//
// It must not be called from OnRetire, nor by a goroutine that has a guard on a range
// that has left the map. It may be called during a transaction, also by the one who
// holds it, unless OnRetire waits for that transaction.
func (m *Map[K, V]) Drain(ctx context.Context) error {
	m.mustBeMade()
	if debug && ctx.Done() == nil {
		m.mayWait("Drain", toDrain)
	}
	start := time.Now()
	if !m.pending.wait(ctx) {
		return &WaitError[K]{For: ForRetire, Held: m.heldRanges(), Waited: time.Since(start), ended: endedBy(ctx)}
	}
	m.sweep(ctx)
	return nil
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
	if !m.flights.ground(ctx) {
		return &WaitError[K]{For: ForLoad, Waited: time.Since(start), ended: endedBy(ctx)}
	}
	return m.Drain(ctx)
}

// closeLocked clears the map under the semaphore.
func (m *Map[K, V]) closeLocked(ctx context.Context) error {
	w, err := m.LockContext(ctx)
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
