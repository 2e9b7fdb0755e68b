//go:build invariants || race

package rangelock_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/spanlock/spanlock/internal/invariants"
)

// hooked has the windows that wait for a goroutine at a point of the product's code. There is one
// hook for the whole process, so tests that use it do not run in parallel.
var hooked struct {
	sync.Mutex
	windows []*window
}

// windowAt returns a window that holds the next goroutine that passes the named point. Several
// windows at one point are taken in the order in which they were made.
func windowAt(t *testing.T, point string) *window {
	w := newWindow(t, point)
	hooked.Lock()
	hooked.windows = append(hooked.windows, w)
	hooked.Unlock()
	invariants.SetHook(passPoint)
	t.Cleanup(func() {
		hooked.Lock()
		defer hooked.Unlock()
		if i := slices.Index(hooked.windows, w); i >= 0 {
			hooked.windows = slices.Delete(hooked.windows, i, i+1)
		}
		if len(hooked.windows) == 0 {
			invariants.SetHook(nil)
		}
	})
	return w
}

func passPoint(point string) {
	hooked.Lock()
	i := slices.IndexFunc(hooked.windows, func(w *window) bool { return w.point == point })
	if i < 0 {
		hooked.Unlock()
		return
	}
	w := hooked.windows[i]
	hooked.windows = slices.Delete(hooked.windows, i, i+1)
	hooked.Unlock()
	w.pass()
}
