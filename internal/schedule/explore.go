package schedule

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Options say how a program is explored. The zero value explores nothing.
type Options struct {
	// Search makes a depth-first search with at most Bound preemptions: first with none,
	// then with one more, and so on, so that a failure is found with the fewest. A negative
	// Bound means no bound. Limit ends the search after so many schedules; 0 means no
	// limit.
	Search bool
	Bound  int
	Limit  int

	// Unreduced turns off the two rules of the package comment.
	Unreduced bool

	// Walks and Priorities are the numbers of random walks and of PCT schedules to run. PCT
	// schedules have up to Depth-1 change points, by turns. Seed makes both reproducible.
	Walks, Priorities, Depth int
	Seed                     uint64

	// For, if not zero, is how long to explore: with the random strategies by turns, and
	// with the search at larger and larger bounds.
	For time.Duration

	// Timers makes seam.AfterFunc spawn a task; otherwise it does nothing.
	Timers bool

	// Steps is the length from which an execution counts as a livelock; 0 means 20000.
	Steps int
}

// A Report is what an exploration has done.
type Report struct {
	Complete  int  // all schedules with at most this many preemptions were run; -1 if not even those with none
	Unbounded bool // all schedules were run
	Last      int  // schedules in the last complete search
	Searched  int  // schedules of the searches, without those given up as redundant
	Pruned    int  // schedules given up as redundant
	Walks     int
	PCT       int
	Restarts  int // of the search, because it had learned something
	Steps     int // of the longest execution
	Took      time.Duration
	Failure   *Failure // nil for none
}

// Schedules returns the number of schedules that were run to their end.
func (r *Report) Schedules() int { return r.Searched + r.Walks + r.PCT }

// String returns the report in one line.
func (r *Report) String() string {
	complete := "not complete to any bound"
	if r.Unbounded {
		complete = fmt.Sprintf("complete without a bound: %d schedules", r.Last)
	} else if r.Complete >= 0 {
		complete = fmt.Sprintf("complete to bound %d: %d schedules", r.Complete, r.Last)
	}
	all := r.Schedules() + r.Pruned
	rate := float64(all) / max(r.Took.Seconds(), 1e-6)
	return fmt.Sprintf("%s; in all %d searched + %d random + %d by priorities (and %d given up as redundant, %d restarts), up to %d steps, %.1f s, %.0f/s",
		complete, r.Searched, r.Walks, r.PCT, r.Pruned, r.Restarts, r.Steps, r.Took.Seconds(), rate)
}

// explorer is one exploration.
type explorer struct {
	x       execution
	program func(*Program)
	o       Options
	report  Report
	ends    time.Time // zero for never

	// each, if not nil, is called with the failure of each execution that was not given up,
	// or with "", and then a failure does not end the exploration. It is for tests of the
	// search itself.
	each func(failure string)
}

// Explore explores the program and stops at the first failure.
func Explore(program func(*Program), o Options) *Report {
	e := newExplorer(program, o)
	return e.all()
}

// newExplorer returns an explorer that has not run anything.
func newExplorer(program func(*Program), o Options) *explorer {
	e := &explorer{program: program, o: o}
	e.report.Complete = -1
	e.x.timers = o.Timers
	if e.x.maxSteps = o.Steps; o.Steps == 0 {
		e.x.maxSteps = 20000
	}
	return e
}

// stop ends the coroutines.
func (e *explorer) stop() {
	for _, w := range e.x.workers {
		w.stop()
	}
}

// all does what the options say.
func (e *explorer) all() *Report {
	defer e.stop()
	began := time.Now()
	e.explore(began)
	e.report.Took = time.Since(began)
	return &e.report
}

func (e *explorer) explore(began time.Time) {
	rng := rand.New(rand.NewPCG(e.o.Seed, 1))
	if e.o.For > 0 {
		e.exploreFor(rng, began)
		return
	}
	if e.priorities(rng, e.o.Priorities) && e.walks(rng, e.o.Walks) && e.o.Search {
		e.searchUpTo(e.o.Bound)
	}
}

// exploreFor uses the time that it has: half of it for the random strategies, then the
// search until two larger bounds bring nothing new, then the random strategies again.
func (e *explorer) exploreFor(rng *rand.Rand, began time.Time) {
	e.ends = began.Add(e.o.For / 2)
	if !e.chance(rng) {
		return
	}
	e.ends = began.Add(e.o.For)
	if e.o.Search {
		same := 0
		for bound := 0; same < 2 && !e.over(); bound++ {
			before := e.report.Last
			if !e.search(bound) {
				return
			}
			if same++; e.report.Last != before {
				same = 0
			}
		}
	}
	e.chance(rng)
}

