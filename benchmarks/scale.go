package main

import "time"

// scale says how much is measured. The rows read it; it is the only difference between
// the modes.
type scale struct {
	name   string
	rounds int
	slice  time.Duration // how long a contender runs in a round
	window time.Duration // the same, for measurements during which something must happen

	// patience is how long goroutines try to start on a core each.
	patience time.Duration

	sizes    []int         // row 1: how many ranges
	grown    []int         // row 1: the same, inserted in random order
	writes   []int         // row 7
	batches  []int         // row 7: operations in a transaction
	loaded   int           // row 7: ranges loaded at once
	crowd    []int         // rows 4, 5 and 12: how many goroutines
	guards   int           // row 6: guards held
	wait     time.Duration // row 11
	waits    int           // row 11: rounds
	growth   []int         // row 12
	held     []int         // row 12: guards held
	texts    []int         // row 12: ranges whose keys are texts
	inserted int           // row 12: ranges inserted one by one
	batched  []int         // row 14
	builds   int           // row 16: rounds; if there are several, the first does not count
	retired  int           // row 13
	evicting int           // row 17: ranges in the arena
	regions  int           // row 18
	drains   int           // row 13: rounds
}

var quick = scale{
	name:     "quick",
	rounds:   10,
	slice:    8 * time.Millisecond,
	window:   30 * time.Millisecond,
	patience: 20 * time.Millisecond,
	sizes:    []int{100, 1000, 100_000, 1_000_000},
	grown:    []int{100_000, 1_000_000},
	writes:   []int{1000, 100_000},
	batches:  []int{1, 10, 1000},
	loaded:   100_000,
	crowd:    []int{1, 2, 4, 8, 16, 32, 64},
	guards:   1000,
	wait:     time.Second,
	waits:    2,
	growth:   []int{100, 1000, 10_000, 100_000, 1_000_000},
	held:     []int{1000, 100_000},
	texts:    []int{10_000, 100_000},
	inserted: 1_000_000,
	batched:  []int{100_000, 1_000_000},
	builds:   4,
	retired:  1_000_000,
	evicting: 10_000,
	regions:  100_000,
	drains:   3,
}

var full = scale{
	name:     "full",
	rounds:   20,
	slice:    20 * time.Millisecond,
	window:   100 * time.Millisecond,
	patience: 20 * time.Millisecond,
	sizes:    quick.sizes,
	grown:    quick.grown,
	writes:   quick.writes,
	batches:  quick.batches,
	loaded:   1_000_000,
	crowd:    quick.crowd,
	guards:   1000,
	wait:     time.Second,
	waits:    10,
	growth:   []int{100, 1000, 10_000, 100_000, 1_000_000, 10_000_000},
	held:     []int{1000, 100_000, 1_000_000},
	texts:    quick.growth[2:],
	inserted: 1_000_000,
	batched:  quick.batched,
	builds:   8,
	retired:  1_000_000,
	evicting: 10_000,
	regions:  100_000,
	drains:   10,
}

// smoke only shows that everything runs.
var smoke = scale{
	name:     "smoke",
	rounds:   1,
	slice:    200 * time.Microsecond,
	window:   3 * time.Millisecond,
	sizes:    []int{100, 1000},
	grown:    []int{1000},
	writes:   []int{1000},
	batches:  []int{1, 10},
	loaded:   1000,
	crowd:    []int{1, 2, 4},
	guards:   50,
	wait:     10 * time.Millisecond,
	waits:    1,
	growth:   []int{100, 1000},
	held:     []int{100},
	texts:    []int{100},
	inserted: 1000,
	batched:  []int{1000},
	builds:   1,
	retired:  2000,
	evicting: 500,
	regions:  500,
	drains:   1,
}
