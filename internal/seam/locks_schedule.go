//go:build schedule

package seam

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/spanlock/spanlock/internal/schedule"
)

// Mutex is a mutual exclusion lock. In an exploration, held is its whole state.
type Mutex struct {
	o    schedule.Object
	held bool
	mu   sync.Mutex
}

// Ready reports whether the mutex is free.
func (m *Mutex) Ready() bool { return !m.held }

func (m *Mutex) Lock() {
	if !schedule.Active() {
		m.mu.Lock()
		return
	}
	schedule.Point(schedule.Op{What: "Mutex.Lock", Object: &m.o, Access: schedule.Write, Block: m})
	m.held = true
}

func (m *Mutex) TryLock() bool {
	if !schedule.Active() {
		return m.mu.TryLock()
	}
	schedule.Touch("Mutex.TryLock", &m.o, schedule.Write)
	if m.held {
		return false
	}
	m.held = true
	return true
}

func (m *Mutex) Unlock() {
	if !schedule.Active() {
		m.mu.Unlock()
		return
	}
	schedule.Touch("Mutex.Unlock", &m.o, schedule.Write)
	m.held = false
}

// Parker is where one goroutine sleeps until another wakes it. Its token is the same in an
// exploration and outside.
type Parker struct {
	o schedule.Object
	c chan struct{}
}

// NewParker returns a parker without a wake-up.
func NewParker() *Parker { return &Parker{c: make(chan struct{}, 1)} }

// Wake lets one Park return, now or later. It never blocks.
func (p *Parker) Wake() {
	schedule.Touch("Parker.Wake", &p.o, schedule.Write)
	wake(p.c)
}

// Ready reports whether a wake-up is there.
func (p *Parker) Ready() bool { return len(p.c) > 0 }

// Park blocks until Wake, and reports true, or until done is closed, and reports false.
func (p *Parker) Park(done <-chan struct{}) bool {
	if !schedule.Active() {
		return park(p.c, done)
	}
	schedule.Point(schedule.Op{What: "Parker.Park", Object: &p.o, Access: schedule.Write, Block: p, Done: done})
	select {
	case <-p.c:
		return true
	default:
		return false
	}
}

// Weighted is a semaphore with a weight. It is not a subject of exploration, so each of its
// operations is one step. It serves in order, as the real one does.
type Weighted struct {
	o    schedule.Object
	size int64
	held int64
	line []*weight
	real *semaphore.Weighted
}

// weight is a waiter in line.
type weight struct {
	n       int64
	granted bool
}

// Ready reports whether the weight has been granted.
func (w *weight) Ready() bool { return w.granted }

// NewWeighted returns a Weighted that admits n at a time.
func NewWeighted(n int64) *Weighted {
	return &Weighted{size: n, real: semaphore.NewWeighted(n)}
}

// TryAcquire takes n if that is possible at once.
func (s *Weighted) TryAcquire(n int64) bool {
	if !schedule.Active() {
		return s.real.TryAcquire(n)
	}
	schedule.Touch("Weighted.TryAcquire", &s.o, schedule.Write)
	return s.take(n)
}

func (s *Weighted) take(n int64) bool {
	if len(s.line) > 0 || s.size-s.held < n {
		return false
	}
	s.held += n
	return true
}

// Acquire takes n, or returns ctx's error.
func (s *Weighted) Acquire(ctx context.Context, n int64) error {
	if !schedule.Active() {
		return s.real.Acquire(ctx, n)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	schedule.Touch("Weighted.Acquire", &s.o, schedule.Write)
	if s.take(n) {
		return nil
	}
	w := &weight{n: n}
	s.line = append(s.line, w)
	schedule.Point(schedule.Op{What: "Weighted.wait", Object: &s.o, Access: schedule.Write, Block: w, Done: ctx.Done()})
	if err := ctx.Err(); err != nil {
		if w.granted {
			s.held -= n
		} else {
			for i, o := range s.line {
				if o == w {
					s.line = append(s.line[:i:i], s.line[i+1:]...)
					break
				}
			}
		}
		s.grant()
		return err
	}
	return nil
}

// Release releases n.
func (s *Weighted) Release(n int64) {
	if !schedule.Active() {
		s.real.Release(n)
		return
	}
	schedule.Touch("Weighted.Release", &s.o, schedule.Write)
	if s.held -= n; s.held < 0 {
		panic("semaphore: released more than held")
	}
	s.grant()
}

func (s *Weighted) grant() {
	for len(s.line) > 0 && s.size-s.held >= s.line[0].n {
		s.held += s.line[0].n
		s.line[0].granted = true
		s.line = s.line[1:]
	}
}
