//go:build schedule

package rwsem_test

import (
	"testing"

	"github.com/spanlock/spanlock/internal/schedule"
	"github.com/spanlock/spanlock/rwsem"
)

// room is a semaphore with a room behind it, which no writer may share.
type room struct {
	rwsem.Sem
	schedule.Room
}

// newRoom returns a room. In the end it must be empty, and its semaphore free.
func newRoom(p *schedule.Program) *room {
	r := new(room)
	p.After(func() {
		if s := rwsem.State(&r.Sem); s != 0 || rwsem.QueueLen(&r.Sem) != 0 {
			schedule.Failf("state %#x, %d queued in the end", s, rwsem.QueueLen(&r.Sem))
		}
		if seq, _ := r.Speculate(); seq%2 != 0 {
			schedule.Failf("sequence %d in the end", seq)
		}
	})
	return r
}

func (r *room) read() {
	r.RLock()
	r.readLocked()
}

func (r *room) readLocked() {
	r.Enter(false)
	r.Leave(false)
	r.RUnlock()
}

func (r *room) write() {
	r.Lock()
	r.writeLocked()
}

func (r *room) writeLocked() {
	r.Enter(true)
	r.Leave(true)
	r.Unlock()
}

// TestScheduleExclusion: no writer shares the room, and no goroutine waits for ever.
func TestScheduleExclusion(t *testing.T) {
	for _, tt := range []struct {
		name             string
		readers, writers int
		bound            int
	}{
		{"writer and reader", 1, 1, 5},
		{"two writers", 0, 2, 5},
		{"writer and two readers", 2, 1, 3},
		{"two writers and reader", 1, 2, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schedule.Test(t, schedule.Options{Bound: tt.bound}, func(p *schedule.Program) {
				r := newRoom(p)
				for range tt.writers {
					p.Go("writer", r.write)
				}
				for range tt.readers {
					p.Go("reader", r.read)
				}
			})
		})
	}
}

// TestScheduleTwice: a writer and a reader come again, and meet what they have left behind.
func TestScheduleTwice(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		r := newRoom(p)
		p.Go("writer", func() { r.write(); r.write() })
		p.Go("reader", func() { r.read(); r.read() })
	})
}

// TestScheduleTry: a Try that succeeds holds the lock, and one that is refused leaves
// nothing behind.
func TestScheduleTry(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		r := newRoom(p)
		p.Go("writer", r.write)
		p.Go("try to read", func() {
			if r.TryRLock() {
				r.readLocked()
			}
		})
		p.Go("try to write", func() {
			if r.TryLock() {
				r.writeLocked()
			}
		})
	})
}

// TestScheduleDowngrade: no other writer enters between the writer's release and its read
// lock, and waiting readers are admitted.
func TestScheduleDowngrade(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		r := newRoom(p)
		var v schedule.Word[int]
		p.Go("downgrader", func() {
			r.Lock()
			v.Store(1)
			r.Downgrade()
			r.Enter(false)
			if got := v.Load(); got != 1 {
				schedule.Failf("another writer got in between: %d", got)
			}
			r.Leave(false)
			r.RUnlock()
		})
		p.Go("writer", func() {
			r.Lock()
			r.Enter(true)
			v.Store(2)
			r.Leave(true)
			r.Unlock()
		})
		p.Go("reader", r.read)
	})
}

// TestScheduleSequence: what was read between Speculate and a Validate that reports true is
// one state, and the sequence is odd exactly while a writer is at work.
func TestScheduleSequence(t *testing.T) {
	schedule.Test(t, schedule.Options{}, func(p *schedule.Program) {
		r := newRoom(p)
		var a, b schedule.Word[int]
		write := func() {
			seq, ok := r.Speculate()
			if ok {
				schedule.Failf("sequence %d in a writer", seq)
			}
			a.Store(a.Load() + 1)
			b.Store(b.Load() + 1)
		}
		p.Go("writer", func() {
			r.Lock()
			write()
			r.Unlock()
		})
		p.Go("downgrader", func() {
			r.Lock()
			write()
			r.Downgrade()
			if seq, ok := r.Speculate(); !ok {
				schedule.Failf("sequence %d beside a reader", seq)
			}
			r.RUnlock()
		})
		p.Go("optimist", func() {
			seq, ok := r.Speculate()
			if !ok {
				return
			}
			x, y := a.Load(), b.Load()
			if r.Validate(seq) && x != y {
				schedule.Failf("half a state: %d, %d", x, y)
			}
		})
	})
}
