// Package schedule runs a small concurrent program again and again, each time with
// another interleaving of its tasks, and decides every step itself. Under -tags
// schedule the atomic operations, mutexes, parkings and goroutines of internal/seam are
// scheduling points of it, so the code that it explores is the code that is shipped and
// no model of it.
//
// # How it runs
//
// A task is a coroutine (iter.Pull). One runs at a time, and only the explorer's
// goroutine and the coroutines that it resumes exist, so nothing here is synchronized.
// Before each operation on shared memory a task announces the operation, with the
// object and whether it reads or writes. A strategy says who goes on. If it is the same
// task no coroutine is switched. Between two points a task's steps are its own.
//
// The strategies: a depth-first search of all schedules with at most so many
// preemptions; priorities with random change points (PCT: S. Burckhardt and others, "A
// randomized scheduler with probabilistic guarantees of finding bugs", 2010); and a
// random walk. A preemption is a switch away from a task that could have gone on, but
// for one that stands at a Gosched.
//
// What ends a schedule badly: a panic in a task, a state in which nobody can go on
// (a deadlock, or, if only tasks that the program has spawned are left, a leak), and too
// many steps (a livelock). It is reported with a short string that replays it.
//
// # Why the search may leave schedules out
//
// The search leaves out a schedule only if it visits another that does the same: each
// task takes the same steps with the same results, with no more preemptions. Sleep sets
// and persistent sets as they are found in textbooks do not have the second property:
// the schedule that they keep may need more preemptions than the one that they drop, and
// with a bound both are lost. What is done here is weaker, and has it.
//
// Rule 1. Task A is preempted before its operation X. It sleeps until another task
// executes an operation that conflicts with X (same object, not both reads), or has to
// stop before an operation that conflicts with X and is not enabled. A task that sleeps
// is not resumed; if only sleeping tasks could go on the schedule is abandoned.
//
// Take a schedule in which A is resumed before either happens:
//
//	… A ⟂ B … C … D X A' …         ⟂ is the preemption; D is whoever runs before X
//	… A X ⟂ B … C … D A' …         the same steps, X before what it does not conflict with
//
// In the second line no step has another result, since X conflicts with none that it
// has passed. Its preemptions are no more: ⟂ is one in both, or none in the second if A
// cannot go on after X. Between B and D the switches are the same, and one is a
// preemption only if the task before it was enabled. X, done early, cannot enable a task
// that had to stop, for then that task stood before an operation that conflicts with X,
// and A would not be asleep; that it disables one makes a preemption less. The same goes
// for the switch after D, and the switch between X and A', if there was one, is gone. The
// second line goes on with A where the first switches. Moving one operation after the
// other forward like this comes to an end, at a schedule that the rule does not touch;
// the search visits it.
//
// Rule 2. No task is preempted before an operation on an object that, as far as has
// been seen, nobody else uses in a conflicting way. When a schedule shows that the object
// is shared after all, the search begins again with that known; what is reported as
// complete is a search in which nothing was learned. Suppose that such a search has missed
// a conflict: take the schedule in which it comes first, X of A against Y of B. The steps
// up to Y conflict with no operation that rule 2 has passed over, so they can be moved as
// above, and the search has visited a schedule with A's X and B's Y in it, and learned.
// To conflict, an operation need only be announced, not executed.
//
// Both rules take an operation's object for all that it shares. Plain memory that tasks
// share must therefore be ordered by these operations, in other words free of data races;
// the race detector looks after that. And a program must do the same when its operations
// give the same results: no map iteration, clock or random number may decide what it does.
// The search notices most violations, because its replays then do not fit.
package schedule
