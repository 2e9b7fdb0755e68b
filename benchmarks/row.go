package main

import (
	"regexp"
	"strconv"
)

// row is one line of the targets: what is measured, and the target.
type row struct {
	number   int
	name     string
	workload string
	target   string
	measure  func(b *bench)
}

var rows = []row{
	{1, "lookup", "acquire, read the value, release; random keys; 1 and 2 goroutines",
		"uint64 × rwmutex ≤ 0.33 and 0.28 (n = 100), 0.38 and 0.32 (1 k), 0.55 and 0.45 (100 k, 1 M), 0.75 grown at random; " +
			"texts ≤ 0.40 and 0.36 (1 k); × tidwall ≤ 0.40 (1 k), 0.80 (100 k); × snapshot ≤ 0.50", lookup},
	{2, "lookup against a bare tree", "n = 1000, uint64",
		"acquire and release ≤ 0.40 × one search of google/btree alone", bareLookup},
	{3, "overhead", "acquire and release, and Get, minus the search",
		"≤ 1.3 × rmw2; Get makes no atomic write", overhead},
	{4, "hot range", "all goroutines on one range",
		"≤ 0.60 and 0.40 × the time of rwmutex with 1 and 2, from the first millisecond; throughput with 2 ≥ 1.9 × with 1", hotRange},
	{5, "busy writer", "a writer holds the lock 1 ms of every 2 ms, on other ranges",
		"readers keep ≥ 98 % of their idle throughput, p99.9 ≤ 2 × idle", busyWriter},
	{6, "long guards", "1000 guards held for the whole run",
		"writers on other ranges ≥ 98 % of idle, other readers ≥ 95 %; Swap of a held range ≤ 1.2 × of a free one", longGuards},
	{7, "write", "insert one and remove one; swap one",
		"≤ 1.2 × mutex in place, with OnRetire ≤ 1.5 ×, a swap ≤ 1.2 ×; 0 allocations", write},
	{8, "mix", "0, 0.1, 1, 10, 50 % writes, 2 goroutines",
		"0.1, 1, 10 %: ≤ 0.40, 0.45, 0.60 × the best rival", mix},
	{9, "semaphore", "read pair, write pair, 1 write in 10 and in 100; 1 and 2 goroutines",
		"≤ 1.0 × sync.RWMutex in the median, ≤ 1.05 × in every cell", semaphore},
	{10, "epoch", "Pin and Unpin; Retire; Synchronize idle and with a busy reader",
		"≤ 1.5 × rmw2; ≤ 4.5 × rmw2 and 0 allocations; < 0.3 µs and < 3 µs", epochs},
	{11, "waiting", "a writer waits 1 s for a held guard",
		"< 1 ms of processor time", waiting},
	{12, "growth", "n = 100 to 1 M, with -full to 10 M",
		"Load of 1 M ≤ 0.25 × google/btree's insertions; one by one in order ≤ 1.2 ×, at random ≤ 1.0 ×; " +
			"from 10 k on ≤ 88, 120, 128 bytes a range (uint64, string, bytes); walk ≤ 15 ns a range", growth},
	{13, "backlog", "a stalled pin or held guards, 1 M retirements",
		"bounded by MaxPending, reported, drained in < 0.5 s after it ends", backlog},
	{14, "batch", "16 lookups in one call of GetMany",
		"≤ 0.25, 0.30 × rwmutex one by one (n = 100 k, 1 M)", batches},
	{15, "writer's pass", "Exclude of a range that has been read, with 16, 64, 256 lines, minus that of one never read",
		"≤ 0.1, 0.2, 0.8 µs", pass},
	{16, "consumer", "what three kinds of map add to the build of a program",
		"≤ 1.5 s, ≤ 0.7 MB", consumer},
	{17, "evicting allocator", "an arena is full: the oldest range makes room for the next; nothing held, and 1 % held",
		"≤ 1.5 µs, 0 allocations", evictions},
	{18, "region cache", "splits and merges without pause beside a reader; locates sixteen at a time; insertion",
		"locates ≥ 5 ×, writes ≥ 0.8 × rwmutex; ≤ 0.5 × the time; ≤ 1.2 × the time", regions},
}

// choose returns the rows whose number or whole name matches re.
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
