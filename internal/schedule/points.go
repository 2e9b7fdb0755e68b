package schedule

// internal/seam calls the functions of this file. Outside of an execution they do nothing,
// and the caller executes the real operation.

// Active reports whether an execution is under way, in its set-up, its tasks or its checks.
func Active() bool { return active != nil }

// Point announces an operation of the current task. It returns when it is the task's turn
// to execute it and, if it has a Block or Done, when it is enabled. In the set-up and in
// the checks no other task runs, and Point returns at once.
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

// Touch is Point for an operation that never waits, such as an atomic operation.
func Touch(what string, o *Object, a Access) {
	if active != nil {
		Point(Op{What: what, Object: o, Access: a})
	}
}

// Go makes f a task, and reports whether there is an execution.
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

// AfterFunc makes f a task that may begin at any time, if the scenario wants timers.
// Otherwise it drops f: a program must not depend on a timer to get out of a deadlock.
// AfterFunc reports whether there is an execution.
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

// Gosched is a point at which a switch to another task is not a preemption.
func Gosched() { Point(Op{What: "gosched", yields: true}) }

// Task returns the number of the current task, and reports whether there is one.
func Task() (n int, ok bool) {
	if active == nil || active.current == nil {
		return 0, false
	}
	return active.current.id, true
}

// Run returns a number that differs in each execution, and 0 outside.
func Run() uint64 {
	if active == nil {
		return 0
	}
	return active.run
}
