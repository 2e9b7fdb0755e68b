//go:build (invariants || race) && !schedule

package invariants

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
)

// Sometimes reports true in about one call of n: it makes rare paths common.
func Sometimes(n int) bool { return rand.IntN(n) == 0 }

// Yield stands in the window of a race and now and then gives the processor away
// there, so that stress tests hit the window.
func Yield() {
	if rand.IntN(8) == 0 {
		runtime.Gosched()
	}
}

// hook is what At calls instead of Yield, if a test has set it.
var hook atomic.Pointer[func(point string)]

// At stands in the window of a race, like Yield, and gives the window a name: a
// test can stop a goroutine there and let another go through.
func At(point string) {
	if f := hook.Load(); f != nil {
		(*f)(point)
		return
	}
	Yield()
}

// SetHook makes At call f; nil ends that. It is for tests.
func SetHook(f func(point string)) {
	if f == nil {
		hook.Store(nil)
		return
	}
	hook.Store(&f)
}
