package rwsem_test

import (
	"fmt"

	"github.com/spanlock/spanlock/rwsem"
)

// A cache is trimmed only if that delays no other goroutine. A false gives nothing: what the lock protects
// must not even be read.
func ExampleSem_TryLock() {
	var sem rwsem.Sem
	entries := 5 // under sem
	trim := func() {
		if !sem.TryLock() {
			fmt.Println("in use; next time")
			return
		}
		defer sem.Unlock()
		entries = 3
		fmt.Println("trimmed to", entries)
	}
	sem.RLock()
	trim()
	sem.RUnlock()
	trim()
	// Output:
	// in use; next time
	// trimmed to 3
}
