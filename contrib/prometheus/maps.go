package spanlockprom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/spanlock/spanlock/rangelock"
)

// ofMaps are the metrics of a map.
var ofMaps = func() []metric[rangelock.Stats] {
	type stats = rangelock.Stats
	k := kindOf[stats]{"map"}
	fallback := func(reason string, read func(stats) float64) metric[stats] {
		return by(k, prometheus.CounterValue, "spanlock_fallbacks_total",
			"Attempts of readers that fell back to the semaphore: the range was excluded or full (busy), no range was found while a writer was changing the set (miss), or the range left meanwhile (gone).",
			"reason", reason, read)
	}
	waits := func(what string, read func(stats) float64) metric[stats] {
		return by(k, prometheus.CounterValue, "spanlock_waits_total",
			"Waits that have ended: for the semaphore (lock), for the guards on an excluded range (exclude), or for a turn at a range with an exclusive guard (turn).",
			"for", what, read)
	}
	waited := func(what string, read func(stats) float64) metric[stats] {
		return by(k, prometheus.CounterValue, "spanlock_wait_seconds_total",
			"Time that the waits of spanlock_waits_total took together.", "for", what, read)
	}
	queued := func(mode string, read func(stats) float64) metric[stats] {
		return by(k, prometheus.GaugeValue, "spanlock_lock_waiting",
			"Goroutines in the queue of the map's semaphore.", "mode", mode, read)
	}
	return []metric[stats]{
		k.gauge("spanlock_ranges", "Ranges in the map.", func(s stats) float64 { return float64(s.Ranges) }),
		k.gauge("spanlock_memory_bytes", "Approximate memory of the tree and the range objects, without what keys and values refer to.", func(s stats) float64 { return float64(s.Bytes) }),
		k.gauge("spanlock_announced_guards", "Guards that are held on ranges on which readers have met. Other guards are counted in their ranges, and not here.", func(s stats) float64 { return float64(s.Announced) }),
		k.gauge("spanlock_pins", "Readers that are in the middle of a search.", func(s stats) float64 { return float64(s.Domain.Pins) }),

		fallback("busy", func(s stats) float64 { return float64(s.FellBackBusy) }),
		fallback("miss", func(s stats) float64 { return float64(s.FellBackMiss) }),
		fallback("gone", func(s stats) float64 { return float64(s.FellBackGone) }),

		waits("lock", func(s stats) float64 { return float64(s.LockWaits) }),
		waits("exclude", func(s stats) float64 { return float64(s.ExcludeWaits) }),
		waits("turn", func(s stats) float64 { return float64(s.TurnWaits) }),
		waited("lock", func(s stats) float64 { return s.LockWaited.Seconds() }),
		waited("exclude", func(s stats) float64 { return s.ExcludeWaited.Seconds() }),
		waited("turn", func(s stats) float64 { return s.TurnWaited.Seconds() }),
		k.gauge("spanlock_waiting", "Current waits, except those in the queue of the semaphore.", func(s stats) float64 { return float64(s.Waiting) }),
		k.gauge("spanlock_oldest_wait_seconds", "How long the oldest of spanlock_waiting has lasted; 0 if there is none.", func(s stats) float64 { return s.OldestWait.Seconds() }),

		k.gauge("spanlock_lock_writer_held", "1 while a writer holds the map's semaphore, otherwise 0.", func(s stats) float64 { return one(s.Sem.Writer) }),
		k.gauge("spanlock_lock_readers", "Readers that hold the map's semaphore.", func(s stats) float64 { return float64(s.Sem.Readers) }),
		queued("read", func(s stats) float64 { return float64(s.Sem.WaitingReaders) }),
		queued("write", func(s stats) float64 { return float64(s.Sem.WaitingWriters) }),
		k.gauge("spanlock_lock_oldest_wait_seconds", "How long the first in the queue of the map's semaphore has waited; 0 if there is none.", func(s stats) float64 { return s.Sem.OldestWait.Seconds() }),

		k.counter("spanlock_transactions_total", "Transactions that have begun, with those of the one-operation forms.", func(s stats) float64 { return float64(s.Transactions) }),
		k.counter("spanlock_retired_total", "Ranges that have been through OnRetire, or were freed without one.", func(s stats) float64 { return float64(s.Retired) }),
		k.gauge("spanlock_pending_ranges", "Ranges that have left the map and have not been through OnRetire.", func(s stats) float64 { return float64(s.Pending) }),
		k.gauge("spanlock_pending_cost", "What the ranges of spanlock_pending_ranges cost together, in units of Options.Cost.", func(s stats) float64 { return float64(s.PendingCost) }),
		k.gauge("spanlock_pending_cost_limit", "Options.MaxPending, the bound on spanlock_pending_cost; 0 if there is none.", func(s stats) float64 { return float64(s.MaxPending) }),
		k.gauge("spanlock_stalled_seconds", "How long a reader in the middle of its search has kept anything from being reclaimed; 0 if nothing is.", func(s stats) float64 { return s.Stalled.Seconds() }),
	}
}()
