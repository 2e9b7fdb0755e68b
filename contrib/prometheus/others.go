package spanlockprom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rwsem"
)

// ofAllocators are the metrics of an allocator.
var ofAllocators = func() []metric[rangealloc.Stats] {
	type stats = rangealloc.Stats
	k := kindOf[stats]{"allocator"}
	return []metric[stats]{
		k.gauge("spanlock_allocator_keys", "Keys that the allocator has.", func(s stats) float64 { return float64(s.Keys) }),
		k.gauge("spanlock_allocator_free_keys", "Keys in gaps: neither allocated nor on their way back.", func(s stats) float64 { return float64(s.Free) }),
		k.gauge("spanlock_allocator_largest_gap_keys", "Keys in the largest gap.", func(s stats) float64 { return float64(s.Largest) }),
		k.gauge("spanlock_allocator_gaps", "Gaps.", func(s stats) float64 { return float64(s.Gaps) }),
		k.gauge("spanlock_allocator_ranges", "Ranges that are allocated.", func(s stats) float64 { return float64(s.Ranges) }),
		k.gauge("spanlock_allocator_fragmentation_ratio", "Share of the free keys that are not in the largest gap, from 0 to 1.", func(s stats) float64 { return s.Fragmentation }),
	}
}()

// ofSems are the metrics of a semaphore.
var ofSems = func() []metric[rwsem.Stats] {
	type stats = rwsem.Stats
	k := kindOf[stats]{"sem"}
	queued := func(mode string, read func(stats) float64) metric[stats] {
		return by(k, prometheus.GaugeValue, "spanlock_sem_waiting", "Goroutines in the queue of the semaphore.", "mode", mode, read)
	}
	return []metric[stats]{
		k.gauge("spanlock_sem_writer_held", "1 while a writer holds the semaphore, otherwise 0.", func(s stats) float64 { return one(s.Writer) }),
		k.gauge("spanlock_sem_readers", "Readers that hold the semaphore.", func(s stats) float64 { return float64(s.Readers) }),
		queued("read", func(s stats) float64 { return float64(s.WaitingReaders) }),
		queued("write", func(s stats) float64 { return float64(s.WaitingWriters) }),
		k.gauge("spanlock_sem_oldest_wait_seconds", "How long the first in the queue of the semaphore has waited; 0 if there is none.", func(s stats) float64 { return s.OldestWait.Seconds() }),
		k.counter("spanlock_sem_waits_total", "Waits for the semaphore that have ended.", func(s stats) float64 { return float64(s.Waits) }),
		k.counter("spanlock_sem_wait_seconds_total", "Time that the waits of spanlock_sem_waits_total took together.", func(s stats) float64 { return s.Waited.Seconds() }),
	}
}()
