//go:build !spanlockdebug

package rangelock_test

import (
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// TestLeaksStub: outside of debug builds a program that asks for leaks, or wants to be told
// reports, is compiled, and hears of nothing.
func TestLeaksStub(t *testing.T) {
	rangelock.DebugReport = func(text string) { t.Errorf("a report in a build that looks for nothing: %s", text) }
	defer func() { rangelock.DebugReport = nil }()
	m, _ := tens("a", "b")
	g := hold(t, m, 5)
	defer g.Release()
	release(m.Acquire(15)) // in a debug build a report, once the map has seen who excludes
	w := m.Lock()
	w.Exclude(rg(10, 20))
	w.Unlock()
	if leaks := m.Leaks(); leaks != nil {
		t.Errorf("%v, want none where nothing is noted", leaks)
	}
}
