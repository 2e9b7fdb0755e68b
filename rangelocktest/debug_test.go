//go:build spanlockdebug

package rangelocktest_test

import (
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
	"github.com/spanlock/spanlock/rangelocktest"
)

func init() { rangelock.DebugReport = func(string) {} } // the tests hold a guard and acquire another on one goroutine

// The test searches the stacks for the name of this function.
func takeHere(t *testing.T, m *intMap, key int) { t.Helper(); hold(t, m, key) }

// TestCheckPlaces: a debug build says where the guards were taken.
func TestCheckPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := tens(t, 3)
		var r recorder
		rangelocktest.Check(&r, m)
		takeHere(t, m, 5)
		r.end()
		wantError(t, r.errors, []string{"[0, 10): 1 guard", "the guard on [0, 10)", "by goroutine ", "takeHere", "debug_test.go"})
	})
}
