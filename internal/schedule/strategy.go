package schedule

import (
	"math/bits"
	"math/rand/v2"
)

// A strategy decides which task goes on.
type strategy interface {
	// begin and spawned announce an execution and its tasks.
	begin(x *execution)
	spawned(x *execution, t *task)

	// interested reports whether there is a choice when t, which is enabled, has come to
	// its next operation. If there is none, t goes on.
	interested(x *execution, t *task) bool

	// pick returns one of the enabled tasks, or nil to give up the execution. t is the
	// current task if that is enabled, and nil otherwise.
	pick(x *execution, t *task, enabled uint32) *task
}

// random takes each of the enabled tasks with the same probability. But it often stays with
// the current one, because most faults need few switches.
type random struct {
	rng  *rand.Rand
	stay int // a choice at about one in stay points
}

func (r *random) begin(*execution)          { r.stay = 1 + r.rng.IntN(8) }
func (r *random) spawned(*execution, *task) {}
func (r *random) interested(*execution, *task) bool {
	return r.stay == 1 || r.rng.IntN(r.stay) == 0
}
func (r *random) pick(x *execution, _ *task, enabled uint32) *task {
	for n := r.rng.IntN(bits.OnesCount32(enabled)); n > 0; n-- {
		enabled &= enabled - 1
	}
	return x.tasks[bits.TrailingZeros32(enabled)]
}

// pct gives each task a random priority, and always takes the highest. At depth-1 random
// steps the current task's priority falls below all others. With n tasks and k steps, each
// execution finds a fault that needs depth ordered events with a probability of at least
// 1/(n·k^(depth-1)).
type pct struct {
	rng   *rand.Rand
	depth int
	steps int   // of the longest execution so far
	fall  []int // the steps at which the current task's priority falls
	low   int   // the next priority below all others
}

func (p *pct) begin(x *execution) {
	p.steps = max(p.steps, x.steps, 1)
	p.low = 0
	p.fall = p.fall[:0]
	for range p.depth - 1 {
		p.fall = append(p.fall, p.rng.IntN(p.steps))
	}
}

func (p *pct) spawned(x *execution, t *task) { t.priority = 1 + p.rng.IntN(1<<30) }

func (p *pct) interested(x *execution, t *task) bool {
	sink := t.pending.yields
	for _, at := range p.fall {
		sink = sink || at == x.steps
	}
	if sink {
		p.low--
		t.priority = p.low
	}
	return true
}

func (p *pct) pick(x *execution, _ *task, enabled uint32) *task {
	var best *task
	for ; enabled != 0; enabled &= enabled - 1 {
		t := x.tasks[bits.TrailingZeros32(enabled)]
		if best == nil || t.priority > best.priority {
			best = t
		}
	}
	return best
}

// replay follows a schedule, and then stays with the current task.
type replay struct {
	runs []stretch
	left int  // steps left of the first stretch
	lost bool // the schedule did not fit
}

func (r *replay) begin(*execution) {
	if len(r.runs) > 0 {
		r.left = r.runs[0].steps
	}
}
func (r *replay) spawned(*execution, *task)         {}
func (r *replay) interested(*execution, *task) bool { return true }

func (r *replay) pick(x *execution, t *task, enabled uint32) *task {
	for len(r.runs) > 0 && r.left == 0 {
		r.runs = r.runs[1:]
		if len(r.runs) > 0 {
			r.left = r.runs[0].steps
		}
	}
	if len(r.runs) > 0 {
		r.left--
		if id := r.runs[0].task; id < len(x.tasks) && enabled&(1<<id) != 0 {
			return x.tasks[id]
		}
		r.lost, r.runs = true, nil
	}
	if t != nil {
		return t
	}
	return x.tasks[bits.TrailingZeros32(enabled)]
}
