package spanlockotel

import "github.com/spanlock/spanlock/rangelock"

// number is one number of a rangelock.Stats.
type number struct {
	name, unit, help string
	counts           bool   // it is a counter
	key, value       string // an attribute beside map, or ""
	read             func(rangelock.Stats) float64
}

const (
	fellBack = "Attempts of readers that fell back to the semaphore, by reason."
	waits    = "Waits that have ended: for the semaphore (lock), for guards (exclude), or for a turn at a range with an exclusive guard (turn)."
	waited   = "Time that the waits of spanlock.waits took together."
	queued   = "Goroutines in the queue of the map's semaphore."
)

var numbers = []number{
	{"spanlock.ranges", "{range}", "Ranges in the map.", false, "", "", func(s rangelock.Stats) float64 { return float64(s.Ranges) }},
	{"spanlock.memory", "By", "Approximate memory of the tree and the range objects.", false, "", "", func(s rangelock.Stats) float64 { return float64(s.Bytes) }},
	{"spanlock.fallbacks", "{attempt}", fellBack, true, "reason", "busy", func(s rangelock.Stats) float64 { return float64(s.FellBackBusy) }},
	{"spanlock.fallbacks", "{attempt}", fellBack, true, "reason", "miss", func(s rangelock.Stats) float64 { return float64(s.FellBackMiss) }},
	{"spanlock.fallbacks", "{attempt}", fellBack, true, "reason", "gone", func(s rangelock.Stats) float64 { return float64(s.FellBackGone) }},
	{"spanlock.waits", "{wait}", waits, true, "for", "lock", func(s rangelock.Stats) float64 { return float64(s.LockWaits) }},
	{"spanlock.waits", "{wait}", waits, true, "for", "exclude", func(s rangelock.Stats) float64 { return float64(s.ExcludeWaits) }},
	{"spanlock.waits", "{wait}", waits, true, "for", "turn", func(s rangelock.Stats) float64 { return float64(s.TurnWaits) }},
	{"spanlock.wait.time", "s", waited, true, "for", "lock", func(s rangelock.Stats) float64 { return s.LockWaited.Seconds() }},
	{"spanlock.wait.time", "s", waited, true, "for", "exclude", func(s rangelock.Stats) float64 { return s.ExcludeWaited.Seconds() }},
	{"spanlock.wait.time", "s", waited, true, "for", "turn", func(s rangelock.Stats) float64 { return s.TurnWaited.Seconds() }},
	{"spanlock.waiting", "{wait}", "Current waits, except those in the queue of the semaphore.", false, "", "", func(s rangelock.Stats) float64 { return float64(s.Waiting) }},
	{"spanlock.lock.waiting", "{goroutine}", queued, false, "mode", "read", func(s rangelock.Stats) float64 { return float64(s.Sem.WaitingReaders) }},
	{"spanlock.lock.waiting", "{goroutine}", queued, false, "mode", "write", func(s rangelock.Stats) float64 { return float64(s.Sem.WaitingWriters) }},
	{"spanlock.lock.writer", "1", "1 while a writer holds the map's semaphore, otherwise 0.", false, "", "", func(s rangelock.Stats) float64 {
		if s.Sem.Writer {
			return 1
		}
		return 0
	}},
	{"spanlock.transactions", "{transaction}", "Transactions that have begun, with those of the one-operation forms.", true, "", "", func(s rangelock.Stats) float64 { return float64(s.Transactions) }},
	{"spanlock.retired", "{range}", "Ranges that have been through OnRetire, or were freed without one.", true, "", "", func(s rangelock.Stats) float64 { return float64(s.Retired) }},
	{"spanlock.pending", "{range}", "Ranges that have left the map and have not been through OnRetire.", false, "", "", func(s rangelock.Stats) float64 { return float64(s.Pending) }},
	{"spanlock.pending.cost", "1", "What the pending ranges cost together, in units of Options.Cost.", false, "", "", func(s rangelock.Stats) float64 { return float64(s.PendingCost) }},
	{"spanlock.pending.cost.limit", "1", "Options.MaxPending, the bound on the cost of the pending ranges; 0 if there is none.", false, "", "", func(s rangelock.Stats) float64 { return float64(s.MaxPending) }},
}