// chance runs the random strategies by turns until the time is up.
func (e *explorer) chance(rng *rand.Rand) bool {
	for !e.over() {
		if !e.priorities(rng, max(e.o.Priorities, 1)) || !e.walks(rng, max(e.o.Walks, 1)) {
			return false
		}
	}
	return true
}

// over reports whether the time is up.
func (e *explorer) over() bool { return !e.ends.IsZero() && time.Now().After(e.ends) }

// perform runs the program under a strategy and reports whether to go on.
func (e *explorer) perform(s strategy, found string) bool {
	x := &e.x
	x.strategy = s
	s.begin(x)
	x.perform(e.program)
	e.report.Steps = max(e.report.Steps, x.steps)
	if e.each != nil {
		e.tell()
		return true
	}
	if x.failure == nil {
		return true
	}
	f := x.failure
	f.Found = found
	f.Schedule = encode(x.runs)
	e.report.Failure = f
	e.explain(f)
	return false
}

func (e *explorer) tell() {
	switch e.x.giveUp {
	case goOn:
		e.each("")
	case failed:
		e.each(e.x.failure.Message)
	}
}

// explain replays a failure for its trace, and checks that the replay fails in the same
// way.
func (e *explorer) explain(f *Failure) {
	runs, err := decode(f.Schedule)
	if err != nil {
		return // it failed before the first step
	}
	again := e.replay(runs)
	if again == nil || again.Message != f.Message {
		f.Message += fmt.Sprintf("\nand its replay did something else (%v): the scenario is not deterministic", again)
		return
	}
	f.Trace, f.Stack = again.Trace, again.Stack
}

// replay runs one schedule with a trace and returns how it failed, or nil.
func (e *explorer) replay(runs []stretch) *Failure {
	x := &e.x
	r := &replay{runs: runs}
	x.strategy = r
	r.begin(x)
	x.tracing = true
	x.perform(e.program)
	x.tracing = false
	if x.failure != nil {
		x.failure.Trace = x.trace
		x.failure.Schedule = encode(x.runs)
	}
	return x.failure
}

// Replay runs one schedule, as in a Failure's Schedule, and returns its failure, or nil.
func Replay(program func(*Program), o Options, schedule string) (*Failure, error) {
	runs, err := decode(schedule)
	if err != nil {
		return nil, err
	}
	e := newExplorer(program, o)
	defer e.stop()
	return e.replay(runs), nil
}

func (e *explorer) walks(rng *rand.Rand, n int) bool {
	s := &random{rng: rng}
	for range n {
		if !e.perform(s, "random walk") {
			return false
		}
		e.report.Walks++
		if e.over() {
			break
		}
	}
	return true
}

func (e *explorer) priorities(rng *rand.Rand, n int) bool {
	s := &pct{rng: rng}
	for i := range n {
		s.depth = 1 + i%max(e.o.Depth, 1)
		if !e.perform(s, fmt.Sprintf("priorities, depth %d", s.depth)) {
			return false
		}
		e.report.PCT++
		if e.over() {
			break
		}
	}
	return true
}

// searchUpTo searches with each bound up to the given one, and reports whether to go on.
func (e *explorer) searchUpTo(bound int) bool {
	if bound < 0 {
		return e.search(bound)
	}
	for b := 0; b <= bound; b++ {
		if !e.search(b) {
			return false
		}
		if e.report.Complete < b {
			return true // the limit or the time
		}
	}
	return true
}

// search makes one complete search, again and again until nothing is learned in it.
func (e *explorer) search(bound int) bool {
	s := &search{bound: bound, reduced: !e.o.Unreduced}
	for {
		if len(s.stack) == 0 {
			e.x.learned = false
		}
		before := e.report.Searched
		more := false
		for more = true; more; {
			if !e.perform(s, fmt.Sprintf("search with bound %d", bound)) {
				return false
			}
			if s.misfit {
				e.report.Failure = &Failure{Message: "the scenario is not deterministic: the search came to a point with other choices than before", Schedule: encode(e.x.runs)}
				return false
			}
			if e.x.giveUp == pruned {
				e.report.Pruned++
			} else {
				e.report.Searched++
			}
			if e.x.learned && s.reduced {
				e.report.Restarts++
				break
			}
			more = s.advance()
			if e.o.Limit > 0 && e.report.Searched >= e.o.Limit || e.over() {
				return true
			}
		}
		if !more {
			e.report.Last = e.report.Searched - before
			if e.report.Complete = bound; bound < 0 {
				e.report.Unbounded = true
			}
			return true
		}
		s.stack = s.stack[:0]
	}
}
