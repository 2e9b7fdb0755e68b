//go:build spanlockdebug

package rangealloc_test

import "github.com/spanlock/spanlock/rangelock"

// The tests do on one goroutine what a program should do on several: they hold a guard and free
// another range. A debug build reports that; here the report must not panic.
// debugBuild reports whether guards remember which goroutine took them.
const debugBuild = true

func init() { rangelock.DebugReport = func(string) {} }
