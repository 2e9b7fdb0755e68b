//go:build spanlockdebug

package inspect_test

import "github.com/spanlock/spanlock/rangelock"

// The tests do on one goroutine what a program should do on several. In a debug build
// that is reported; here it is no panic.
func init() { rangelock.DebugReport = func(string) {} }
