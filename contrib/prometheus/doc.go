// Package spanlockprom gives Prometheus what maps, allocators and semaphores of module spanlock
// count: who fell back, who waits and for how long, who has the lock, what is pending.
//
//	var c spanlockprom.Collector
//	c.Add("segments", m)
//	prometheus.MustRegister(&c)
//
// It is a module of its own, so that a program without Prometheus does not depend on it. The
// package is not named prometheus, because its users need that name for Prometheus's own.
// The file dashboard.json beside it is a dashboard for Grafana that shows each metric.
//
// # Metrics
//
// The metrics of a map have the label map, those of an allocator the label allocator, those of a
// semaphore the label sem; the names are those that Add was given. Times are in seconds. The
// values that a metric shows are those at the time of the scrape: a wait or a held lock that
// begins and ends between two scrapes shows in the counters alone.
//
// Stats counts slow paths. A reader that meets no writer leaves no trace, so there is no metric
// of acquires, and none of all guards: spanlock_announced_guards are those on ranges on which
// readers have met.
//
// # What a scrape costs
//
// It calls Stats of each thing once. That takes no lock that a reader or a writer of the map
// holds for longer than a few instructions, in particular not the map's semaphore: a scrape
// does not wait for a transaction, and no writer waits for a scrape but for the instant in
// which the queue of those that wait is counted. The time of Stats grows with the inner nodes of
// the tree: half a microsecond for a thousand ranges, about ten for a million. What the registry
// makes of it, 24 series for each map, takes 0.05 to 0.1 ms.
package spanlockprom
