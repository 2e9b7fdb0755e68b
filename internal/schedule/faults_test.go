package schedule_test

import (
	"fmt"
	"testing"

	. "github.com/spanlock/spanlock/internal/schedule"
)

// lostUpdate adds one in each of two tasks, by a load and a store.
func lostUpdate(locked bool) func(*Program) {
	return func(p *Program) {
		var m mutex
		var n Word[int]
		for range 2 {
			p.Go("adder", func() {
				if locked {
					m.lock()
					defer m.unlock()
				}
				n.Store(n.Load() + 1)
			})
		}
		p.After(func() {
			if got := n.Load(); got != 2 {
				Failf("an update is lost: %d", got)
			}
		})
	}
}

// TestLostUpdate: one preemption can lose an update, none cannot, and a lock helps.
func TestLostUpdate(t *testing.T) {
	holds(t, lostUpdate(false), Options{Search: true, Bound: 0})
	fails(t, lostUpdate(false), Options{Search: true, Bound: 1}, "an update is lost: 1")
	fails(t, lostUpdate(false), Options{Search: true, Bound: 1, Unreduced: true}, "an update is lost: 1")
	fails(t, lostUpdate(false), Options{Walks: 1000}, "an update is lost: 1")
	fails(t, lostUpdate(false), Options{Priorities: 1000, Depth: 2}, "an update is lost: 1")
	holds(t, lostUpdate(true), Options{Search: true, Bound: -1})
}

// TestLostWakeup: a waiter that looks, and then sleeps until a later waker comes, sleeps
// for ever if the waker comes in between.
func TestLostWakeup(t *testing.T) {
	program := func(lookAgain bool) func(*Program) {
		return func(p *Program) {
			var done Word[bool]
			var asleep Word[*Flag]
			p.Go("waiter", func() {
				if done.Load() {
					return
				}
				f := new(Flag)
				asleep.Store(f)
				if lookAgain && done.Load() {
					return
				}
				f.Wait()
			})
			p.Go("waker", func() {
				done.Store(true)
				if f := asleep.Load(); f != nil {
					f.Open()
				}
			})
		}
	}
	fails(t, program(false), Options{Search: true, Bound: 2}, "deadlock: 0 waiter at Flag.Wait")
	fails(t, program(false), Options{Walks: 1000}, "deadlock: 0 waiter at Flag.Wait")
	holds(t, program(true), Options{Search: true, Bound: -1})
}

// TestDeadlock: two locks taken in two orders.
func TestDeadlock(t *testing.T) {
	program := func(same bool) func(*Program) {
		return func(p *Program) {
			var a, b mutex
			take := func(first, second *mutex) func() {
				return func() {
					first.lock()
					second.lock()
					second.unlock()
					first.unlock()
				}
			}
			p.Go("ab", take(&a, &b))
			if same {
				p.Go("ab", take(&a, &b))
			} else {
				p.Go("ba", take(&b, &a))
			}
		}
	}
	holds(t, program(false), Options{Search: true, Bound: 0})
	r := fails(t, program(false), Options{Search: true, Bound: 3}, "deadlock: 0 ab at lock; 1 ba at lock")
	if r.Complete != 0 {
		t.Errorf("the deadlock needs one preemption, and was found with more: %v", r)
	}
	holds(t, program(true), Options{Search: true, Bound: -1})
}

// TestDepth: a fault that needs three ordered steps among many. The priorities find it with
// depth 3 and not with depth 1.
func TestDepth(t *testing.T) {
	program := func(p *Program) {
		var a, b, noise Word[int]
		p.Go("first", func() {
			for range 5 {
				noise.Load()
			}
			a.Store(1)
			for range 5 {
				noise.Load()
			}
			a.Store(0)
		})
		p.Go("second", func() {
			if a.Load() != 1 {
				return
			}
			b.Store(1)
			for range 5 {
				noise.Load()
			}
			b.Store(0)
		})
		p.Go("third", func() {
			if b.Load() == 1 && a.Load() == 1 {
				Failf("found")
			}
		})
	}
	o := Options{Priorities: 20000, Depth: 1}
	holds(t, program, o)
	o.Depth = 3
	fails(t, program, o, "found")
	fails(t, program, Options{Search: true, Bound: 3}, "found")
	holds(t, program, Options{Search: true, Bound: 1})
}

