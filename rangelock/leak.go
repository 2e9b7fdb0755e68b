package rangelock

import "time"

// DebugReport is called with each report of a debug build, which is a build with
// -tags spanlockdebug. A report is a sentence and the stacks that belong to it. For the same map
// and the same two stacks there is one report. DebugReport must be set before the first map is
// used. If it is nil, a debug build panics with the report.
//
// Other builds report nothing and never call it.
var DebugReport func(text string)

// DebugUnguarded reports whether debug builds report values that are returned without a guard by
// a map with an OnRetire. No guard keeps such a value, so OnRetire may have freed it before it is
// used. Reported are calls of [Map.Get], [Map.GetRange], [Map.GetMany], [Map.First] and
// [Map.Last], and loops over [Map.All], [Map.AllIn] and [Map.Backward], once for each map and each
// place in the program. A loop is reported even if it uses only the ranges and no value.
//
// A program whose OnRetire frees nothing sets DebugUnguarded to false before it uses the first
// map. Other builds ignore it.
var DebugUnguarded = true

// Leak is a guard that has not been released, as listed by [Map.Leaks].
type Leak struct {
	Range     string        // range of the guard, as written by Range.String
	Exclusive bool          // whether the guard is exclusive
	Held      time.Duration // how long the guard has been held
	Goroutine string        // goroutine that took the guard, such as "goroutine 7"
	Stack     string        // stack of that goroutine when it took the guard
	Lost      bool          // the garbage collector has found that no copy of the guard is reachable
}

// Leaks returns the guards on ranges of the map that have not been released, oldest first. For
// each it says where the guard was taken.
//
// Leaks works in debug builds (-tags spanlockdebug), where each acquire records its stack. In
// other builds it returns nil, whatever guards are held. There [Map.Survey] shows how many guards
// each range has, and package rangelocktest fails a test that leaves guards behind.
func (m *Map[K, V]) Leaks() []Leak {
	if !debug {
		return nil
	}
	return m.watched.leaks()
}
