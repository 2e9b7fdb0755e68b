//go:build schedule

package seam

import (
	"runtime"
	"sync"
	"time"

	"github.com/spanlock/spanlock/internal/schedule"
)

// Pool returns first what was put last. What was put in one execution is dropped before the
// next; otherwise the executions would differ.
type Pool struct {
	New func() any

	o    schedule.Object
	run  uint64
	kept []any
	real sync.Pool
}

// Get returns something that was put, or something new.
func (p *Pool) Get() any {
	if !schedule.Active() {
		if v := p.real.Get(); v != nil {
			return v
		}
		return p.make()
	}
	schedule.Touch("Pool.Get", &p.o, schedule.Write)
	p.renew()
	n := len(p.kept)
	if n == 0 {
		return p.make()
	}
	v := p.kept[n-1]
	p.kept = p.kept[:n-1]
	return v
}

// Put keeps v for a later Get.
func (p *Pool) Put(v any) {
	if !schedule.Active() {
		p.real.Put(v)
		return
	}
	schedule.Touch("Pool.Put", &p.o, schedule.Write)
	p.renew()
	p.kept = append(p.kept, v)
}

func (p *Pool) make() any {
	if p.New == nil {
		return nil
	}
	return p.New()
}

// renew empties the pool at its first use in an execution.
func (p *Pool) renew() {
	if run := schedule.Run(); p.run != run {
		p.run, p.kept = run, p.kept[:0]
	}
}

// OnceValue returns a function that calls f once and returns what it returned.
func OnceValue[T any](f func() T) func() T {
	var mu Mutex
	var done bool
	var value T
	return func() T {
		mu.Lock()
		defer mu.Unlock()
		if !done {
			value, done = f(), true
		}
		return value
	}
}

// Go runs f as a task, or on a new goroutine.
func Go(f func()) {
	if !schedule.Go(f) {
		go f()
	}
}

// Gosched lets other tasks or goroutines run.
func Gosched() {
	if schedule.Active() {
		schedule.Gosched()
		return
	}
	runtime.Gosched()
}

// AfterFunc runs f as a task at any time, or on its own goroutine after d.
func AfterFunc(d time.Duration, f func()) {
	if !schedule.AfterFunc(f) {
		later(d, f)
	}
}
