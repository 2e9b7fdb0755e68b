//go:build spanlockdebug

package guardprofile_test

import "github.com/spanlock/spanlock/rangelock"

func init() { rangelock.DebugReport = func(string) {} } // the tests hold a guard and acquire another on one goroutine
