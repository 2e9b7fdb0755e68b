//go:build spanlockdebug

package guardprofile_test

import "github.com/spanlock/spanlock/rangelock"

func init() { rangelock.DebugReport = func(string) {} } // tests hold and ask on one goroutine
