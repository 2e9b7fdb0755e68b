//go:build schedule

package rwsem_test

import (
	"testing"

	"github.com/spanlock/spanlock/internal/schedule"
)

// TestScheduleOrder: a reader that comes when a writer is queued does not overtake the
// writer.
func TestScheduleOrder(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		r := newRoom(p)
		var written schedule.Word[bool]
		r.RLock()
		p.Go("first reader", r.readLocked)
		p.Go("writer", func() {
			r.Lock()
			r.Enter(true)
			written.Store(true)
			r.Leave(true)
			r.Unlock()
		})
		late := func(lock func() bool) func() {
			return func() {
				if !r.Contended() || !lock() {
					return
				}
				if !written.Load() {
					schedule.Failf("a queued writer was overtaken")
				}
				r.readLocked()
			}
		}
		p.Go("late reader", late(func() bool { r.RLock(); return true }))
		p.Go("late try", late(r.TryRLock))
	})
}

// TestScheduleCancelHead: a writer at the head of the queue gives up. The reader behind it
// must enter at once, or it never enters: the first reader releases only after that.
func TestScheduleCancelHead(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		r := newRoom(p)
		ctx, cancel := p.Context()
		var second schedule.Flag
		r.RLock()
		p.Go("first reader", func() {
			second.Wait()
			r.readLocked()
		})
		p.Go("writer", func() {
			if r.LockContext(ctx) == nil {
				r.writeLocked() // it was granted before the end of ctx, when both readers had left
			}
		})
		p.Go("second reader", func() {
			r.RLock()
			second.Open()
			r.readLocked()
		})
		p.Go("canceller", cancel)
	})
}

// TestScheduleCancelGrant: a cancellation races the grant. A waiter that was granted keeps
// the lock or passes it on. No waiter behind it sleeps for ever.
func TestScheduleCancelGrant(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		r := newRoom(p)
		ctx, cancel := p.Context()
		r.Lock()
		p.Go("holder", r.writeLocked)
		p.Go("waiter", func() {
			if r.LockContext(ctx) == nil {
				r.writeLocked()
			}
		})
		p.Go("behind", r.write)
		p.Go("canceller", cancel)
	})
}

// TestScheduleCancelReader: the same with a reader that gives up.
func TestScheduleCancelReader(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		r := newRoom(p)
		ctx, cancel := p.Context()
		p.Go("writer", r.write)
		p.Go("reader", func() {
			if r.RLockContext(ctx) == nil {
				r.readLocked()
			}
		})
		p.Go("behind", r.read)
		p.Go("canceller", cancel)
	})
}

// TestScheduleBatch: readers that stand together are admitted together: each waits in the
// room for the other.
func TestScheduleBatch(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		r := newRoom(p)
		var in [2]schedule.Flag
		r.Lock()
		p.Go("writer", r.writeLocked)
		for i := range in {
			p.Go("reader", func() {
				r.RLock()
				in[i].Open()
				in[1-i].Wait()
				r.readLocked()
			})
		}
	})
}
