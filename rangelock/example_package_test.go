package rangelock_test

import (
	"context"
	"fmt"

	"github.com/spanlock/spanlock/rangelock"
)

// A store keeps records in segment files that are mapped into memory. While a reader sends a record out of
// the old segments, a compactor puts a new one in their place. Neither waits for the other, and the old
// segments are unmapped when their last reader has left.
func Example() {
	ctx := context.Background()
	store := rangelock.New(&rangelock.Options[int64, string]{
		OnRetire: func(r rangelock.Range[int64], segment string) {
			fmt.Println("unmap", segment, r)
		},
	})
	for i, segment := range []string{"1.seg", "2.seg"} {
		lo := int64(i) * 4096
		if err := store.Insert(ctx, rangelock.Span(lo, lo+4096), segment); err != nil {
			fmt.Println(err)
			return
		}
	}
	g, ok := store.Acquire(5000)
	if !ok {
		fmt.Println("5000 is in no segment")
		return
	}
	compacted := make(chan error)
	go func() { compacted <- store.Swap(ctx, rangelock.Span[int64](0, 8192), "compacted.seg") }()
	if err := <-compacted; err != nil { // although we hold a guard
		fmt.Println(err)
	}
	fmt.Println("sending from", g.Value())
	g.Release()

	store.View(5000, func(r rangelock.Range[int64], segment string) {
		fmt.Println("now it is in", segment, r)
	})
	// Close retires what is left, and waits for its readers and for OnRetire.
	if err := store.Close(ctx); err != nil {
		fmt.Println(err)
	}
	// Unordered output:
	// sending from 2.seg
	// now it is in compacted.seg [0, 8192)
	// unmap 1.seg [0, 4096)
	// unmap 2.seg [4096, 8192)
	// unmap compacted.seg [0, 8192)
}
