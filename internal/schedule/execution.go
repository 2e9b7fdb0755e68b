package schedule

import (
	"fmt"
	"strings"
)

// active is the execution that is under way, or nil. One goroutine and its coroutines set
// and read it. Ordinary code under -tags schedule finds it nil.
var active *execution

// givenUp says whether an execution was given up, and why.
type givenUp int

const (
	goOn   givenUp = iota
	pruned         // another schedule is equivalent
	failed
)

// An execution is one run of the program under one schedule.
type execution struct {
	strategy strategy
	maxSteps int

	run      uint64 // its number; an object with another number belongs to an earlier execution
	tasks    []*task
	current  *task // nil during the set-up
	next     *task // the task that the main loop resumes
	steps    int
	sleepers int
	giveUp   givenUp
	failure  *Failure
	after    []func()

	cancelled Object // all contexts
	setUp     int    // objects that the set-up touched
	timers    bool   // AfterFunc spawns

	// shared[c][n] says that several tasks use, in a conflicting way, the object whose
	// creator is c and whose ordinal is n. It is kept across executions.
	shared  [maxTasks + 1][]bool
	learned bool // shared has changed

	runs []stretch // the schedule so far

	tracing bool
	trace   []string
	names   map[*Object]int

	workers  []*worker // idle
	allotted []*task   // to be used again
}

// A stretch is a number of consecutive steps of one task.
type stretch struct{ task, steps int }

// spawn makes a task. The task begins when the strategy chooses it.
func (x *execution) spawn(name string, spawned bool, body func()) {
	id := len(x.tasks)
	if id == maxTasks {
		panic(fmt.Sprintf("schedule: more than %d tasks", maxTasks))
	}
	for len(x.allotted) <= id {
		x.allotted = append(x.allotted, new(task))
	}
	t := x.allotted[id]
	*t = task{id: id, name: name, body: body, spawned: spawned, pending: Op{What: "begin"}}
	x.tasks = append(x.tasks, t)
	x.strategy.spawned(x, t)
}

// perform runs the program once.
func (x *execution) perform(program func(*Program)) {
	x.run++
	x.tasks, x.runs, x.trace = x.tasks[:0], x.runs[:0], x.trace[:0]
	x.current, x.next, x.failure, x.after = nil, nil, nil, nil
	x.steps, x.sleepers, x.setUp, x.giveUp = 0, 0, 0, goOn
	x.cancelled = Object{}
	if x.tracing {
		x.names = make(map[*Object]int)
	}
	active = x
	defer func() { active = nil }()

	program(&Program{x})
	for x.next = x.choose(); x.next != nil; {
		t := x.next
		x.current = t
		if t.worker == nil {
			x.executed(t)
			t.worker = x.idle(t)
		}
		t.worker.resume()
		if t.done {
			x.workers = append(x.workers, t.worker)
		}
		if x.giveUp != goOn {
			break
		}
		if t.done {
			x.next = x.choose()
		}
	}
	x.kill()
	x.current = nil
	if x.giveUp == goOn {
		x.finish()
	}
}

// idle returns a worker for t.
func (x *execution) idle(t *task) *worker {
	n := len(x.workers)
	if n == 0 {
		w := newWorker(x)
		w.task = t
		return w
	}
	w := x.workers[n-1]
	x.workers = x.workers[:n-1]
	w.task = t
	return w
}

// kill ends the tasks that are under way, from inside, so that their coroutines can be used
// again. Their deferred functions run; operations in these are no points.
func (x *execution) kill() {
	for _, t := range x.tasks {
		if t.worker != nil && t.worker.task == t {
			x.current = t
			t.worker.resume()
			x.workers = append(x.workers, t.worker)
		}
	}
}

// finish runs the program's checks.
func (x *execution) finish() {
	defer func() {
		if r := recover(); r != nil {
			x.fail("after the end: %v", r)
		}
	}()
	for _, f := range x.after {
		f()
	}
}

// fail records a failure of the execution. Only the first one counts.
func (x *execution) fail(format string, args ...any) {
	if x.giveUp == goOn {
		x.giveUp = failed
		x.failure = &Failure{Message: fmt.Sprintf(format, args...)}
	}
}