// TestLivelock: a task spins until a store that never comes.
func TestLivelock(t *testing.T) {
	program := func(p *Program) {
		var w Word[bool]
		p.Go("spinner", func() {
			for !w.Load() {
				Gosched()
			}
		})
		p.Go("other", func() { w.Load() })
	}
	fails(t, program, Options{Search: true, Steps: 1000}, "livelock: 1000 steps")
}

// TestGosched: a task that spins until another task's store comes to an end, without a
// preemption.
func TestGosched(t *testing.T) {
	program := func(p *Program) {
		var w Word[bool]
		p.Go("spinner", func() {
			for !w.Load() {
				Gosched()
			}
		})
		p.Go("other", func() { w.Store(true) })
	}
	for _, o := range []Options{{Walks: 100, Steps: 1000}, {Priorities: 100, Depth: 3, Steps: 1000}} {
		holds(t, program, o)
	}
}

// TestPanic: a panic in a task is a failure with a stack, and the deferred functions of the
// other tasks run.
func TestPanic(t *testing.T) {
	var unwound int
	program := func(p *Program) {
		var f Flag
		p.Go("waiter", func() {
			defer func() { unwound++ }()
			f.Wait()
		})
		p.Go("bad", func() { panic(fmt.Sprint("the ", "end")) })
	}
	r := fails(t, program, Options{Search: true}, "panic in 1 bad: the end")
	if r.Failure.Stack == "" {
		t.Error("no stack")
	}
	if unwound == 0 {
		t.Error("the waiter was not unwound")
	}
}

// TestLeak: the tasks that the program has spawned must end too.
func TestLeak(t *testing.T) {
	program := func(p *Program) {
		var f Flag
		p.Go("main", func() { Go(f.Wait) })
	}
	fails(t, program, Options{Search: true}, "leak: the program's own tasks wait for ever: 1 go at Flag.Wait")
}

// TestCancel: the end of a context comes at any time: before, during and after the wait.
func TestCancel(t *testing.T) {
	outcomes := map[string]int{}
	program := func(p *Program) {
		ctx, cancel := p.Context()
		var f gate
		p.Go("waiter", func() {
			switch {
			case ctx.Err() != nil:
				outcomes["ended before"]++
			case f.wait(ctx.Done()):
				outcomes["opened"]++
			default:
				outcomes["ended in it"]++
			}
		})
		p.Go("canceller", cancel)
		p.Go("opener", f.open)
	}
	holds(t, program, Options{Search: true, Bound: 2})
	for _, o := range []string{"ended before", "opened", "ended in it"} {
		if outcomes[o] == 0 {
			t.Errorf("never %s: %v", o, outcomes)
		}
	}
}

// gate is a Flag whose wait can be ended.
type gate struct {
	object Object
	is     bool
}

func (g *gate) Ready() bool { return g.is }

func (g *gate) open() {
	Touch("open", &g.object, Write)
	g.is = true
}

func (g *gate) wait(done <-chan struct{}) bool {
	Point(Op{What: "wait", Object: &g.object, Access: Read, Block: g, Done: done})
	return g.is
}

// TestUnlike: a program that does not do the same each time is reported.
func TestUnlike(t *testing.T) {
	n := 0
	r := Explore(func(p *Program) {
		n++
		var w Word[int]
		for range 2 + n%2 {
			p.Go("task", func() { w.Store(1) })
		}
	}, Options{Search: true, Bound: 2})
	if r.Failure == nil {
		t.Errorf("nothing is reported: %v", r)
	}
}
