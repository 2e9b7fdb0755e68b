package main

import (
	"regexp"
	"strconv"
)

// row is one line of the targets: what is measured, and what it should come to.
type row struct {
	number   int
	name     string
	workload string
	target   string
	measure  func(b *bench)
}

var rows = []row{
	{1, "lookup", "acquire, read the value, release; random keys",
		"≤ 0.50 × rwmutex with 1 goroutine, ≤ 0.35 × with 2, at every n; ≤ 0.8 × snapshot", lookup},
	{2, "lookup against a bare tree", "n = 1000, uint64",
		"acquire and release ≤ 0.50 × one search of google/btree alone", bareLookup},
	{3, "overhead", "acquire and release, and Get, minus the search",
		"≤ 2.5 × rmw2; Get ≤ 1.5 × rmw2", overhead},
	{4, "hot range", "all goroutines on one range",
		"throughput with 2 ≥ 1.8 × with 1; ≤ 0.35 × the time of rwmutex", hotRange},
	{5, "busy writer", "a writer holds the lock 1 ms of every 2 ms, on other ranges",
		"readers keep ≥ 95 % of their idle throughput, p99.9 ≤ 3 × idle", busyWriter},
	{6, "long guards", "1000 guards held for the whole run",
		"writers on other ranges ≥ 95 % of idle; Swap of a held range ≤ 2 × of a free one", longGuards},
	{7, "write", "insert one and remove one",
		"≤ 2 × mutex in place; ≥ 8 × faster than snapshot; 0 allocations", write},
	{8, "mix", "0, 0.1, 1, 10, 50 % writes, 2 goroutines",
		"ahead of every rival up to 10 %", mix},
	{9, "semaphore", "read pair, write pair, 1 write in 10 and in 100; 1 and 2 goroutines",
		"≤ 1.0 × sync.RWMutex in every cell", semaphore},
	{10, "epoch", "Pin and Unpin; Retire; Synchronize idle and with a busy reader",
		"≤ 1.4 × rmw2; ≤ 25 ns and 0 allocations; < 0.3 µs and < 3 µs", epochs},
	{11, "waiting", "a writer waits 1 s for a held guard",
		"< 2 ms of processor time", waiting},
	{12, "growth", "n = 100 to 1 M, with -full to 10 M",
		"a lookup grows no faster than the rival's; ≤ 128 bytes a range; build ≤ 0.3 µs, iteration ≤ 20 ns a range", growth},
	{13, "backlog", "a stalled pin, 1 M retirements",
		"bounded by MaxPending, reported, drained in < 1 s after the pin ends", backlog},
	{14, "batch", "16 lookups in one call of GetMany",
		"≤ 0.25, 0.30 × rwmutex one by one (n = 100 k, 1 M)", batches},
	{15, "writer's pass", "Exclude of one range beside 16, 64, 256 guards on others, minus without",
		"≤ 0.1, 0.2, 0.8 µs", pass},
	{16, "consumer", "what three kinds of map add to the build of a program",
		"≤ 1.5 s, ≤ 0.7 MB", consumer},
}

// choose returns the rows of which the number or the name matches re from end to end.
func choose(re string) ([]row, error) {
	if re == "" {
		return rows, nil
	}
	m, err := regexp.Compile("^(?:" + re + ")$")
	if err != nil {
		return nil, err
	}
	var chosen []row
	for _, r := range rows {
		if m.MatchString(strconv.Itoa(r.number)) || m.MatchString(r.name) {
			chosen = append(chosen, r)
		}
	}
	return chosen, nil
}
