package spanlock_test

import (
	"context"
	"fmt"

	"github.com/spanlock/spanlock/rangelock"
)

func Example() {
	ctx := context.Background()
	m := rangelock.New(&rangelock.Options[uint64, string]{
		// Called once for each range that has left the map, after its last guard is released: the
		// place to unmap, close or free.
		OnRetire: func(r rangelock.Range[uint64], mapping string) {
			fmt.Println("unmap", mapping)
		},
	})
	page := rangelock.Span[uint64](0, 4096) // the keys 0 to 4095
	if err := m.Insert(ctx, page, "mapping 1"); err != nil {
		fmt.Println(err)
		return
	}

	g, ok := m.Acquire(100) // a guard on the range that covers key 100
	if !ok {
		fmt.Println("nothing at 100")
		return
	}

	// Another goroutine replaces the range. It does not wait for our guard.
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := m.Swap(ctx, page, "mapping 2"); err != nil {
			fmt.Println(err)
		}
		m.View(100, func(_ rangelock.Range[uint64], mapping string) {
			fmt.Println("a new reader finds", mapping)
		})
	}()
	<-done
	fmt.Println("we still have", g.Value())
	g.Release() // the last guard: now OnRetire may unmap mapping 1

	// Close retires the ranges that are left, and waits until everything is unmapped.
	if err := m.Close(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// a new reader finds mapping 2
	// we still have mapping 1
	// unmap mapping 1
	// unmap mapping 2
}
