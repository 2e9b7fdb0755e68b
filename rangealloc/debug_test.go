//go:build spanlockdebug

package rangealloc_test

import "github.com/spanlock/spanlock/rangelock"

// The tests do on one goroutine what a program should do on several: they hold a guard
// and free another range. In a debug build that is reported; here it is no panic.
// debugBuild says whether guards remember who took them.
const debugBuild = true

func init() { rangelock.DebugReport = func(string) {} }
