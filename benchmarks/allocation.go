package main

import (
	"runtime"
	"time"
)

// allocTolerance is how many allocations for each operation still count as none: the
// runtime itself sometimes allocates.
const allocTolerance = 0.005

// allocations returns how many allocations one of n operations makes. As many operations
// run before, which do not count.
func allocations(n int, run func(n int)) float64 {
	var before, after runtime.MemStats
	run(n)
	runtime.GC()
	runtime.ReadMemStats(&before)
	run(n)
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n)
}

// garbage measures the collector's work for what a contender leaves behind.
type garbage struct {
	before runtime.MemStats
}

func (g *garbage) begin() { runtime.ReadMemStats(&g.before) }

// collect runs the collector, and returns the share of its time that is due to the
// allocations since begin. With GOGC at 100 the collector runs when as much has been
// allocated as is live, or four megabytes if that is more.
func (g *garbage) collect() time.Duration {
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	allocated := float64(after.TotalAlloc - g.before.TotalAlloc)
	start := time.Now()
	runtime.GC()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return time.Duration(float64(took) * allocated / float64(max(after.HeapAlloc, 4<<20)))
}

// heapGrowth returns by how many bytes the live heap grows with what build returns.
func heapGrowth(build func() any) float64 {
	before := liveHeap()
	kept := build()
	after := liveHeap()
	runtime.KeepAlive(kept)
	return float64(after) - float64(before)
}

func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // frees what the first has not: objects in pools or with finalizers
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
