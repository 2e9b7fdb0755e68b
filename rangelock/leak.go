package rangelock

import "time"

// DebugReport is called with each report of a debug build, one that was built with
// -tags spanlockdebug: a sentence, and the stacks that belong to it. For the same two stacks
// and the same map that happens once. It must be set before the first map is used. If it is
// nil a report is a panic.
//
// In other builds it is never called: they look for nothing.
var DebugReport func(text string)

// DebugUnguarded says whether debug builds report a call of [Map.Get], [Map.GetRange],
// [Map.GetMany], [Map.First] or [Map.Last], or a loop over [Map.All], [Map.AllIn] or
// [Map.Backward], that hands out a value of a map with an OnRetire, once for each place of the
// program and each map: no guard holds the value, so OnRetire may have freed it before it is
// used. A loop is reported, too, where it looks at the ranges alone. A program whose OnRetire
// frees nothing sets it to false, before it uses the first map. In other builds nobody reads
// it.
var DebugUnguarded = true

// Leak is a guard that has not been released, as [Map.Leaks] tells it.
type Leak struct {
	Range     string        // of the guard
	Exclusive bool          // the guard is
	Held      time.Duration // since it was taken
	Goroutine string        // that took it, as a stack trace names it
	Stack     string        // where that was
	Lost      bool          // the collector has found that nobody has the guard any more
}

// Leaks returns the guards on ranges of the map that have not been released, oldest
// first, each with the place where it was taken.
//
// It is for debug builds, those with -tags spanlockdebug, in which every acquire notes who
// makes it. In other builds it is a stub that returns nil, whatever is held: [Map.Survey]
// says there how many guards each range has, and package rangelocktest fails a test for them.
func (m *Map[K, V]) Leaks() []Leak {
	if !debug {
		return nil
	}
	return m.leaks()
}
