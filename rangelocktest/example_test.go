//go:build !spanlockdebug

package rangelocktest_test

import (
	"context"
	"fmt"

	"github.com/spanlock/spanlock/rangelock"
	"github.com/spanlock/spanlock/rangelocktest"
)

// A test makes a map and forgets to release a guard. Here t prints its errors; in a test it is
// the *testing.T.
func ExampleCheck() {
	t := new(recorder)

	m := rangelock.New[int, string](nil)
	rangelocktest.Check(t, m)

	m.Insert(context.Background(), rangelock.Span(0, 10), "a")
	m.Insert(context.Background(), rangelock.Span(10, 20), "b")
	if g, ok := m.Acquire(5); ok && g.Value() == "a" {
		fmt.Println("found")
	}

	t.end()
	fmt.Println(t.errors[0])
	// Output:
	// found
	// rangelocktest: still held at the end of the test: 1 guard on 1 range
	// 	[0, 10): 1 guard
	// (go test -tags spanlockdebug shows where the guards of a rangelock.Map were taken)
}
