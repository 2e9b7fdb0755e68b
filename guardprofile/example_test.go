package guardprofile_test

import (
	"context"
	"fmt"
	"runtime/pprof"

	"github.com/spanlock/spanlock/guardprofile"
	"github.com/spanlock/spanlock/rangelock"
)

// A guard that is held is in the profile, with the stack of its acquire.
func ExampleSetRate() {
	guardprofile.SetRate(1) // a server would take 100
	defer guardprofile.SetRate(0)

	m := rangelock.New[int, string](nil)
	m.Insert(context.Background(), rangelock.Span(0, 10), "a")
	g, _ := m.Acquire(5)

	p := pprof.Lookup("spanlock.guards") // p.WriteTo(os.Stderr, 1) prints the stacks
	fmt.Println("held:", p.Count())
	g.Release()
	fmt.Println("held:", p.Count())
	// Output:
	// held: 1
	// held: 0
}