// point announces the current task's next operation, and returns when it is to be executed.
func (x *execution) point(o Op) {
	t := x.current
	if x.giveUp != goOn {
		x.steps++ // a deferred function that never ends must not hang us
		if x.steps > 2*x.maxSteps {
			panic(killed{})
		}
		return
	}
	t.pending = o
	x.touch(t, &t.pending)
	if x.steps >= x.maxSteps {
		x.fail("livelock: %d steps and no end", x.steps)
	}
	if x.giveUp == goOn {
		x.next = x.choose()
	}
	if x.next != t || x.giveUp != goOn {
		t.worker.yield(struct{}{})
		if x.giveUp != goOn {
			panic(killed{})
		}
	}
	x.executed(t)
}

// executed records the step that t is about to take.
func (x *execution) executed(t *task) {
	x.steps++
	if n := len(x.runs); n > 0 && x.runs[n-1].task == t.id {
		x.runs[n-1].steps++
	} else {
		x.runs = append(x.runs, stretch{t.id, 1})
	}
	if x.sleepers > 0 {
		x.rouse(&t.pending)
	}
	if x.tracing {
		x.note(t)
	}
}

// rouse wakes the sleeping tasks whose next operation conflicts with o.
func (x *execution) rouse(o *Op) {
	for _, s := range x.tasks {
		if s.asleep && s.pending.conflicts(o, &x.cancelled) {
			s.asleep = false
			x.sleepers--
		}
	}
}

// touch records which task uses which object, and learns which objects are shared.
func (x *execution) touch(t *task, o *Op) {
	if o.Object != nil {
		x.touchOne(t, o.Object, o.Access)
	}
	if o.Done != nil {
		x.touchOne(t, &x.cancelled, Read)
	}
}

func (x *execution) touchOne(t *task, o *Object, a Access) {
	if o.run != x.run {
		*o = Object{run: x.run}
		if t == nil {
			o.ordinal = uint16(x.setUp)
			x.setUp++
		} else {
			o.creator, o.ordinal = uint16(t.id+1), uint16(t.touched)
			t.touched++
		}
	}
	if t == nil {
		return
	}
	me := uint32(1) << t.id
	if a == Write {
		o.writers |= me
	} else {
		o.readers |= me
	}
	if all := o.writers | o.readers; o.writers == 0 || all&(all-1) == 0 {
		return
	}
	known := x.shared[o.creator]
	for len(known) <= int(o.ordinal) {
		known = append(known, false)
	}
	x.shared[o.creator] = known
	if !known[o.ordinal] {
		known[o.ordinal] = true
		x.learned = true
	}
}

// isShared reports whether an operation's object is known to be shared.
func (x *execution) isShared(o *Op) bool {
	return o.Object != nil && x.knows(o.Object) || o.Done != nil && x.knows(&x.cancelled)
}

func (x *execution) knows(o *Object) bool {
	known := x.shared[o.creator]
	return int(o.ordinal) < len(known) && known[o.ordinal]
}

// choose returns the task that goes on, or nil if the execution is over or has been given
// up.
func (x *execution) choose() *task {
	t := x.current
	can := t != nil && !t.done && t.pending.enabled()
	if can && !x.strategy.interested(x, t) {
		return t
	}
	if t != nil && !t.done && !can && x.sleepers > 0 {
		x.rouse(&t.pending)
	}
	var enabled uint32
	live := 0
	for _, s := range x.tasks {
		if s.done {
			continue
		}
		live++
		if s.pending.enabled() {
			enabled |= 1 << s.id
		}
	}
	if enabled == 0 {
		if live > 0 {
			x.stuck()
		}
		return nil
	}
	if !can {
		t = nil
	}
	next := x.strategy.pick(x, t, enabled)
	if next == nil {
		x.giveUp = pruned
	}
	return next
}

// stuck reports that no task can go on.
func (x *execution) stuck() {
	what := "leak: the program's own tasks wait for ever:"
	var b strings.Builder
	for _, t := range x.tasks {
		if t.done {
			continue
		}
		if !t.spawned {
			what = "deadlock:"
		}
		fmt.Fprintf(&b, " %s at %s;", t, t.pending.What)
	}
	x.fail("%s%s", what, strings.TrimSuffix(b.String(), ";"))
}
