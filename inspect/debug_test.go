//go:build spanlockdebug

package inspect_test

import "github.com/spanlock/spanlock/rangelock"

// The tests do on one goroutine what a program should do on several. A debug build reports that;
// here the report must not panic.
func init() { rangelock.DebugReport = func(string) {} }
