package main

import (
	"context"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// evictions is row 17: an arena is full, and the oldest range that is not held makes room
// for the next. An operation is one free and one allocation.
func evictions(b *bench) {
	n := b.scale.evicting
	for _, held := range []int{0, n / 100} {
		for _, sizes := range []string{"1 KB", "64 B to 4 KB"} {
			s := b.about("evict the oldest, allocate", "n", n, "sizes", sizes, "held", held)
			// Only AllocEvict has a target in nanoseconds; the others are for comparison.
			arenas := []evicting{
				newOurArena("ours", n, sizes, nil),
				newOurArena("ours with OnRetire", n, sizes, func(rangelock.Range[int], *int) {}),
				newCountedArena(n, sizes),
			}
			var cs []contender
			for _, a := range arenas {
				for i := range held {
					a.hold(i * (n / held))
				}
				cs = append(cs, contender{name: a.name(), run: func(_, _, n int) {
					for range n {
						a.replace()
					}
				}})
			}
			o := b.duel(1, cs...)
			for _, name := range o.names {
				var target *bound
				if name == "ours" {
					target = atMost(1500)
				}
				s.add(name, "ns", o.times[name], target)
				if name != "ours" {
					s.add("ours/"+name, "×", o.ratios("ours", name), nil)
				}
			}
			for _, a := range arenas[:2] {
				count := allocations(b.scale.evicting, func(n int) {
					for range n {
						a.replace()
					}
				})
				s.one(a.name(), "allocations", count, atMost(allocTolerance))
			}
		}
	}
}

// evicting is an arena with a queue of its ranges, the oldest first.
type evicting interface {
	name() string
	replace()   // frees the oldest range that is not held, and allocates one
	hold(i int) // holds the range that is i-th in the queue
}

// sizesOf returns the next of a sequence of sizes.
func sizesOf(sizes string) func() int {
	rng := random(0x9E3779B97F4A7C15)
	if sizes == "1 KB" {
		return func() int { return 1024 }
	}
	return func() int { return 64 << (rng.next() % 7) }
}

// queue is a ring of the ranges' low bounds.
type queue struct {
	los        []int
	head, size int
}

func (q *queue) push(lo int) {
	q.los[(q.head+q.size)%len(q.los)] = lo
	q.size++
}

func (q *queue) pop() int {
	lo := q.los[q.head]
	if q.head++; q.head == len(q.los) {
		q.head = 0
	}
	q.size--
	return lo
}

// arenaSize returns how many bytes n ranges of those sizes have, minus one of the larger ones.
func arenaSize(n int, sizes string) (total int) {
	next := sizesOf(sizes)
	for range n {
		total += next()
	}
	return total
}

// ourArena is a rangealloc.Allocator.
type ourArena struct {
	as    string
	a     *rangealloc.Allocator[int, *int]
	next  func() int
	queue queue
	named []int
	value *int
	pop   func() (int, bool)
	held  []rangelock.Guard[int, *int]
}

func newOurArena(name string, n int, sizes string, onRetire func(rangelock.Range[int], *int)) *ourArena {
	x := &ourArena{as: name, next: sizesOf(sizes), value: new(int)}
	x.a = rangealloc.New(rangelock.Span(0, arenaSize(n, sizes)), &rangelock.Options[int, *int]{OnRetire: onRetire})
	x.queue.los = make([]int, 64*n)
	x.pop = func() (int, bool) {
		if x.queue.size == 0 {
			return 0, false
		}
		lo := x.queue.pop()
		x.named = append(x.named, lo)
		return lo, true
	}
	for range n {
		r, err := x.a.Alloc(context.Background(), x.next(), 1, x.value)
		must(err == nil)
		x.queue.push(r.Lo)
	}
	return x
}

func (x *ourArena) name() string { return x.as }

func (x *ourArena) replace() {
	x.named = x.named[:0]
	r, err := x.a.AllocEvict(context.Background(), x.next(), 1, x.value, x.pop)
	must(err == nil)
	if len(x.held) > 0 {
		// A range that was named and is still there is held: it goes to the end of the queue.
		for _, lo := range x.named {
			if there, _, ok := x.a.Map().GetRange(lo); ok && there.Lo == lo && lo != r.Lo {
				x.queue.push(lo)
			}
		}
	}
	x.queue.push(r.Lo)
}

func (x *ourArena) hold(i int) {
	g, ok := x.a.Map().Acquire(x.queue.los[x.queue.head+i])
	must(ok)
	x.held = append(x.held, g)
}
