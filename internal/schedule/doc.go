// Package schedule runs a small concurrent program again and again, each time with another
// interleaving of its tasks, and decides every step itself. Under -tags schedule the atomic
// operations, mutexes, parkings and goroutines of internal/seam are its scheduling points.
// So the code that it explores is the code that is shipped, and not a model of it.
//
// # How it runs
//
// A task is a coroutine (iter.Pull). One runs at a time, and only the explorer's goroutine
// and the coroutines that it resumes exist, so nothing here is synchronized. Before each
// operation on shared memory a task announces the operation, with the object, and whether
// it reads or writes. A strategy then decides which task goes on. If it is the same task,
// no coroutine is switched. Between two points a task runs alone.
//
// There are three strategies: a depth-first search of all schedules with a bounded number
// of preemptions; priorities with random change points (PCT: S. Burckhardt and others, "A
// randomized scheduler with probabilistic guarantees of finding bugs", 2010); and a random
// walk. A preemption is a switch away from a task that could have gone on, except from a
// task that stands at a Gosched.
//
// A schedule fails with a panic in a task, with a state in which no task can go on (a
// deadlock, or a leak if only tasks that the program has spawned are left), or with too
// many steps (a livelock). The failure is reported with a short string that replays it.
//
// # Why the search may leave schedules out
//
// The search leaves out a schedule only if it visits an equivalent one: each task takes the
// same steps with the same results, with no more preemptions. The sleep sets and persistent
// sets of the textbooks do not have the second property: the schedule that they keep may
// need more preemptions than the one that they drop, and with a bound both are lost. The
// two rules here are weaker, and have it.
//
// Rule 1. Suppose task A is preempted before its operation X. It sleeps until another task
// executes an operation that conflicts with X (same object, not both reads), or has to stop
// before an operation that conflicts with X and is not enabled. A task that sleeps is not
// resumed. If only sleeping tasks could go on, the schedule is abandoned.
//
// Take a schedule in which A is resumed before either happens:
//
//	… A ⟂ B … C … D X A' …         ⟂ is the preemption; D is the task that runs before X
//	… A X ⟂ B … C … D A' …         the same steps, with X before the steps that do not conflict with it
//
// No step has another result in the second line, since X conflicts with no step that it has
// passed. The second line has no more preemptions than the first:
//
//  1. ⟂ is one preemption in both, or none in the second if A cannot go on after X.
//  2. Between B and D the switches are the same, and a switch is a preemption only if the task
//     before it was enabled. X, executed early, cannot enable a task that had to stop: such a
//     task stood before an operation that conflicts with X, and then A would not be asleep. If
//     X disables a task, there is one preemption less.
//  3. The same holds for the switch after D. The switch between X and A', if there was one, is
//     gone: the second line goes on with A where the first switches.
//
// Moving one operation after the other forward like this ends at a schedule that the rule
// does not touch, and the search visits that schedule.
//
// Rule 2. No task is preempted before an operation on an object that, as far as has been
// seen, no other task uses in a conflicting way. When a schedule shows that the object is
// shared after all, the search begins again with that knowledge; a search is reported as
// complete only if nothing was learned in it. Suppose that such a search has missed a
// conflict. Take the schedule in which it comes first, X of A against Y of B. The steps up
// to Y conflict with no operation that rule 2 has passed over, so they can be moved as
// above. So the search has visited a schedule with A's X and B's Y in it, and has learned:
// a contradiction. To conflict, an operation need only be announced, not executed.
//
// Both rules assume that an operation shares nothing but its object. Plain memory that
// tasks share must therefore be ordered by these operations, that is, free of data races;
// the race detector checks that. And a program must do the same when its operations give
// the same results: no map iteration, clock or random number may decide what it does. The
// search notices most violations, because its replays then do not fit.
package schedule
