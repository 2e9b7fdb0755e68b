package schedule

import (
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"strings"
)

// maxTasks is the largest number of tasks in one execution: a set of tasks is the bits of a
// word.
const maxTasks = 32

// A task is one thread of the program that is explored.
type task struct {
	id      int
	name    string
	body    func()
	worker  *worker
	pending Op   // the operation that it is about to execute
	done    bool // it has returned, or will not run any more
	asleep  bool // rule 1 of the package comment
	spawned bool // by the program, not by the scenario
	touched int  // number of objects that it was the first to touch

	priority int // for the PCT strategy
}

// String returns the name of the task, as in the trace and in the replay string.
func (t *task) String() string { return strconv.FormatInt(int64(t.id), 36) + " " + t.name }

// killed is the panic value that ends a task whose execution has been given up.
type killed struct{}

// A worker is a coroutine that runs tasks, of one execution after the other: to make a
// coroutine costs as much as a small execution.
type worker struct {
	x      *execution
	task   *task
	resume func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
}

func newWorker(x *execution) *worker {
	w := &worker{x: x}
	w.resume, w.stop = iter.Pull(func(yield func(struct{}) bool) {
		w.yield = yield
		for {
			w.run()
			if !yield(struct{}{}) {
				return
			}
		}
	})
	return w
}

// run runs the worker's task to its end, and records that it is done.
func (w *worker) run() {
	t := w.task
	defer func() {
		t.done = true
		w.task = nil
		switch r := recover().(type) {
		case nil, killed:
		default:
			if w.x.giveUp == goOn {
				w.x.fail("panic in %s: %v", t, r)
				if w.x.tracing {
					w.x.failure.Stack = stack()
				}
			}
		}
	}()
	t.body()
}

// stack returns the frames of the task that panics, innermost first.
func stack() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	var b strings.Builder
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, ".(*worker).run") || !more {
			return b.String()
		}
		fmt.Fprintf(&b, "  in %s\n\t%s:%d\n", f.Function, f.File, f.Line)
	}
}
