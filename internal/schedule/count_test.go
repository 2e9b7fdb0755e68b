package schedule_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/spanlock/spanlock/internal/schedule"
)

// steps is a program whose tasks have the given numbers of steps, all on one word.
func steps(n ...int) func(*Program) {
	return func(p *Program) {
		var w Word[int]
		for _, k := range n {
			p.Go("task", func() {
				for range k - 1 { // its beginning is a step too
					w.Store(0)
				}
			})
		}
	}
}

// multinomial returns the number of all schedules of tasks with the given numbers of steps.
func multinomial(n ...int) int {
	r, sum := 1, 0
	for _, k := range n {
		for i := 1; i <= k; i++ {
			sum++
			r = r * sum / i // the product so far is a binomial coefficient times r
		}
	}
	return r
}

// bounded counts the schedules with at most bound preemptions, by recursion.
func bounded(left []int, current, bound int) int {
	done := true
	count := 0
	for i := range left {
		if left[i] == 0 {
			continue
		}
		done = false
		b := bound
		if current >= 0 && current != i && left[current] > 0 {
			b--
		}
		if b < 0 {
			continue
		}
		left[i]--
		count += bounded(left, i, b)
		left[i]++
	}
	if done {
		return 1
	}
	return count
}

// TestCount: without reduction a search visits each schedule once.
func TestCount(t *testing.T) {
	for _, n := range [][]int{{1}, {4}, {3, 3}, {1, 6}, {5, 4}, {2, 2, 2}, {3, 2, 4}, {2, 1, 2, 2}} {
		r := holds(t, steps(n...), Options{Search: true, Bound: -1, Unreduced: true})
		if want := multinomial(n...); r.Last != want {
			t.Errorf("%v steps: %d schedules, want %d", n, r.Last, want)
		}
		for bound := range 4 {
			r := holds(t, steps(n...), Options{Search: true, Bound: bound, Unreduced: true})
			if want := bounded(slices.Clone(n), -1, bound); r.Last != want {
				t.Errorf("%v steps, bound %d: %d schedules, want %d", n, bound, r.Last, want)
			}
		}
	}
}

// TestReducedCount: tasks that share nothing are run in each order and never preempted.
func TestReducedCount(t *testing.T) {
	program := func(p *Program) {
		words := make([]Word[int], 3)
		for i := range words {
			p.Go("task", func() {
				for range 5 {
					words[i].Store(1)
				}
			})
		}
	}
	if r := holds(t, program, Options{Search: true, Bound: 5}); r.Last != 6 {
		t.Errorf("%v, want 3! schedules", r)
	}
}

// TestReduction: on random programs the reduced search sees the same outcomes as the full
// one, with each bound. An outcome is what each task has seen, and how the execution ended.
//
// This fails if rule 1 does not wake a task for an operation that is not enabled, or if a
// conflict of two writes, or of a read and a write, is forgotten.
func TestReduction(t *testing.T) {
	programs := 120
	if testing.Short() {
		programs = 15
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	full, reduced := 0, 0
	for i := 0; i < programs; i++ {
		p := randomProgram(rng)
		bound := i % 4
		if bound == 0 && len(p) == 2 {
			bound = -1
		}
		want, n := p.outcomes(t, bound, true)
		if n > mostSchedules {
			i-- // take another one in its place
			continue
		}
		got, m := p.outcomes(t, bound, false)
		full, reduced = full+n, reduced+m
		if !maps.Equal(got, want) {
			t.Fatalf("bound %d, program %v:\nreduced %d schedules: %v\nfull    %d schedules: %v", bound, p, m, got, n, want)
		}
	}
	t.Logf("%d schedules, reduced to %d", full, reduced)
}

// TestReductionOfWaits: a task that has to wait is not preempted, so it can help to reach
// with one preemption an outcome that would otherwise need two. Such an outcome must not be
// lost. Here the first task is preempted while it holds the lock, and goes on when the
// second stands before the lock. Only then does it see the second's store and store itself.
// If it released the lock earlier, that would take two preemptions.
//
// This fails if a task that has to stop does not wake a task that sleeps before an
// operation on what the first waits for.
func TestReductionOfWaits(t *testing.T) {
	p := randomTasks{
		{{lock, 0}, {load, 0}, {unlock, 0}, {load, 0}, {store, 1}},
		{{store, 0}, {lock, 0}, {load, 1}, {unlock, 0}},
	}
	want, _ := p.outcomes(t, 1, true)
	got, _ := p.outcomes(t, 1, false)
	if !maps.Equal(got, want) {
		t.Errorf("reduced %v\nfull    %v", got, want)
	}
}

// A step of a random program.
type step struct{ what, where int }

const (
	load = iota
	store
	add
	lock
	unlock
	open
	wait
	spawn
	yield
	kinds
)

type randomTasks [][]step

// randomProgram makes a small random program. A task that locks also unlocks.
func randomProgram(rng *rand.Rand) randomTasks {
	var tasks randomTasks
	for range 2 + rng.IntN(2) {
		var steps []step
		for range 1 + rng.IntN(3) {
			s := step{rng.IntN(kinds), rng.IntN(2)}
			switch s.what {
			case lock:
				steps = append(steps, s, step{rng.IntN(3), rng.IntN(2)}, step{unlock, s.where})
			case unlock:
			default:
				steps = append(steps, s)
			}
		}
		tasks = append(tasks, steps)
	}
	return tasks
}

// mostSchedules is the largest number of schedules of a program that is compared. One
// program in two hundred has more, because of tasks that spawn, and some have millions,
// which took minutes.
const mostSchedules = 200_000

// outcomes explores the program, and returns all that it can do and the number of
// schedules. If there are more than mostSchedules, it stops there.
func (tasks randomTasks) outcomes(t *testing.T, bound int, full bool) (map[string]bool, int) {
	found := make(map[string]bool)
	n := 0
	var seen [][]int
	var words [2]Word[int]
	r := ExploreAll(func(p *Program) {
		words = [2]Word[int]{}
		var locks [2]mutex
		var flags [2]gate
		seen = make([][]int, len(tasks))
		n++
		for i, steps := range tasks {
			p.Go("task", func() {
				for j, s := range steps {
					switch s.what {
					case load:
						seen[i] = append(seen[i], words[s.where].Load())
					case store:
						words[s.where].Store(10*i + j)
					case add:
						words[s.where].Store(words[s.where].Load() + 100)
					case lock:
						locks[s.where].lock()
					case unlock:
						locks[s.where].unlock()
					case open:
						flags[s.where].open()
					case wait:
						flags[s.where].wait(nil)
					case spawn:
						Go(func() { words[s.where].Store(1000 + words[1-s.where].Load()) })
					case yield:
						Gosched()
					}
				}
			})
		}
	}, Options{Search: true, Bound: bound, Unreduced: full, Limit: mostSchedules + 1}, func(failure string) {
		found[fmt.Sprint(seen, words[0].Load(), words[1].Load(), failure)] = true
	})
	if r.Failure != nil {
		t.Fatalf("%v: %v", tasks, r.Failure)
	}
	return found, n
}
