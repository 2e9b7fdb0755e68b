package schedule

import (
	"context"
	"fmt"
	"time"
)

// A Program has the tasks of a scenario and the checks after all tasks have ended. The
// set-up function of the scenario fills it. That function is called once for each
// execution, and must do the same each time, with objects of its own.
type Program struct{ x *execution }

// Go adds a task. It begins at any time after the set-up.
func (p *Program) Go(name string, body func()) { p.x.spawn(name, false, body) }

// After adds a check. The check is called when all tasks have ended, including those that
// the program has spawned.
func (p *Program) After(check func()) { p.x.after = append(p.x.after, check) }

// Failf fails the execution. It does not return.
func Failf(format string, args ...any) { panic(Violation(fmt.Sprintf(format, args...))) }

// Violation is what Failf panics with.
type Violation string

// Context returns a context and a function that ends it. Ending the context, and asking it
// for its error, are points. A context of another kind would end between two points,
// unseen.
func (p *Program) Context() (ctx context.Context, cancel func()) {
	c := &cancelled{x: p.x, done: make(chan struct{})}
	return c, c.cancel
}

// cancelled is a context that a task can end.
type cancelled struct {
	x    *execution
	done chan struct{}
	err  error
}

func (c *cancelled) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }
func (c *cancelled) Done() <-chan struct{}                   { return c.done }
func (c *cancelled) Value(any) any                           { return nil }

func (c *cancelled) Err() error {
	Touch("Context.Err", &c.x.cancelled, Read)
	return c.err
}

func (c *cancelled) cancel() {
	Touch("cancel", &c.x.cancelled, Write)
	if c.err == nil {
		c.err = context.Canceled
		close(c.done)
	}
}

// A Room is a critical section. The execution fails when a writer is in the room together
// with another task. Enter and Leave are points.
type Room struct {
	object           Object
	readers, writers int
}

// Enter enters the room, to write or to read.
func (r *Room) Enter(write bool) {
	Touch("Room.Enter", &r.object, Write)
	if write {
		r.writers++
	} else {
		r.readers++
	}
	if r.writers > 1 || r.writers == 1 && r.readers > 0 {
		Failf("%d readers and %d writers in one room", r.readers, r.writers)
	}
}

// Leave leaves the room.
func (r *Room) Leave(write bool) {
	Touch("Room.Leave", &r.object, Write)
	if write {
		r.writers--
	} else {
		r.readers--
	}
}

// A Word is a variable that tasks share. Each use of it is a point.
type Word[T any] struct {
	object Object
	value  T
}

// Load returns the value.
func (w *Word[T]) Load() T {
	Touch("Word.Load", &w.object, Read)
	return w.value
}

// Store sets the value.
func (w *Word[T]) Store(v T) {
	Touch("Word.Store", &w.object, Write)
	w.value = v
}

// A Flag is a gate at which tasks can wait. Once opened, it stays open.
type Flag struct {
	object Object
	open   bool
}

// Ready reports whether the gate is open.
func (f *Flag) Ready() bool { return f.open }

// Open opens the gate.
func (f *Flag) Open() {
	Touch("Flag.Open", &f.object, Write)
	f.open = true
}

// Wait returns when the gate is open.
func (f *Flag) Wait() {
	Point(Op{What: "Flag.Wait", Object: &f.object, Access: Read, Block: f})
}

// IsOpen reports whether the gate is open.
func (f *Flag) IsOpen() bool {
	Touch("Flag.IsOpen", &f.object, Read)
	return f.open
}
