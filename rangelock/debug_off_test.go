//go:build !spanlockdebug

package rangelock_test

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// TestLeaksStub: a program that uses Leaks and DebugReport compiles without the tag spanlockdebug,
// and gets neither leaks nor reports.
func TestLeaksStub(t *testing.T) {
	rangelock.DebugReport = func(text string) { t.Errorf("a report in a build that looks for nothing: %s", text) }
	defer func() { rangelock.DebugReport = nil }()
	m, _ := tens("a", "b")
	g := hold(t, m, 5)
	defer g.Release()
	release(m.Acquire(15)) // a debug build reports it, once it has seen a writer that excludes
	w := m.Lock()
	w.Exclude(rg(10, 20))
	w.Unlock()
	if leaks := m.Leaks(); leaks != nil {
		t.Errorf("%v, want none where nothing is noted", leaks)
	}
}

// TestNoLockOrder: a program that is built without the tag spanlockdebug has nothing of package
// lockorder, which only debug builds use.
func TestNoLockOrder(t *testing.T) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command: ", err)
	}
	deps, err := exec.Command(goCommand, "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name string
		want bool
	}{{"rangetree", true}, {"lockorder", false}, {"caller", false}} {
		if got := bytes.Contains(deps, []byte("/internal/"+x.name+"\n")); got != x.want {
			t.Errorf("rangelock depends on internal/%s: %t, want %t", x.name, got, x.want)
		}
	}
}
