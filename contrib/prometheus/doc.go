// Package spanlockprom gives Prometheus the statistics of maps, allocators and semaphores of module
// spanlock: readers that fell back, waits and their duration, holders of the lock, ranges that are
// pending.
//
//	var c spanlockprom.Collector
//	c.Add("segments", m)
//	prometheus.MustRegister(&c)
//
// It is a module of its own, so that a program without Prometheus does not depend on it. The
// package is not named prometheus, because its users need that name for Prometheus's own.
// The file dashboard.json in its directory is a dashboard for Grafana that shows each metric.
//
// # Metrics
//
// The metrics of a map have the label map, those of an allocator the label allocator, those of a
// semaphore the label sem. The values of the labels are the names that were passed to Add. Times
// are in seconds. A metric shows the value at the time of the scrape: a wait or a held lock that
// begins and ends between two scrapes appears only in the counters.
//
// Stats counts slow paths. A reader that meets no writer leaves no trace, so there is no metric
// of acquires, and none of all guards: spanlock_announced_guards counts those on ranges on which
// readers have met.
//
// # What a scrape costs
//
// A scrape calls Stats of each thing once. Stats takes no lock that a reader or a writer of the map
// holds for longer than a few instructions, and in particular not the map's semaphore. So a scrape
// does not wait for a transaction, and a writer waits for a scrape only during the instant in
// which the waiters in the queue are counted. The time of Stats grows with the inner nodes of
// the tree: half a microsecond for a thousand ranges, about ten for a million. The registry makes
// 24 series of it for each map, which takes 0.05 to 0.1 ms.
package spanlockprom
