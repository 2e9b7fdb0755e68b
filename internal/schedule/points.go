package schedule

// This file is what internal/seam calls. Outside of an execution everything here does
// nothing, and its caller does the real thing.

// Active reports whether an execution is under way, be it in its set-up, a task or its
// checks.
func Active() bool { return active != nil }

// Point announces an operation of the current task and returns when it is the task's
// turn to do it, and, if it has a Block or Done, it can be done. In the set-up and in the
// checks nobody else runs, and it returns at once.
func Point(o Op) {
	x := active
	if x == nil {
		return
	}
	if x.current == nil {
		if o.Object != nil {
			x.touchOne(nil, o.Object, o.Access)
		}
		if !o.enabled() {
			panic("schedule: " + o.What + " in the set-up or the checks would wait for ever")
		}
		return
	}
	x.point(o)
}

// Touch is Point for an operation that never waits. It is what an atomic operation does.
func Touch(what string, o *Object, a Access) {
	if active != nil {
		Point(Op{What: what, Object: o, Access: a})
	}
}

// Go makes f a task, and reports whether it did. Outside of an execution it does not.
func Go(f func()) bool {
	x := active
	if x == nil {
		return false
	}
	Point(Op{What: "go"})
	if x.giveUp == goOn {
		x.spawn("go", true, f)
	}
	return true
}

// AfterFunc makes f a task that may begin at any time, if the scenario wants timers, and
// otherwise forgets it: a timer that never fires must not be what saves a program from a
// deadlock. It reports false outside of an execution.
func AfterFunc(f func()) bool {
	x := active
	if x == nil {
		return false
	}
	if x.timers && x.giveUp == goOn {
		Point(Op{What: "timer"})
		x.spawn("timer", true, f)
	}
	return true
}

// Gosched is a point at which a switch to another task is no preemption.
func Gosched() { Point(Op{What: "gosched", yields: true}) }

// Task returns the number of the current task, and whether there is one.
func Task() (n int, ok bool) {
	if active == nil || active.current == nil {
		return 0, false
	}
	return active.current.id, true
}

// Run returns a number that is another in each execution, and 0 outside.
func Run() uint64 {
	if active == nil {
		return 0
	}
	return active.run
}
