//go:build (invariants || race) && !schedule

package invariants

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
)

// Sometimes reports true in about one of n calls. It makes rare paths common.
func Sometimes(n int) bool { return rand.IntN(n) == 0 }

// Yield stands in the window of a race. It yields the processor now and then, so that
// stress tests hit the window.
func Yield() {
	if rand.IntN(8) == 0 {
		runtime.Gosched()
	}
}

// hook is the function that At calls instead of Yield, if a test has set one.
var hook atomic.Pointer[func(point string)]

// At stands in the window of a race, like Yield, and names the window: a test can stop a
// goroutine there and let another pass.
func At(point string) {
	if f := hook.Load(); f != nil {
		(*f)(point)
		return
	}
	Yield()
}

// SetHook makes At call f; a nil f ends that. It is for tests.
func SetHook(f func(point string)) {
	if f == nil {
		hook.Store(nil)
		return
	}
	hook.Store(&f)
}
